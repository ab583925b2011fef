"""Which records are synced, and what each looks like on the wire.

The application that owns the records registers them (``catalog/resources.py``). Capture, ``log`` and the hub read this
list.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

Row = dict[str, Any]

# Raise it when values are written in another way (``_on_the_wire``): caches then forget what they keep.
WIRE_FORM = 1
AS_THEY_ARE = {type(None), str, bool, int, list}
# A datetime is a date as well: it comes first.
FORMS: dict[type, Callable[[Any], str]] = {
    UUID: str,
    Decimal: "{:.2f}".format,
    dt.datetime: lambda moment: moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
}
# An IN list this long stays below SQLite's limit of variables, with room to spare.
IDS_PER_QUERY = 10_000


class UnknownResource(Refusal):
    status, code = 404, "unknown_resource"
    detail = _("There is no resource of this name.")


@dataclass(frozen=True)
class Child:
    """Rows that travel inside their owner, such as the options of an attribute."""

    field: str
    model: type[models.Model]
    owner: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """Ids of a many-to-many field: its table, and in it the columns of the owner and of the other end."""

    field: str
    model: type[models.Model]
    owner: str
    other: str


@dataclass(frozen=True)
class Resource:
    """One kind of synced record: its name, its table and the fields of its wire shape, in order.

    ``fields`` name concrete fields and many-to-many fields of ``model``; ``children`` the rest.
    """

    name: str
    model: type[models.Model]
    fields: tuple[str, ...]
    children: tuple[Child, ...] = ()

    @cached_property
    def links(self) -> tuple[Link, ...]:
        many = {field.name: field for field in self.model._meta.many_to_many}
        return tuple(
            Link(
                field=name,
                model=many[name].remote_field.through,  # type: ignore[arg-type]  # None only before models are loaded
                owner=f"{many[name].m2m_field_name()}_id",
                other=f"{many[name].m2m_reverse_field_name()}_id",
            )
            for name in self.fields
            if name in many
        )

    @cached_property
    def concrete(self) -> tuple[str, ...]:
        """The names of the fields that are columns of the table, in wire order."""
        elsewhere = {link.field for link in self.links} | {child.field for child in self.children}
        return tuple(name for name in self.fields if name not in elsewhere)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The attribute names of ``concrete``."""
        return tuple(map(self._attname, self.concrete))

    @cached_property
    def shape(self) -> str:
        """A fingerprint of what an object looks like on the wire: names, order and types, those of children too."""
        inside = {child.field: child for child in self.children}
        kinds = []
        for name in self.fields:
            child = inside.get(name)
            members = [(child.model, inner) for inner in child.fields] if child else [(self.model, name)]
            kinds.append([name, *(f"{key}:{model._meta.get_field(key).get_internal_type()}" for model, key in members)])
        return sha256(f"{WIRE_FORM} {kinds}".encode()).hexdigest()[:16]

    def read(self, ids: Sequence[UUID] | None = None) -> list[Row]:
        """The wire shapes of the objects ``ids``, in that order, without those that are gone; by default of all, by id.

        One query for the rows and one for each kind of link or child, whatever their number.
        """
        if ids is None:
            return self._read(None)
        found: dict[str, Row] = {}
        for start in range(0, len(ids), IDS_PER_QUERY):
            found |= {row["id"]: row for row in self._read(ids[start : start + IDS_PER_QUERY])}
        return [found[key] for key in map(str, ids) if key in found]

    def _read(self, ids: Sequence[UUID] | None) -> list[Row]:
        rows = list(_values(self.model, self.columns, "id", ids))
        if not rows:
            return []
        # Column by column: most columns need no conversion, and the others one kind of conversion each.
        found = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        cells = {name: _column_on_the_wire(found[self._attname(name)]) for name in self.concrete}
        for link in self.links:
            grouped = defaultdict(list)
            for owner, other in _values(link.model, (link.owner, link.other), link.owner, ids):
                grouped[owner].append(str(other))
            cells[link.field] = [sorted(grouped.get(key, ())) for key in found["id"]]
        for child in self.children:
            inner = self._children(child, ids)
            cells[child.field] = [inner.get(key, []) for key in found["id"]]
        in_order = [cells[name] for name in self.fields]
        return [dict(zip(self.fields, row, strict=True)) for row in zip(*in_order, strict=True)]

    def _children(self, child: Child, ids: Sequence[UUID] | None) -> dict[UUID, list[Row]]:
        """The wire shapes of the rows that travel inside their owners, by owner, in order."""
        grouped = defaultdict(list)
        attnames = tuple(child.model._meta.get_field(n).attname for n in child.fields)  # type: ignore[union-attr]
        order = ("position", "id") if "position" in child.fields else ("id",)
        for owner, *inner in _values(child.model, (child.owner, *attnames), child.owner, ids, order):
            grouped[owner].append(dict(zip(child.fields, map(_on_the_wire, inner), strict=True)))
        return grouped

    def _attname(self, name: str) -> str:
        attname: str = self.model._meta.get_field(name).attname  # type: ignore[union-attr]
        return attname


def _values(
    model: type[models.Model],
    columns: tuple[str, ...],
    key: str,
    ids: Sequence[UUID] | None,
    order: tuple[str, ...] = (),
) -> Iterable[tuple[Any, ...]]:
    rows = model._base_manager.order_by(*(order or (key,)))
    if ids is not None:
        rows = rows.filter(**{f"{key}__in": ids})
    return rows.values_list(*columns)


def _column_on_the_wire(values: Sequence[Any]) -> Iterable[Any]:
    """``_on_the_wire`` for the values of one column. As a rule they have one type or are None: it is found once."""
    kinds = set(map(type, values))
    if kinds <= AS_THEY_ARE:
        return values
    if len(kinds := kinds - {type(None)}) == 1 and (convert := FORMS.get(*kinds)) is not None:
        return [None if value is None else convert(value) for value in values]
    return map(_on_the_wire, values)


def _on_the_wire(value: Any) -> Any:
    """A column's value as JSON: ids and money as strings, times in UTC with a ``Z``."""
    if value is None or isinstance(value, str | bool | int | list):
        return value
    for kind, convert in FORMS.items():
        if isinstance(value, kind):
            return convert(value)
    raise TypeError(f"{type(value).__name__} has no wire form")


_resources: dict[str, Resource] = {}


def register(resource: Resource) -> None:
    """Add ``resource`` to the list; its name is its identity in every version, cursor and URL."""
    if resource.name in _resources:
        raise ValueError(f"{resource.name} is registered already")
    _resources[resource.name] = resource


def resource(name: str) -> Resource:
    """The resource of that name. Raises UnknownResource."""
    if name not in _resources:
        raise UnknownResource
    return _resources[name]


def resources() -> list[Resource]:
    """All resources, by name: the order in which their counters are taken."""
    return [_resources[name] for name in sorted(_resources)]


def names() -> list[str]:
    return sorted(_resources)
