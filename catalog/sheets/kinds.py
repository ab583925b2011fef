"""The columns of each kind's sheet, and what tells which record a row without an id is about."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import models

from catalog.models.base import ColorField
from catalog.resources import Kind
from catalog.serializers.shape import RANGES
from images.models import Image as Picture

from . import columns as of
from .columns import Column, Reading, Stored
from .options import options_of, text_of


class Options(Column):
    """All options of an attribute, in order."""

    of_people = True

    @property
    def key(self) -> str:
        return self.name

    @property
    def title(self) -> Any:
        return self.of.related_model._meta.verbose_name_plural

    def written(self, stored: Stored, reading: Reading) -> str:
        return text_of(stored[self.key])

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> list[dict[str, Any]]:
        return options_of(cell, stored[self.key] if stored else [])

    def emptied(self, stored: Stored | None) -> Any:
        return []


@dataclass(frozen=True)
class Special:
    """``match`` are the columns that stand in for a missing id, the first that a row has counts."""

    match: tuple[tuple[str, ...], ...] = (("name",),)
    columns: dict[str, type[Column]] = field(default_factory=dict)


SPECIAL = {
    "product": Special(match=(("sku",), ("name", "category"))),
    "category": Special(match=(("name", "parent"),)),
    "attribute": Special(columns={"options": Options}),
    "dining_table": Special(match=(("name", "zone"),)),
    "employee": Special(match=(("code",),)),
    "price_rule": Special(columns={"weekdays": of.Weekdays, "value": of.Change}),
}
COLUMNS: tuple[tuple[type[models.Field], type[Column]], ...] = (
    (ColorField, of.Color),
    (models.BooleanField, of.YesNo),
    (models.DecimalField, of.Amount),
    (models.DateField, of.Date),
    (models.TimeField, of.Time),
    (models.JSONField, of.Listed),
    (models.ManyToManyField, of.Links),
    (models.ForeignKey, of.Related),
    *((kind, of.Whole) for kind in RANGES),
)


def special(kind: Kind) -> Special:
    return SPECIAL.get(kind.name, Special())


@cache
def columns_of(kind: Kind) -> tuple[Column, ...]:
    """In the order of the wire shape, the id and whatever a manager may edit.

    Rows that travel inside a record have a column only if one was made for them.
    """
    fields = {field.name: field for field in (*kind.model._meta.fields, *kind.model._meta.many_to_many)}
    found: list[Column] = []
    for name in kind.resource.fields:
        if name in special(kind).columns:
            found.append(special(kind).columns[name](name, kind.model._meta.get_field(name)))
        elif name == "id":
            found.append(of.Id(name, fields[name]))
        elif name in fields and fields[name].editable:
            found.append(_column(fields[name])(name, fields[name]))
    return tuple(found)


def _column(field: Any) -> type[Column]:
    if field.choices:
        return of.Choice
    if field.related_model is Picture:
        return of.Image
    return next((column for kind, column in COLUMNS if isinstance(field, kind)), of.Text)
