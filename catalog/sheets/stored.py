"""What the database has, read for many rows of a sheet at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from catalog import rows
from catalog.resources import Kind

from .cells import Wrong, trimmed
from .columns import Stored
from .words import did_you_mean

AT_ONCE = 1000  # records


class Known:
    """Related records by name. One whose name isn't its own is written and found by its id."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.texts: dict[Any, str] = {}
        self.exact: dict[str, set[Any]] = {}
        self.folded: dict[str, set[Any]] = {}
        for record in model._default_manager.order_by().iterator(AT_ONCE):
            self.add(record.pk, str(record))

    def add(self, key: Any, text: str) -> None:
        self.texts.setdefault(key, text)
        self.exact.setdefault(text, set()).add(key)
        self.folded.setdefault(folded(text), set()).add(key)

    def text_of(self, key: Any) -> str:
        text = self.texts.get(key, "")
        own = text == trimmed(text) and len(self.folded.get(folded(text), ())) == 1
        return text if text and own else str(key)

    def find(self, text: str) -> Any:
        name = trimmed(text)
        found = self.exact.get(name) or self.folded.get(folded(name)) or set()
        if len(found) == 1:
            return next(iter(found))
        if not found:
            try:
                if (key := UUID(name)) in self.texts:
                    return key
            except ValueError:
                pass
        kind = self.model._meta.verbose_name
        reason = (
            _("More than one %(kind)s is called “%(name)s”; write its id.")
            if found
            else _("There is no %(kind)s “%(name)s”.")
        )
        raise Wrong(reason % {"kind": kind, "name": name} + ("" if found else did_you_mean(name, self.exact)))


def folded(text: str) -> str:
    return trimmed(text).casefold()


class Library:
    """Names of each kind, read when they are first asked for."""

    def __init__(self) -> None:
        self.known: dict[Any, Known] = {}

    def __call__(self, model: Any) -> Known:
        if model not in self.known:
            self.known[model] = Known(model)
        return self.known[model]


def records(kind: Kind, ids: Iterable[UUID]) -> Iterator[tuple[rows.Row, Stored]]:
    """The stored records ``ids`` in that order: their columns alone, and with what is linked and inside.

    Links are the ids of their rows by those of the other end.
    """
    resource = kind.resource
    left = iter(ids)
    while some := list(islice(left, AT_ONCE)):
        found = {row["id"]: row for row in rows.read(kind.model, some)}
        inside: dict[UUID, dict[str, Any]] = {
            id: {link.field: {} for link in resource.links} | {child.field: [] for child in resource.children}
            for id in found
        }
        for link in resource.links:
            for row in rows.read(link.model, some, by=link.owner):
                inside[row[link.owner]][link.field][row[link.other]] = row["id"]
        for child in resource.children:
            of_all = rows.read(child.model, some, by=child.owner)
            for row in sorted(of_all, key=lambda row: in_order(child.model, row)):
                inside[row[child.owner]][child.field].append(row)
        yield from ((found[id], {**found[id], **inside[id]}) for id in some if id in found)


def in_order(model: Any, row: rows.Row) -> Any:
    return [row[name] for name in model._meta.ordering]
