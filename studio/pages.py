"""``/studio/…``: where a manager makes pictures. Its script speaks to the public API.

Only the page itself is another one for each login. Its files are those of a build, and the service worker keeps them,
so that the page opens without the network.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.contrib.auth.views import redirect_to_login
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token, rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from normalform import CONTENT_TYPES, TYPES
from terminal.views import FOR_EVER, KEEP_AND_ASK, answer, bucket_origins

from .build import build
from .prompts import STYLES

STYLE_NAMES = {
    "menu": _("As on a menu"),
    "plain": _("Plain white"),
    "dark": _("Dark"),
    "square": _("Square, from above"),
}
TEXTS = {
    "offline": _("The server can't be reached just now. Try again in a moment."),
    "logged_out": _("You are logged out. Log in again in the admin."),
    "favourite": _("Favourite"),
    "no_favourite": _("No favourite any more"),
    "use": _("Put on a product"),
    "undo": _("Take off the product"),
    "download": _("Download"),
    "again": _("Try again"),
    "delete": _("Delete"),
    "delete_really": _("Delete this picture for good? A product that shows it keeps it."),
    "is_placed": _("on its product"),
    "kind_drawn": _("Drawn"),
    "kind_tidied": _("Tidied up"),
    "kind_generated": _("Generated"),
    "kind_edited": _("Improved"),
    "pending": _("Waiting for its turn"),
    "generating": _("Being made"),
    "seconds": _("%(seconds)s s"),
    "picture": _("Picture"),
    "compare": _("Show more of the photo before or after"),
    "before": _("Before"),
    "after": _("After"),
    "choose_photo": _("Choose a photo, or a product that has one."),
    "choose_something": _("Say what it shall be, or choose a product."),
    "under_way": _("Being made. You can leave this page: it comes by itself."),
    "placed": _("The product shows it now."),
    "not_placed": _("It wasn't put on the product, which got another picture meanwhile."),
    "nothing_found": _("Nothing found"),
    "empty": _("No pictures yet. The first one takes a minute."),
    "empty_here": _("Nothing of the history is on this device yet, and the server can't be reached."),
    "not_here": _("Not on this device"),
    "not_loaded": _("It can't be loaded just now"),
    "connecting": _("Connecting"),
    "catching_up": _("Catching up"),
    "live": _("Live"),
    "waiting": _("Not live"),
    "stopped": _("Logged out"),
    "another_login_short": _("Another login"),
    "as_of": _("as of %(time)s"),
    "another_login": _("Somebody else is logged in here now."),
    "load_again": _("Load the page again"),
    "one_elsewhere": _("You have one picture elsewhere. Bring it here, to have it without the network?"),
    "elsewhere": _("You have %(count)s pictures elsewhere. Bring them here, to have them without the network?"),
    "bring_everything": _("All pictures"),
    "bring_favourites": _("Favourites"),
    "the_newest": _("The newest %(count)s"),
    "the_newest_of": _("The newest:"),
    "how_many": _("How many of the newest"),
    "bring_nothing": _("Nothing more"),
    "not_now": _("Not now"),
    "bring_no_more": _("Bring no more"),
    "pause": _("Pause"),
    "go_on": _("Go on"),
    "of_them_here": _("%(stored)s of %(wanted)s originals are here."),
    "bring_downloading": _("Downloading …"),
    "bring_paused": _("Paused."),
    "bring_waiting": _("Waiting for the network."),
    "bring_later": _("Some can't be had just now. They are tried again."),
    "bring_full": _("There is no room for the rest on this device. What is here stays."),
    "originals": _("Originals"),
    "originals_here": _("Originals that are kept here"),
    "used": _("Used on this device"),
    "list": _("The list"),
    "thumbnails": _("Small pictures"),
    "browser_allows": _("The browser allows"),
    "used_of": _("%(used)s of %(quota)s"),
    "protected": _("The browser doesn't clear this by itself."),
    "unprotected": _("The browser may clear this by itself when the disk is full."),
    "protect": _("Protect from being cleared"),
    "protect_refused": _("The browser refused. It does so until the page is used more often."),
    "remove_here": _("Delete from this device"),
    "remove_here_really": _("Delete all pictures from this device? They stay in your history on the server."),
    "not_written": _("The disk is full: what is new can't be kept on this device."),
    "nothing_kept": _("This browser keeps nothing: it gives pages no storage here."),
    "plain_http": _("Over plain http an open page goes on without the network, but it can't be opened without it."),
    "free": _("Free: drawn and tidied up on this server, without the network."),
    "provider": _("Made by %(provider)s, %(model)s"),
    "price": _("about %(price)s each"),
    "left": _("%(left)s left for today"),
    "error_provider_unreachable": _("The provider can't be reached. Nothing was charged."),
    "error_provider_busy": _("The provider is busy. Nothing was charged."),
    "error_provider_refused": _("The provider refused: key, credit or model. Whoever runs the server can look."),
    "error_prompt_refused": _("The provider refuses these words or this photo. Use other ones."),
    "error_no_picture": _("The provider's answer had no picture in it."),
    "error_outcome_unknown": _("The answer was lost. It may have been paid for; trying again may cost once more."),
    "error_picture_lost": _("The picture couldn't be stored before its address died."),
    "error_storage_unavailable": _("The storage didn't answer."),
    "error_processing_failed": _("Something went wrong on the server. Try again."),
}


@never_cache
@require_safe
def studio(request: HttpRequest) -> HttpResponse:
    """The page, for staff; others log in first."""
    user: Any = request.user
    if not (user.is_authenticated and user.is_staff):
        return redirect_to_login(request.get_full_path(), login_url=reverse("admin:login"))
    get_token(request)  # its cookie: the script sends it back
    context = {
        "build": build().name,
        "first": build().first,
        "facts": {"user": user.pk, "texts": {name: str(text) for name, text in TEXTS.items()}},
        "styles": [(name, STYLE_NAMES[name]) for name in STYLES],
        "accept": ",".join([*CONTENT_TYPES, *TYPES]),
        "may_make": user.has_perm("studio.add_item"),
        "shop": settings.SHOP_NAME or "RedCoral",
    }
    page = render(request, "studio/page.html", context)
    page["Content-Security-Policy"] = policy()
    return page


@require_safe
def file(request: HttpRequest, name: str, path: str) -> HttpResponseBase:
    """A file of this build. Of another one there is none: a page of it has its files in its worker."""
    if name != build().name or path not in build().files:
        raise Http404
    return answer(request, build().files[path], FOR_EVER)


@require_safe
def worker(request: HttpRequest) -> HttpResponseBase:
    response = answer(request, build().worker, KEEP_AND_ASK)
    response["Content-Security-Policy"] = policy()
    return response


def policy() -> str:
    """Pictures may also come from a bucket or a provider, by https. Nothing inline, and no other host."""
    connected = " ".join(["'self'", *bucket_origins()])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: https:; worker-src 'self'; "
        f"connect-src {connected}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@receiver(user_logged_out)
def renew_token(request: HttpRequest, **_rest: Any) -> None:
    """By another CSRF token the page sees that it is shown to somebody else, also offline. A log-in has one anyway."""
    rotate_token(request)
