"""Zones and the tables in them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from catalog.models import DiningTable, Zone

from .actions import activate, deactivate
from .base import CatalogueAdmin, Rows, how_many


class TableRows(Rows):
    model = DiningTable
    fields = ("name", "seats", "shape", "x", "y", "width", "height", "rotation", "is_active")
    ordering = ("name",)


@admin.register(Zone)
class ZoneAdmin(CatalogueAdmin):
    list_display = ("name", "table_count", "seat_count", "position")
    list_editable = ("position",)
    search_fields = ("name",)
    fields = ("name", "position")
    inlines = (TableRows,)
    list_fullwidth = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        rows = super().get_queryset(request).annotate(tables_in_it=how_many(DiningTable, "zone"))
        return rows.prefetch_related("tables")

    @display(description=_("tables"), ordering="tables_in_it")
    def table_count(self, zone: Zone) -> int:
        return zone.tables_in_it  # type: ignore[attr-defined]

    @display(description=_("seats"))
    def seat_count(self, zone: Zone) -> int:
        return sum(table.seats for table in zone.tables.all())


@admin.register(DiningTable)
class TableAdmin(CatalogueAdmin):
    list_display = ("name", "zone", "seats", "shape", "is_active")
    list_editable = ("seats", "is_active")
    list_select_related = ("zone",)
    list_filter = (
        ("zone", RelatedDropdownFilter),
        ("shape", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
    )
    search_fields = ("name", "zone__name")
    autocomplete_fields = ("zone",)
    kept_for_the_next = ("zone", "seats", "shape")
    actions = (activate, deactivate)
    fieldsets = (
        (None, {"fields": ("name", "zone", "seats", "is_active")}),
        (
            _("On the plan"),
            {
                "fields": ("shape", ("x", "y"), ("width", "height"), "rotation"),
                "description": _("In centimetres from the upper left corner of the zone; rotation in degrees."),
            },
        ),
    )
