"""Writes of one kind, one or some hundred of them by the same statements.

1. What is stored is locked and read, in the order of its ids, and every ``If-Match`` is compared under that lock.
2. Deletions are done. What is left is read again, since a deletion takes itself out of what referred to it.
   Then the other writes are checked together, and those that pass are written together.
3. The statement that writes a row answers with its object, which is read only if something was written after it.

Whether a constraint of a table holds is left to the database, which has to decide anyway when writers race. It can't
say at which field the mistake is, nor in which of several writes. So whoever gets an IntegrityError does it all again
with ``ask``: then groups that break a constraint are halved, down to the single write, which asks before it writes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from refusals import Refusal
from syncing import objects
from syncing.objects import Object, column_of
from syncing.registry import Child, Resource

from . import rows
from .children import Lists
from .drafts import Draft, Values, defaults, wanted
from .links import set_links
from .preconditions import Precondition
from .protection import InUse, pointing_at
from .references import missing
from .transactions import Contended

ANYTHING = Precondition()


class IdTaken(Refusal):
    status, code = 409, "conflict"
    detail = _("There is an object with this id already.")


class Verb(StrEnum):
    CREATE = "create"
    REPLACE = "replace"  # or create
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Operation:
    """One write. ``values`` are keyed by the names of the wire, with ids for relations."""

    verb: Verb
    id: UUID | None = None  # None only to create
    values: Values = field(default_factory=dict)
    precondition: Precondition = ANYTHING


@dataclass(frozen=True)
class Saved:
    """An object as it is now on the wire, whether it is new, and else what was changed (``Edit.changes``)."""

    object: Object
    created: bool
    changes: Sequence[Sequence[Any]] = ()


# What became of a write: None when its object is deleted; the exception that says why nothing was done.
Outcome = Saved | Refusal | ValidationError | Http404 | None
Group = dict[int, Operation]  # by their place among the writes


def write(resource: Resource, operations: Sequence[Operation], *, ask: bool) -> list[Outcome]:
    """What became of each of ``operations``, which name different objects. Needs a transaction.

    Raises IntegrityError when a constraint is broken, unless it may ``ask``. What can be done is done: who wants all or
    nothing rolls back.
    """
    return _Writes(resource, ask=ask).do(dict(enumerate(operations)))


class _Writes:
    def __init__(self, resource: Resource, *, ask: bool) -> None:
        self.resource, self.ask = resource, ask
        self.model: Any = resource.model
        self.outcomes: dict[int, Outcome] = {}
        self.stored: dict[UUID, rows.Row] = {}

    def do(self, asked: Group) -> list[Outcome]:
        self._lock(asked.values())
        bodies = self._bodies(operation for operation in asked.values() if operation.precondition != ANYTHING)
        for place, operation in asked.items():
            try:
                self._demand(operation, bodies)
            except (Refusal, Http404) as refused:
                self.outcomes[place] = refused
        left = {place: one for place, one in asked.items() if place not in self.outcomes}
        deletions = {place: one for place, one in left.items() if one.verb is Verb.DELETE}
        others = {place: one for place, one in left.items() if one.verb is not Verb.DELETE}
        self._attempt(deletions, self._delete)
        if deletions and others:
            self._lock(others.values())
        for group in self._together(others):
            self._attempt(group, self._save)
        return [self.outcomes[place] for place in asked]

    def _lock(self, asked: Iterable[Operation]) -> None:
        """Read what is there. Whether the id of a new object is taken, the database says when it is inserted."""
        ids = {one.id for one in asked if one.id is not None and (self.ask or one.verb is not Verb.CREATE)}
        # A foreign key to a row that isn't deleted needn't wait for us.
        lock = "FOR UPDATE" if any(one.verb is Verb.DELETE for one in asked) else "FOR NO KEY UPDATE"
        self.stored = {row["id"]: row for row in rows.read(self.model, ids, lock=lock)} if ids else {}

    def _bodies(self, asked: Iterable[Operation]) -> dict[str, bytes]:
        ids = [one.id for one in asked if one.id in self.stored]
        return {item.id: item.json for item in objects.read(self.resource, ids)} if ids else {}

    def _demand(self, operation: Operation, bodies: Mapping[str, bytes]) -> None:
        """Raises Http404, IdTaken or PreconditionFailed."""
        there = operation.id in self.stored
        if operation.verb is Verb.CREATE and there:
            raise IdTaken
        if operation.verb in (Verb.UPDATE, Verb.DELETE) and not there:
            raise Http404
        if operation.precondition != ANYTHING:
            operation.precondition.check(bodies.get(str(operation.id)))

    def _together(self, asked: Group) -> Iterator[Group]:
        """``asked`` in groups; a write whose check looks at other rows of the kind is one by itself."""
        group: Group = {}
        for place, operation in asked.items():
            row = self._before(operation)
            if row and any(
                operation.values.get(name) not in (None, row[column_of(self.model, name).attname])
                for name in self.model.looks_around
            ):
                yield from (group, {place: operation})
                group = {}
            else:
                group[place] = operation
        yield group

    def _attempt(self, group: Group, do: Callable[[Group], dict[int, Outcome]]) -> None:
        """Do ``group``. When it breaks a constraint its halves are done one after the other, if we may ask."""
        if not group:
            return
        if not self.ask:
            self.outcomes |= do(group)
            return
        try:
            with transaction.atomic():
                self.outcomes |= do(group)
        except IntegrityError:
            if len(group) == 1:
                self.outcomes |= dict.fromkeys(group, Contended())
                return
            places = sorted(group)
            for half in (places[: len(places) // 2], places[len(places) // 2 :]):
                self._attempt({place: group[place] for place in half}, do)

    def _delete(self, group: Group) -> dict[int, Outcome]:
        ids = {one.id for one in group.values() if one.id}
        needed = pointing_at(self.model, ids)
        if free := ids - needed.keys():
            self.model._base_manager.filter(pk__in=free).delete()
        return {place: InUse(by=needed[one.id]) if one.id in needed else None for place, one in group.items()}

    def _save(self, group: Group) -> dict[int, Outcome]:
        drafts = {place: self._draft(operation) for place, operation in group.items()}
        gone = missing(wanted(drafts.values()))
        new = {draft.id for draft in drafts.values() if not draft.before}
        lists = {
            child: Lists(child, {one.id: one.children[child] for one in drafts.values() if child in one.children}, new)
            for child in self.resource.children
        }
        ask = self.ask and len(group) == 1
        found: dict[int, Outcome] = {}
        good: dict[int, Draft] = {}
        for place, draft in drafts.items():
            try:
                draft.check(gone, ask=ask)
                for child in draft.children:
                    if errors := lists[child].check(draft.id, ask=ask):
                        raise ValidationError(errors)
            except ValidationError as error:
                found[place] = error
            else:
                good[place] = draft
                gone.get(self.model, set()).discard(draft.id)  # those after it may refer to it
        return found | self._write(good, lists)

    def _draft(self, operation: Operation) -> Draft:
        before, values = self._before(operation), operation.values
        if before and operation.verb is Verb.REPLACE:
            values = {**defaults(self.resource), **values}
        return Draft.of(self.resource, operation.id, before, values)

    def _before(self, operation: Operation) -> rows.Row:
        """What is stored, nothing when it is new."""
        return self.stored.get(operation.id, {}) if operation.id else {}

    def _write(self, drafts: dict[int, Draft], lists: Mapping[Child, Lists]) -> dict[int, Outcome]:
        """First what is stored, so that a name that is given up is free; of the new, rows before what is inside."""
        old = [draft for draft in drafts.values() if draft.before]
        touched = _set_inside(old, lists)
        changes = {
            draft.id: [*draft.changes(self.resource.fields), *([name] for name in sorted(touched.get(draft.id, ())))]
            for draft in old
        }
        written = self._change([draft for draft in old if draft.changed or draft.id in touched])
        new = {place: draft for place, draft in drafts.items() if not draft.before}
        written |= self._insert(list(new.values()))
        skipped = {place: draft for place, draft in new.items() if str(draft.id) not in written}
        gone = {draft.id for draft in skipped.values()}
        if wanted(one for place, one in drafts.items() if place not in skipped).get(self.model, set()) & gone:
            raise IntegrityError("a new row was skipped that others refer to")  # they are checked again without it
        refused: dict[int, Outcome] = {place: draft.conflict() for place, draft in skipped.items()}
        for id in _set_inside([draft for place, draft in new.items() if place not in refused], lists):
            del written[str(id)]
        saved = {place: draft for place, draft in drafts.items() if place not in refused}
        left = [draft.id for draft in saved.values() if str(draft.id) not in written]
        written |= {item.id: item for item in objects.read(self.resource, left)} if left else {}
        return refused | {
            p: Saved(written[str(one.id)], created=not one.before, changes=changes.get(one.id, ()))
            for p, one in saved.items()
        }

    def _insert(self, drafts: Sequence[Draft]) -> dict[str, Object]:
        if not drafts:
            return {}
        given = [draft.stamp() for draft in drafts]
        return self._objects(rows.insert(self.model, given, or_skip=self.ask, returning=self._returning))

    def _change(self, drafts: Sequence[Draft]) -> dict[str, Object]:
        if not drafts:
            return {}
        given = [draft.stamp() for draft in drafts]
        names = set().union(*(draft.changed for draft in drafts))
        return self._objects(rows.change(self.model, given, names, returning=self._returning))

    @property
    def _returning(self) -> str:
        return objects.statements(self.resource, connection.vendor).returning

    def _objects(self, found: Iterable[tuple[Any, ...]]) -> dict[str, Object]:
        return {key: Object(key, text.encode()) for key, text in found}


def _set_inside(drafts: Sequence[Draft], lists: Mapping[Child, Lists]) -> dict[UUID, set[str]]:
    """Write the links and the rows inside of ``drafts``; returns the records that had others, and in which fields."""
    touched: dict[UUID, set[str]] = {}
    for link in {link for draft in drafts for link in draft.links}:
        for id in set_links(link, {one.id: one.links[link] for one in drafts if link in one.links}):
            touched.setdefault(id, set()).add(link.field)
    for child, of_child in lists.items():
        for id in of_child.save(one.id for one in drafts if child in one.children):
            touched.setdefault(id, set()).add(child.field)
    return touched
