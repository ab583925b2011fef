"""What the pages of albums and of photos have in common."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from adminpages import Page
from images.services import image_url
from uploads import services
from uploads.models import Photo
from uploads.originals import StorageSilent
from uploads.senders import SenderRevoked

COLORS = {"pending": "info", "processing": "warning", "ready": "success", "failed": "danger"}


class ReceivedAdmin(Page):
    """What clients made: looked at, helped along and deleted, never typed in.

    ``buttons`` are methods, with their labels, that do something with the object of a page. Each is a form of its own:
    a link would do it for whoever makes a browser follow it.
    """

    show_full_result_count = False
    list_per_page = 50
    buttons: ClassVar[dict[str, Any]] = {}
    change_form_outer_before_template = "uploads/buttons.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(self.pressed),
                {"name": name},
                name=self.name_of(name),
            )
            for name in self.buttons
        ]
        return [*own, *super().get_urls()]

    def name_of(self, button: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{button}"

    def pressed(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        found = self.id_of(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        getattr(self, name)(request, found)
        return redirect(f"admin:{self.name_of('change')}", found)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        buttons = [
            (reverse(f"admin:{self.name_of(name)}", args=[object_id]), title)
            for name, title in self.buttons.items()
            if object_id and self.has_change_permission(request)
        ]
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "buttons": buttons})

    def id_of(self, request: HttpRequest, object_id: str) -> UUID:
        """The id that a page's address names; Http404 when there is no such object (any more)."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return UUID(str(found.pk))


def picture_of(photo: Photo, *, width: int = 160, css: str = "thumbnail") -> SafeString:
    """The picture of a photo, or a placeholder of the same size that says by its icon why there is none."""
    if photo.image_id:
        source = image_url(photo.image_id)
        return format_html('<img class="{}" src="{}?w={}" alt="{}" loading="lazy">', css, source, width, photo.filename)
    icon = "broken_image" if photo.status == Photo.Status.FAILED else "hourglass_empty"
    return format_html('<span class="{} none material-symbols-outlined">{}</span>', css, icon)


def link_to(photo: Photo) -> str:
    return reverse("admin:uploads_photo_change", args=[photo.pk])


def try_again(request: HttpRequest, photo_ids: Any) -> None:
    """Queue these photos anew, and say how many were."""
    queued = missing = ready = revoked = 0
    try:
        for photo_id in photo_ids:
            try:
                photo = services.request_processing(photo_id=photo_id, now=timezone.now())
                if photo.status == Photo.Status.READY:
                    ready += 1
                else:
                    queued += 1
            except (services.NotUploaded, Http404):
                missing += 1
            except SenderRevoked:
                revoked += 1
    except StorageSilent as refusal:
        messages.error(request, str(refusal))
    if queued:
        text = ngettext("%(count)d photo is on its way.", "%(count)d photos are on their way.", queued)
        messages.success(request, text % {"count": queued})
    if ready:
        text = ngettext("%(count)d photo is ready already.", "%(count)d photos are ready already.", ready)
        messages.info(request, text % {"count": ready})
    if revoked:
        text = ngettext(
            "%(count)d photo was sent by a device or login that has no access any more.",
            "%(count)d photos were sent by a device or login that has no access any more.",
            revoked,
        )
        messages.warning(request, text % {"count": revoked})
    if missing:
        text = ngettext("%(count)d photo was never uploaded.", "%(count)d photos were never uploaded.", missing)
        messages.warning(request, text % {"count": missing})
