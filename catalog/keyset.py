"""Keyset pagination: a cursor is a place in the order, so nothing is skipped or repeated while others write."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from .filters import invalid

SALT = "catalog.pages"  # part of every cursor that a client keeps


@dataclass(frozen=True)
class Page:
    """The ids of a page, and the cursors of its neighbours (None at an end)."""

    ids: list[UUID]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class Cursor:
    """The objects after (or ``backwards``: before) the one that has ``values`` in the fields of ``order``."""

    order: tuple[str, ...]
    values: tuple[Any, ...]
    backwards: bool

    def __str__(self) -> str:
        return signing.dumps([list(self.order), [_plain(value) for value in self.values], self.backwards], salt=SALT)


def page(queryset: QuerySet[Any], *, order: tuple[str, ...], limit: int, cursor: str | None) -> Page:
    """At most ``limit`` objects of ``queryset`` in ``order`` (total, of fields without nulls). One query.

    Raises InvalidParameter for a cursor that wasn't made here, or for another order.
    """
    place = _read(queryset, cursor, order) if cursor else None
    backwards = place is not None and place.backwards
    walk = tuple(_opposite(name) for name in order) if backwards else order
    if place is not None:
        queryset = queryset.filter(_beyond(walk, place.values))
    rows = list(queryset.order_by(*walk).values_list(*(name.removeprefix("-") for name in order), "id")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    after = str(Cursor(order, rows[-1][:-1], backwards=False)) if rows and (backwards or more) else None
    before = (
        str(Cursor(order, rows[0][:-1], backwards=True))
        if rows and (more if backwards else place is not None)
        else None
    )
    return Page([row[-1] for row in rows], after, before)


def _beyond(walk: Sequence[str], values: Sequence[Any]) -> Q:
    """What comes after ``values``: greater in the first field, or equal there and greater in the second, …"""
    condition = Q()
    equal = Q()
    for name, value in zip(walk, values, strict=True):
        field = name.removeprefix("-")
        condition |= equal & Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{field: value})
    return condition


def _opposite(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _read(queryset: QuerySet[Any], text: str, order: tuple[str, ...]) -> Cursor:
    try:
        named, values, backwards = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        named = None
    if named is None or tuple(named) != order:
        raise invalid("cursor", _("Not a cursor of this list and order; begin without one."))
    fields = (queryset.model._meta.get_field(name.removeprefix("-")) for name in order)
    return Cursor(order, tuple(field.to_python(value) for field, value in zip(fields, values, strict=True)), backwards)
