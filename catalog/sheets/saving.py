"""All records of a sheet are saved, or none, in one short transaction: everything was read and checked before.

Only columns that the sheet changes are written, so what somebody else did meanwhile to the others stays. Whether
records and names are still free, the database says: then the sheet is checked anew.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from catalog import edits, rows
from catalog.children import Lists
from catalog.drafts import Draft
from catalog.edits import Author
from catalog.references import missing, references_of
from catalog.rows import Statement
from catalog.transactions import run_in_transaction
from images.models import Image as Picture
from syncing.merging import one_version_each
from syncing.registry import Child, Link, Resource

from .columns import Stored

AT_ONCE = 1000  # rows of a statement


class Writes:
    """The statements that save the records of a sheet, made while it is checked: making them takes longest."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.model: Any = resource.model
        self.aside: list[Statement] = []
        self.changes: list[tuple[Statement, int]] = []  # and how many rows it has to find
        self.rest: list[Statement] = []
        self.surplus: dict[Link, list[Any]] = {}  # ids of rows that link two records
        self.children: dict[Child, dict[UUID, Sequence[Mapping[str, Any]]]] = {}
        self.pictures: set[str] = set()
        self.done: list[tuple[UUID, list[list[Any]]]] = []  # of each record, for its history
        self._new: list[rows.Row] = []
        self._old: dict[frozenset[str], list[rows.Row]] = {}
        self._lacking: dict[Link, list[rows.Row]] = {}

    def add(self, draft: Draft, stored: Stored | None) -> None:
        """``stored`` is the record as it was read, None when it is new."""
        for field in references_of(self.model):
            if field.related_model is Picture and field.attname in draft.changed:
                self.pictures |= {getattr(draft.record, field.attname)} - {None}
        inside = {link.field for link in draft.links} | {child.field for child in draft.children}
        lists = [[name] for name in sorted(inside)] if stored else []
        self.done.append((draft.id, [*draft.changes(self.resource.fields), *lists]))
        if stored is None:
            self._new.append(draft.stamp())
        else:
            row = draft.stamp()
            names = frozenset(draft.changed)
            self._old.setdefault(names, []).append({"id": draft.id, **{name: row[name] for name in names}})
        for link, others in draft.links.items():
            there = stored[link.field] if stored else {}
            new = ({link.owner: draft.id, link.other: other} for other in sorted(others - there.keys()))
            self._lacking.setdefault(link, []).extend(new)
            self.surplus.setdefault(link, []).extend(there[other] for other in there.keys() - others)
        for child, given in draft.children.items():
            self.children.setdefault(child, {})[draft.id] = given

    def step_aside(self, name: str, ids: Sequence[UUID]) -> None:
        """Let these records have texts of their own in a column that others take over, before all the rest."""
        length = self.model._meta.get_field(name).max_length
        self.aside.append(rows.alteration(self.model, [{"id": id, name: id.hex[:length]} for id in ids], {name}))

    def prepare(self, *, all: bool = False) -> None:
        """Make statements of what was added; what fills none waits for more, unless that is ``all``."""
        least = 1 if all else AT_ONCE
        for names, given in self._old.items():
            while len(given) >= least:
                part, given[:AT_ONCE] = given[:AT_ONCE], []
                statement = rows.alteration(self.model, part, names, returning=" RETURNING 1")
                self.changes.append((statement, len(part)))
        while len(self._new) >= least:
            self.rest.append(rows.insertion(self.model, self._new[:AT_ONCE]))
            del self._new[:AT_ONCE]
        for link, lacking in self._lacking.items():
            while len(lacking) >= least and (all or not self._new):  # after their records
                self.rest.append(rows.insertion(link.model, lacking[:AT_ONCE], or_skip=True))
                del lacking[:AT_ONCE]

    def save(self, author: Author) -> None:
        """Raises Contended when somebody else was in the way twice."""
        self.prepare(all=True)
        run_in_transaction(partial(self._save, author))

    def _save(self, author: Author) -> None:
        with one_version_each():
            if self.pictures and missing({Picture: set(self.pictures)})[Picture]:
                raise IntegrityError("a picture of the sheet is gone")
            for statement in self.aside:
                statement.run()
            for statement, count in self.changes:
                if len(statement.run()) != count:
                    raise IntegrityError("a record of the sheet is gone")
            for link, surplus in self.surplus.items():
                for start in range(0, len(surplus), AT_ONCE):
                    link.model._base_manager.filter(pk__in=surplus[start : start + AT_ONCE]).delete()
            for statement in self.rest:
                statement.run()
            for child, given in self.children.items():
                Lists(child, given).save(given)
            edits.write(author, self.resource.name, self.done)
