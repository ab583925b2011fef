"""What the pages of albums and of photos have in common."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from adminpages import Page
from images.services import image_url
from uploads import services
from uploads.models import Photo
from uploads.originals import StorageSilent

COLORS = {"pending": "info", "processing": "warning", "ready": "success", "failed": "danger"}


class ReceivedAdmin(Page):
    """What clients made: looked at, helped along and deleted, never typed in."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

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
    queued = missing = ready = 0
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
    except StorageSilent as refusal:
        messages.error(request, str(refusal))
    if queued:
        text = ngettext("%(count)d photo is on its way.", "%(count)d photos are on their way.", queued)
        messages.success(request, text % {"count": queued})
    if ready:
        text = ngettext("%(count)d photo is ready already.", "%(count)d photos are ready already.", ready)
        messages.info(request, text % {"count": ready})
    if missing:
        text = ngettext("%(count)d photo was never uploaded.", "%(count)d photos were never uploaded.", missing)
        messages.warning(request, text % {"count": missing})
