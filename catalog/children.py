"""Rows that travel inside their record, such as the options of an attribute: they are given and kept as one list."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models.functions import Cast

from syncing.objects import column_of
from syncing.registry import Child

from . import rows
from .references import missing, not_there, references_of
from .validation import Errors, check_constraints, columns, field_of, key_of

Values = Mapping[str, Any]


def set_children(record: models.Model, child: Child, given: Sequence[Values]) -> None:
    """Let ``given`` be the rows ``child`` of ``record``: known ids stay themselves, others are made, missing ones go.

    Raises ValidationError with errors by path (``options.0.name``); needs a transaction.
    """
    lists = Lists(child, {record.pk: given})
    if errors := lists.check(record.pk, ask=True):
        raise ValidationError(errors)
    lists.save([record.pk])


@dataclass
class RowsOf:
    """The rows of one record: those that are stored by id, those that are wanted, and what is wrong with each."""

    present: dict[UUID, rows.Row]
    wanted: list[models.Model] = field(default_factory=list)
    wrong: list[Errors] = field(default_factory=list)

    @property
    def changed(self) -> list[models.Model]:
        return [row for row in self.wanted if columns(row) != self.present.get(row.pk)]

    @property
    def gone(self) -> set[UUID]:
        return self.present.keys() - {row.pk for row in self.wanted}


class Lists:
    """The rows ``child`` of some records, read and checked together: statements are as many as for one record."""

    def __init__(self, child: Child, given: Mapping[UUID, Sequence[Values]], new: Set[UUID] = frozenset()) -> None:
        """``given`` are the lists by the id of their record. Needs a transaction, and those not ``new`` locked."""
        self.child, self.model = child, child.model
        self.of: dict[UUID, RowsOf] = {owner: RowsOf({}) for owner in given}
        stored = given.keys() - new
        for row in rows.read(self.model, stored, by=child.owner) if stored else []:
            self.of[row[child.owner]].present[row["id"]] = row
        for owner, some in self.of.items():
            # Without a position a row stands where the list has it.
            some.wanted = [self._row(owner, some, {"position": place, **one}) for place, one in enumerate(given[owner])]
            some.wrong = [{} for _ in some.wanted]
        self._check_ids()
        for reference in references_of(self.model):
            if reference.attname != child.owner:
                self._check_reference(reference)

    def check(self, owner: UUID, *, ask: bool) -> Errors:
        """What is wrong with the list of a record, by path. ``ask`` asks the database about conditions of the table."""
        some, errors = self.of[owner], Errors()
        for constraint in self.model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                _check_unique(constraint, some)
        for index, (row, found) in enumerate(zip(some.wanted, some.wrong, strict=True)):
            _check_fields(row, some.present.get(row.pk, {}), found, ask=ask)
            path = f"{self.child.field}.{index}"
            errors |= {path if name == NON_FIELD_ERRORS else f"{path}.{name}": of for name, of in found.items()}
        return errors

    def save(self, owners: Iterable[UUID]) -> set[UUID]:
        """Write the lists of ``owners``, which were checked; returns those whose list was another."""
        some = {owner: self.of[owner] for owner in owners}
        if gone := [id for one in some.values() for id in one.gone]:
            self.model._base_manager.filter(pk__in=gone).delete()
        self._step_aside(some.values())
        changed = [(row, row.pk in one.present) for one in some.values() for row in one.changed]
        if new := [columns(row) for row, known in changed if not known]:
            rows.insert(self.model, new)
        if old := [columns(row) for row, known in changed if known]:
            rows.change(self.model, old, old[0])
        return {owner for owner, one in some.items() if one.changed or one.gone}

    def _row(self, owner: UUID, some: RowsOf, values: Values) -> models.Model:
        """A row with ``values``; what else is on the wire is at its default, since a row is always given whole."""
        id = values.get("id") or uuid4()
        attnames = {name: column_of(self.model, name).attname for name in self.child.fields}
        kept = {name: value for name, value in some.present.get(id, {}).items() if name not in attnames.values()}
        own = {attname: values[name] for name, attname in attnames.items() if name in values}
        row = self.model(**{**kept, **own, "id": id, self.child.owner: owner})
        row._state.adding = id not in some.present
        return row

    def _check_ids(self) -> None:
        """Name the rows whose id is that of another row, here or in another record."""
        model: Any = self.model
        unknown = {row.pk for one in self.of.values() for row in one.wanted if row.pk not in one.present}
        stored = model._base_manager.filter(pk__in=unknown)
        of_another = set(stored.values_list("pk", flat=True)) if unknown else set()
        seen: dict[UUID, UUID] = {}
        for owner, one in self.of.items():
            for row, found in zip(one.wanted, one.wrong, strict=True):
                if (row.pk in of_another and row.pk not in one.present) or seen.get(row.pk, owner) != owner:
                    found["id"] = [ValidationError(model.of_another, "unique")]
                elif row.pk in seen:
                    found["id"] = [ValidationError(model.given_twice, "unique")]
                seen[row.pk] = owner

    def _check_reference(self, reference: Any) -> None:
        """Name the references to what isn't there. What a row referred to before is there, by its foreign key."""
        name, related = reference.attname, reference.related_model
        wanted = {getattr(row, name) for one in self.of.values() for row in one.wanted}
        before = {row[name] for one in self.of.values() for row in one.present.values()}
        gone = missing({related: wanted - before - {None}})[related]
        for one in self.of.values():
            for row, found in zip(one.wanted, one.wrong, strict=True):
                if getattr(row, name) in gone:
                    found[reference.name] = [not_there(related)]

    def _step_aside(self, lists: Iterable[RowsOf]) -> None:
        """Free the names that rows hand to each other: no two may be equal, not even between two statements."""
        model: Any = self.model
        for constraint in model._meta.constraints:
            name = field_of(constraint)
            if not isinstance(constraint, models.UniqueConstraint):
                continue
            if not isinstance(model._meta.get_field(name), models.CharField):
                continue
            moved = set()
            for one in lists:
                taken = {key_of(constraint, row) for row in one.changed} - {None}
                for row in (row for row in one.changed if row.pk in one.present):
                    before = key_of(constraint, rows.instance(model, one.present[row.pk]))
                    if before in taken and before != key_of(constraint, row):
                        moved.add(row.pk)
            if moved:
                model._base_manager.filter(pk__in=moved).update(**{name: Cast("pk", models.CharField())})


def _check_unique(constraint: models.UniqueConstraint, some: RowsOf) -> None:
    """Name the rows that repeat the key of another. No query: all rows of the record are at hand."""
    seen = set()
    for row, found in zip(some.wanted, some.wrong, strict=True):
        key = key_of(constraint, row)
        if key in seen:
            text = constraint.get_violation_error_message()
            found[field_of(constraint)] = [ValidationError(text, "unique")]
        if key is not None:
            seen.add(key)


def _check_fields(row: models.Model, before: rows.Row, found: Errors, *, ask: bool) -> None:
    """Adds to ``found`` what is wrong with the values of ``row``; conditions are asked only if each value is right."""
    try:
        row.clean_fields(exclude={field.name for field in references_of(type(row))})
    except ValidationError as error:
        found |= error.error_dict
    if found:
        return
    conditions = [one for one in row._meta.constraints if not isinstance(one, models.UniqueConstraint)]
    try:
        row.clean()
        if ask:
            check_constraints(row, before, conditions)
    except ValidationError as error:
        error.update_error_dict(found)
