"""Photos: what became of each, why, and another try."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from uploads import services
from uploads.models import Photo

from .base import COLORS, picture_of, try_again
from .sending import SendingAdmin
from .texts import REASONS


@admin.register(Photo)
class PhotoAdmin(SendingAdmin):
    list_display = ("picture", "filename", "state", "what_happened", "attempts", "album", "product", "created_at")
    list_display_links = ("picture", "filename")
    list_filter = ("status", "content_type", "created_at")
    linked = frozenset({"album__id__exact", "status__in"})
    list_select_related = ("album", "product")
    autocomplete_fields = ("product",)
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
        (_("Declared"), {"fields": ("content_type", "size", "sha256", "upload_expires_at", "device", "staff")}),
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
    buttons: ClassVar = {"retry": _("Try again")}

    def get_readonly_fields(self, request: HttpRequest, obj: Photo | None = None) -> list[str]:
        names = [name for __, section in self.fieldsets for name in section["fields"]]
        return [name for name in names if name != "product" or not self.may_choose(request, obj)]

    def may_choose(self, request: HttpRequest, photo: Photo | None) -> bool:
        """Whether this photo, which is for no product yet, can be given one here."""
        may = self.has_change_permission(request, photo) and request.user.has_perm("catalog.change_product")
        return may and photo is not None and photo.product_id is None

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        photo = self.get_object(request, object_id) if object_id else None
        shown = {"show_save": self.may_choose(request, photo), "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def save_model(self, request: HttpRequest, obj: Photo, form: Any, change: bool) -> None:
        """Saves its product alone: a whole row written back would undo what a worker did meanwhile."""
        if "product" in form.changed_data and obj.product_id:
            services.give_product(photo_id=obj.pk, product_id=obj.product_id)

    @display(description=_("picture"))
    def picture(self, photo: Photo) -> SafeString:
        return picture_of(photo)

    @display(description=_("picture"))
    def preview(self, photo: Photo) -> SafeString:
        return picture_of(photo, width=640, css="photo-preview")

    @display(description=_("what happened"))
    def what_happened(self, photo: Photo) -> Any:
        return REASONS.get(photo.error, photo.error_detail or photo.error) or "–"

    @display(description=_("state"), ordering="status", label=COLORS)
    def state(self, photo: Photo) -> tuple[str, str]:
        return photo.status, photo.get_status_display()

    def retry(self, request: HttpRequest, photo_id: UUID) -> None:
        try_again(request, [photo_id])

    @action(description=_("Try again"), permissions=["change"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        try_again(request, queryset.values_list("pk", flat=True))

    def delete_model(self, request: HttpRequest, obj: Photo) -> None:
        services.delete_photo(photo_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        for photo_id in queryset.values_list("pk", flat=True):
            services.delete_photo(photo_id=photo_id)
