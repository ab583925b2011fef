"""Keyset pagination: a cursor is a place in the order, so nothing is skipped or repeated while others write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from syncing import objects
from syncing.registry import Resource

from .filters import invalid

SALT = "catalog.pages"  # part of every cursor that a client keeps


@dataclass(frozen=True)
class Page:
    """The objects of a page as JSON, and the cursors of its neighbours (None at an end)."""

    items: list[bytes]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class Cursor:
    """The objects after (``backwards``: before) the one whose fields of ``order`` have ``values``, as on the wire."""

    order: tuple[str, ...]
    values: tuple[Any, ...]
    backwards: bool

    def __str__(self) -> str:
        return signing.dumps([list(self.order), list(self.values), self.backwards], salt=SALT)


def page(
    resource: Resource, queryset: QuerySet[Any], *, order: tuple[str, ...], limit: int, cursor: str | None
) -> Page:
    """At most ``limit`` objects of ``queryset`` in ``order`` (total, of wire fields without nulls). One statement.

    Raises InvalidParameter for a cursor that wasn't made here, or for another order.
    """
    place = _read(queryset, cursor, order) if cursor else None
    backwards = place is not None and place.backwards
    walk = tuple(_opposite(name) for name in order) if backwards else order
    if place is not None:
        queryset = queryset.filter(_beyond(walk, place.values))
    items = objects.listed(resource, queryset.order_by(*walk)[: limit + 1])
    more, items = len(items) > limit, items[:limit]
    if backwards:
        items.reverse()

    def beside(item: bytes, *, backwards: bool) -> str:
        wire = orjson.loads(item)
        return str(Cursor(order, tuple(wire[name.removeprefix("-")] for name in order), backwards))

    after = beside(items[-1], backwards=False) if items and (backwards or more) else None
    is_first = not (more if backwards else place is not None)
    return Page(items, after, beside(items[0], backwards=True) if items and not is_first else None)


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


def _read(queryset: QuerySet[Any], text: str, order: tuple[str, ...]) -> Cursor:
    try:
        named, values, backwards = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        named = None
    if named is None or tuple(named) != order:
        raise invalid("cursor", _("Not a cursor of this list and order; begin without one."))
    fields = (queryset.model._meta.get_field(name.removeprefix("-")) for name in order)
    return Cursor(order, tuple(field.to_python(value) for field, value in zip(fields, values, strict=True)), backwards)
