"""``/studio/``: where a manager makes pictures. Its script speaks to the public API."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from normalform import CONTENT_TYPES, TYPES

from .prompts import STYLES

# Pictures may also come from a bucket or a provider, by https. Nothing inline, and no other host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: https:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STYLE_NAMES = {
    "menu": _("As on a menu"),
    "plain": _("Plain white"),
    "dark": _("Dark"),
    "square": _("Square, from above"),
}
TEXTS = {
    "offline": _("The server can't be reached just now. Try again in a moment."),
    "offline_history": _("No connection: what is shown may not be the newest."),
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
    facts = {"csrf": get_token(request), "texts": {name: str(text) for name, text in TEXTS.items()}}
    context = {
        "facts": facts,
        "styles": [(name, STYLE_NAMES[name]) for name in STYLES],
        "accept": ",".join([*CONTENT_TYPES, *TYPES]),
        "may_make": user.has_perm("studio.add_item"),
        "shop": settings.SHOP_NAME or "RedCoral",
    }
    page = render(request, "studio/page.html", context)
    page["Content-Security-Policy"] = POLICY
    return page
