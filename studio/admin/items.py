"""Pictures of the studio, of everybody: for whoever may look at them (``studio.view_item``)."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from images.services import image_url
from studio.models import Item
from studio.pages import STYLE_NAMES

from .base import LookedAt

COLORS = {"pending": "info", "generating": "warning", "ready": "success", "failed": "danger"}


@admin.register(Item)
class ItemAdmin(LookedAt):
    list_display = ("picture", "words", "state", "kind", "product", "owner", "created_at")
    list_display_links = ("picture", "words")
    list_filter = ("status", "kind", "provider", "created_at")
    list_select_related = ("product", "owner")
    search_fields = ("prompt", "product__name", "owner__username")
    fieldsets = (
        (None, {"fields": ("picture", "prompt", "look", "kind", "provider", "model", "product", "source", "owner")}),
        (
            _("State"),
            {"fields": ("status", "error", "error_detail", "attempts", "created_at", "ready_at", "failed_at")},
        ),
        (_("Stored"), {"fields": ("key", "content_type", "size", "width", "height", "stored_at", "placed_at", "id")}),
    )

    @display(description=_("picture"))
    def picture(self, item: Item) -> SafeString:
        if item.image_id:
            source = image_url(item.image_id)
            return format_html('<img class="thumbnail" src="{}?w=160" alt="{}" loading="lazy">', source, str(item))
        icon = "broken_image" if item.status == Item.Status.FAILED else "hourglass_empty"
        return format_html('<span class="thumbnail none material-symbols-outlined" aria-hidden="true">{}</span>', icon)

    @display(description=_("style"))
    def look(self, item: Item) -> str:
        return str(STYLE_NAMES.get(item.style, item.style))

    @display(description=_("prompt"))
    def words(self, item: Item) -> str:
        return item.prompt or (str(item.product) if item.product else str(item.pk))

    @display(description=_("status"), label=COLORS)
    def state(self, item: Item) -> tuple[str, str]:
        return item.status, item.get_status_display()
