"""Option groups ("Size", "Sauces") with their options."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from catalog.models import Attribute, AttributeOption, Product

from .base import CatalogueAdmin, Rows, how_many


class OptionRows(Rows):
    model = AttributeOption
    fields = ("name", "price_change", "is_default", "is_sold_out", "position")
    ordering = ("position", "name")


@admin.register(Attribute)
class AttributeAdmin(CatalogueAdmin):
    list_display = ("name", "choice", "is_required", "option_names", "product_count", "position")
    list_editable = ("position",)
    list_filter = (("choice", ChoicesDropdownFilter), ("is_required", BooleanRadioFilter))
    search_fields = ("name", "options__name")
    inlines = (OptionRows,)
    conditional_fields = {"min": "choice == 'many'", "max": "choice == 'many'", "free": "choice == 'many'"}
    fieldsets = (
        (None, {"fields": ("name", ("choice", "is_required"))}),
        (_("How many may be chosen"), {"fields": (("min", "max"), "free")}),
        (_("On the till"), {"fields": ("position",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attribute]:
        rows = (
            super().get_queryset(request).annotate(products_with_it=how_many(Product.attributes.through, "attribute"))
        )
        return rows.prefetch_related("options")

    @display(description=_("options"))
    def option_names(self, attribute: Attribute) -> str:
        names = [option.name for option in attribute.options.all()]
        return ", ".join(names[:6]) + (" …" if len(names) > 6 else "")

    @display(description=_("products"), ordering="products_with_it")
    def product_count(self, attribute: Attribute) -> Any:
        return attribute.products_with_it  # type: ignore[attr-defined]
