"""The catalogue as CSV and XLSX files that a manager edits in a spreadsheet.

The columns are those of the kind's wire shape. Related records are written by name, several of them as ``one | two``. A
row with an id changes that record; a row without one changes the record of the same SKU, code or name, or makes a new
one. Columns that are left out stay as they are. PINs are neither exported nor imported.
"""

import uuid
from typing import Any

from django.db.models import JSONField, QuerySet
from import_export.fields import Field
from import_export.resources import ModelResource, modelresource_factory
from import_export.widgets import DecimalWidget, IntegerWidget, Widget

from catalog.models import Attribute, DiningTable
from catalog.resources import Kind
from images.models import Image

from .cells import Id, ImageHash, Listed, ManyNamed, Named, Number, Whole
from .optiontext import options_from_text, text_of_options


class Sheet(ModelResource):
    """Rows of one kind of record. ``match`` names the column that stands in for a missing id."""

    match = "name"
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
        related = [
            field for field in queryset.model._meta.get_fields() if field.is_relation and field.name in self.fields
        ]
        joined = [of.name for of in related if of.many_to_one]
        listed = [of.name for of in related if not of.many_to_one]
        return queryset.select_related(*joined).prefetch_related(*listed)

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

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        for column in self.fields.values():
            if isinstance(column.widget, Named) and column.widget.model is type(instance):
                column.widget.names.forget()  # the next row may refer to this one


class ProductSheet(Sheet):
    match = "sku"


class AttributeSheet(Sheet):
    """``options`` is all of them in order: ``Small | Large* +1.50``; the star marks a default."""

    options = Field(column_name="options", readonly=True)

    def dehydrate_options(self, attribute: Attribute) -> str:
        return text_of_options(attribute) if attribute.pk else ""

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        if "options" in row and str(row["options"] or "") != (text_of_options(original) if original.pk else ""):
            return False
        return super().skip_row(instance, original, row, import_validation_errors)

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        if "options" in row:
            options_from_text(attribute=instance, text=str(row["options"] or ""))


class TableSheet(Sheet):
    def id_of_the_same(self, row: Any) -> uuid.UUID | None:
        zone = self.fields["zone"].clean(row)
        same = DiningTable.objects.filter(zone=zone, name__iexact=str(row.get("name") or "").strip())
        return same.values_list("pk", flat=True).first()


class EmployeeSheet(Sheet):
    match = "code"


class PriceRuleSheet(Sheet):
    weekdays = Field("weekdays", "weekdays", Listed(int))


def sheet_of(kind: Kind, base: type[Sheet]) -> type[Sheet]:
    """The sheet of ``kind``: in the order of its wire shape, the columns of ``base`` and whatever a manager may edit.

    Rows that travel inside a record have a column only if ``base`` has it.
    """
    fields = {field.name: field for field in (*kind.model._meta.fields, *kind.model._meta.many_to_many)}
    columns = [
        name for name in kind.resource.fields if name in base.fields or (name in fields and fields[name].editable)
    ]
    widgets = {name: widget_of(fields[name]) for name in columns if name not in base.fields}
    sheet: type[Sheet] = modelresource_factory(
        kind.model,
        base,
        meta_options={"fields": columns, "export_order": columns},
        custom_fields={name: Field(name, name, widget) for name, widget in widgets.items() if widget},
    )
    return sheet


def widget_of(field: Any) -> Widget | None:
    """How a cell says what ``field`` holds; None for numbers, texts and times, of which import-export knows how."""
    if field.many_to_many:
        return ManyNamed(field.related_model)
    if field.is_relation:
        return ImageHash() if field.related_model is Image else Named(field.related_model)
    return Listed() if isinstance(field, JSONField) else None
