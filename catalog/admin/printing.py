"""Printers of kitchen, bar and receipts."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from catalog.models import PrintDestination

from .actions import activate, deactivate
from .base import CatalogueAdmin


@admin.register(PrintDestination)
class PrintDestinationAdmin(CatalogueAdmin):
    list_display = ("name", "kind_label", "address", "copies", "fallback", "is_active")
    list_editable = ("is_active",)
    list_select_related = ("fallback",)
    list_filter = (("kind", ChoicesDropdownFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("name", "address")
    autocomplete_fields = ("fallback",)
    actions = (activate, deactivate)
    fieldsets = (
        (None, {"fields": ("name", "kind", "is_active")}),
        (_("Printer"), {"fields": ("address", "copies")}),
        (_("When it fails"), {"fields": ("fallback",)}),
    )

    @display(
        description=_("kind"),
        ordering="kind",
        label={"kitchen": "warning", "bar": "info", "receipt": "success"},
    )
    def kind_label(self, destination: PrintDestination) -> tuple[str, str]:
        return destination.kind, destination.get_kind_display()
