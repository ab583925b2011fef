"""The catalogue as CSV and XLSX files that a manager edits in a spreadsheet.

Related records are written by name, several of them as ``one | two``. A row with an id changes that record; a
row without one changes the record of the same SKU, code or name, or makes a new one. Columns that are left
out stay as they are. PINs are neither exported nor imported.
"""

import uuid
from typing import Any

from django.db.models import Model, QuerySet
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import DecimalWidget, IntegerWidget

from catalog import models

from .cells import Id, Listed, ManyNamed, Named, Number, Pictured, Whole
from .optiontext import options_from_text, text_of_options


class Sheet(ModelResource):
    """Rows of one kind of record. ``match`` names the column that stands in for a missing id."""

    match = "name"
    joins: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    WIDGETS_MAP = {
        kind: {DecimalWidget: Number, IntegerWidget: Whole}.get(widget, widget)
        for kind, widget in ModelResource.WIDGETS_MAP.items()
    }
    id = Field("id", "id", Id())

    class Meta:
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True

    def filter_export(self, queryset: QuerySet, **kwargs: Any) -> QuerySet:
        return queryset.select_related(*self.joins).prefetch_related(*self.lists)

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        if not row.get("id"):
            row["id"] = str(self.id_of_the_same(row) or uuid.uuid4())

    def id_of_the_same(self, row: Any) -> uuid.UUID | None:
        value = str(row.get(self.match) or "").strip()
        if not value:
            return None
        same = self._meta.model._default_manager.filter(**{f"{self.match}__iexact": value})
        found = list(same.order_by("pk").values_list("pk", flat=True)[:2])
        return found[0] if len(found) == 1 else None


class ProductSheet(Sheet):
    match = "sku"
    joins = ("category", "image")
    lists = ("tags", "attributes", "print_destinations")
    category = Field("category", "category", Named(models.Category))
    tags = Field("tags", "tags", ManyNamed(models.Tag))
    attributes = Field("attributes", "attributes", ManyNamed(models.Attribute))
    print_destinations = Field("print_destinations", "print_destinations", ManyNamed(models.PrintDestination))
    image = Field("image", "image", Pictured())

    class Meta:
        model = models.Product
        fields = (
            *("id", "name", "short_name", "kitchen_name", "sku", "barcode", "description", "category"),
            *("price", "price_type", "unit", "tax_rate", "color", "tags", "attributes", "print_destinations"),
            *("image", "position", "is_active", "is_sold_out"),
        )
        export_order = fields


class CategorySheet(Sheet):
    joins = ("parent",)
    lists = ("print_destinations",)
    parent = Field("parent", "parent", Named(models.Category))
    print_destinations = Field("print_destinations", "print_destinations", ManyNamed(models.PrintDestination))

    class Meta:
        model = models.Category
        fields = ("id", "name", "color", "position", "parent", "is_active", "print_destinations")
        export_order = fields

    def after_save_instance(self, instance: Model, row: Any, **kwargs: Any) -> None:
        self.fields["parent"].widget.names.known = None  # the next row may lie in this one


class TagSheet(Sheet):
    class Meta:
        model = models.Tag
        fields = ("id", "name", "color", "kind")
        export_order = fields


class AttributeSheet(Sheet):
    """``options`` is all of them in order: ``Small | Large* +1.50``; the star marks a default."""

    lists = ("options",)
    options = Field(column_name="options", readonly=True)

    class Meta:
        model = models.Attribute
        fields = ("id", "name", "choice", "min", "max", "free", "is_required", "position", "options")
        export_order = fields

    def dehydrate_options(self, attribute: models.Attribute) -> str:
        return text_of_options(attribute) if attribute.pk else ""

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        if "options" in row and str(row["options"] or "") != (text_of_options(original) if original.pk else ""):
            return False
        return super().skip_row(instance, original, row, import_validation_errors)

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        if "options" in row:
            options_from_text(attribute=instance, text=str(row["options"] or ""))


class ZoneSheet(Sheet):
    class Meta:
        model = models.Zone
        fields = ("id", "name", "position")
        export_order = fields


class TableSheet(Sheet):
    joins = ("zone",)
    zone = Field("zone", "zone", Named(models.Zone))

    class Meta:
        model = models.DiningTable
        fields = (
            "id",
            "zone",
            "name",
            "seats",
            "shape",
            "x",
            "y",
            "width",
            "height",
            "rotation",
            "is_active",
        )
        export_order = fields

    def id_of_the_same(self, row: Any) -> uuid.UUID | None:
        zone = self.fields["zone"].clean(row)
        same = models.DiningTable.objects.filter(zone=zone, name__iexact=str(row.get("name") or "").strip())
        return same.values_list("pk", flat=True).first()


class RoleSheet(Sheet):
    permission_codes = Field("permission_codes", "permission_codes", Listed())

    class Meta:
        model = models.Role
        fields = ("id", "name", "discount_limit", "permission_codes")
        export_order = fields


class EmployeeSheet(Sheet):
    match = "code"
    joins = ("role",)
    role = Field("role", "role", Named(models.Role))

    class Meta:
        model = models.Employee
        fields = ("id", "code", "name", "role", "is_active")
        export_order = fields


class PriceRuleSheet(Sheet):
    joins = ("category", "tag", "product", "zone")
    category = Field("category", "category", Named(models.Category))
    tag = Field("tag", "tag", Named(models.Tag))
    product = Field("product", "product", Named(models.Product))
    zone = Field("zone", "zone", Named(models.Zone))
    weekdays = Field("weekdays", "weekdays", Listed(int))

    class Meta:
        model = models.PriceRule
        fields = (
            *("id", "name", "adjustment", "value", "scope", "category", "tag", "product", "zone", "weekdays"),
            *("time_from", "time_to", "valid_from", "valid_to", "priority", "is_stackable", "is_active"),
        )
        export_order = fields


class PrintDestinationSheet(Sheet):
    joins = ("fallback",)
    fallback = Field("fallback", "fallback", Named(models.PrintDestination))

    class Meta:
        model = models.PrintDestination
        fields = ("id", "name", "kind", "address", "copies", "fallback", "is_active")
        export_order = fields

    def after_save_instance(self, instance: Model, row: Any, **kwargs: Any) -> None:
        self.fields["fallback"].widget.names.known = None  # the next row may fall back on this one
