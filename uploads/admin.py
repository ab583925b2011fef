"""Where managers see what came in, what became of it, and help what got stuck."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from images.blobs import StorageUnavailable
from images.services import image_url

from . import reconciliation, services
from .models import Album, Photo

# What a worker wrote down is English; of the usual reasons the manager reads in his own language.
REASONS = {
    "too_large": _("The file has more than 25 MB."),
    "too_many_pixels": _("The picture has more than 50 megapixels."),
    "unsupported_image": _("The file is none of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC."),
    "broken_image": _("The file begins like a picture, but can't be decoded."),
    "size_mismatch": _("The stored original has another size than declared."),
    "checksum_mismatch": _("The stored original has another SHA-256 than declared."),
    "storage_unavailable": _("The storage didn't answer."),
}
COLORS = {"pending": "info", "processing": "warning", "ready": "success", "failed": "danger"}


class ReceivedAdmin(ModelAdmin):
    """What clients made: looked at, helped along and deleted, never typed in."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def photos_in(status: str) -> Coalesce:
    """How many photos of the row's album are in a state, from the index alone."""
    found = Photo.objects.filter(album=OuterRef("pk"), status=status).order_by().values("album")
    return Coalesce(Subquery(found.annotate(count=Count("pk")).values("count")), 0, output_field=IntegerField())


@admin.register(Album)
class AlbumAdmin(ReceivedAdmin):
    list_display = ("name", "pending", "processing", "ready", "failed", "photos", "created_at")
    search_fields = ("name",)
    date_hierarchy = "created_at"
    readonly_fields = ("id", "pending", "processing", "ready", "failed", "photos", "created_at")
    fields = ("name", *readonly_fields)
    actions = ("reconcile_selected",)
    actions_detail = ("reconcile_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Album]:
        counts = {f"{status}_count": photos_in(status) for status in Photo.Status.values}
        return super().get_queryset(request).annotate(**counts)

    @display(description=_("pending"))
    def pending(self, album: Any) -> int:
        return int(album.pending_count)

    @display(description=_("processing"))
    def processing(self, album: Any) -> int:
        return int(album.processing_count)

    @display(description=_("ready"))
    def ready(self, album: Any) -> int:
        return int(album.ready_count)

    @display(description=_("failed"))
    def failed(self, album: Any) -> int:
        return int(album.failed_count)

    @display(description=_("photos"))
    def photos(self, album: Album) -> SafeString:
        url = reverse("admin:uploads_photo_changelist")
        return format_html('<a href="{}?album__id__exact={}">{}</a>', url, album.pk, _("show"))

    @action(description=_("Reconcile now"), permissions=["change"])
    def reconcile_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.reconcile(request, [UUID(object_id)])
        return redirect("admin:uploads_album_change", object_id)

    @action(description=_("Reconcile now"), permissions=["change"])
    def reconcile_selected(self, request: HttpRequest, queryset: QuerySet[Album]) -> None:
        self.reconcile(request, queryset.values_list("pk", flat=True))

    def reconcile(self, request: HttpRequest, album_ids: Any) -> None:
        total = reconciliation.Counts()
        for album_id in album_ids:
            total += reconciliation.reconcile_album(album_id=album_id, now=timezone.now())
        text = _(
            "%(checked)d checked: %(requeued)d queued again, %(cleaned)d cleaned, "
            "%(skipped)d left as they are, %(unknown)d could not be told."
        ) % vars(total)
        messages.warning(request, text) if total.unknown else messages.success(request, text)

    def delete_model(self, request: HttpRequest, obj: Album) -> None:
        services.delete_album(album_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Album]) -> None:
        for album_id in queryset.values_list("pk", flat=True):
            services.delete_album(album_id=album_id)


@admin.register(Photo)
class PhotoAdmin(ReceivedAdmin):
    list_display = ("thumbnail", "filename", "state", "error", "attempts", "album", "product", "created_at")
    list_display_links = ("thumbnail", "filename")
    list_filter = ("status", "content_type", "created_at")
    list_select_related = ("album", "product")
    search_fields = ("filename", "error", "album__name", "product__name")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "preview",
                    "filename",
                    "status",
                    "error",
                    "what_happened",
                    "album",
                    "product",
                    "image",
                )
            },
        ),
        (_("Declared"), {"fields": ("content_type", "size", "sha256", "upload_expires_at")}),
        (
            _("Processing"),
            {
                "fields": (
                    "attempts",
                    "queued_until",
                    "lease_expires_at",
                    "created_at",
                    "checked_at",
                    "processing_at",
                    "ready_at",
                    "failed_at",
                    "id",
                )
            },
        ),
    )
    actions = ("retry_selected",)
    actions_detail = ("retry",)

    def get_readonly_fields(self, request: HttpRequest, obj: Photo | None = None) -> list[str]:
        return [name for __, section in self.fieldsets for name in section["fields"]]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        without = {"show_save": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **without})

    def save_model(self, request: HttpRequest, obj: Photo, form: Any, change: bool) -> None:
        """Saves nothing: a whole row written back would undo what a worker did meanwhile."""

    @display(description=_("picture"))
    def thumbnail(self, photo: Photo) -> SafeString | str:
        if not photo.image_id:
            return "–"
        source = image_url(photo.image_id)
        return format_html('<img src="{}?w=160" alt="" loading="lazy" class="h-12 w-12 rounded object-cover">', source)

    @display(description=_("picture"))
    def preview(self, photo: Photo) -> SafeString | str:
        if not photo.image_id:
            return "–"
        return format_html('<img src="{}?w=640" alt="" class="max-w-lg rounded">', image_url(photo.image_id))

    @display(description=_("what happened"))
    def what_happened(self, photo: Photo) -> Any:
        return REASONS.get(photo.error, photo.error_detail) or "–"

    @display(description=_("state"), ordering="status", label=COLORS)
    def state(self, photo: Photo) -> tuple[str, str]:
        return photo.status, photo.get_status_display()

    @action(description=_("Try again"), permissions=["change"])
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.process(request, [UUID(object_id)])
        return redirect("admin:uploads_photo_change", object_id)

    @action(description=_("Try again"), permissions=["change"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        self.process(request, queryset.values_list("pk", flat=True))

    def process(self, request: HttpRequest, photo_ids: Any) -> None:
        queued = missing = 0
        try:
            for photo_id in photo_ids:
                try:
                    services.request_processing(photo_id=photo_id, now=timezone.now())
                    queued += 1
                except (services.NotUploaded, services.PhotoUnknown):
                    missing += 1
        except StorageUnavailable:
            messages.error(request, _("The storage doesn't answer; try again in a moment."))
        if queued:
            text = ngettext("%(count)d photo is on its way.", "%(count)d photos are on their way.", queued)
            messages.success(request, text % {"count": queued})
        if missing:
            text = ngettext("%(count)d photo was never uploaded.", "%(count)d photos were never uploaded.", missing)
            messages.warning(request, text % {"count": missing})

    def delete_model(self, request: HttpRequest, obj: Photo) -> None:
        services.delete_photo(photo_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        for photo_id in queryset.values_list("pk", flat=True):
            services.delete_photo(photo_id=photo_id)
