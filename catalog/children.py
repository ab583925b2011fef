"""Rows that travel inside their record, such as the options of an attribute: they are given and kept as one list."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from syncing.registry import Child

from .models.base import Record
from .references import missing, not_there, references_of
from .validation import Errors, check_constraints, columns, field_of, key_of

Values = Mapping[str, Any]
Rows = Sequence[models.Model]
Present = Mapping[UUID, models.Model]


def set_children(record: Record, child: Child, given: Sequence[Values]) -> bool:
    """Let ``given`` be the rows ``child`` of ``record``: known ids stay themselves, others are made, missing ones go.

    Returns whether anything changed. Raises ValidationError with errors by path (``options.0.name``); needs a
    transaction.
    """
    model: Any = child.model
    present = {row.pk: row for row in model._base_manager.filter(**{child.owner: record.pk})}
    # Without a position a row stands where the list has it.
    wanted = [_row(record, child, present, {"position": place, **values}) for place, values in enumerate(given)]
    _check(record, child, wanted, present)
    changed = [row for row in wanted if row.pk not in present or columns(row) != columns(present[row.pk])]
    gone = present.keys() - {row.pk for row in wanted}
    if gone:
        model._base_manager.filter(pk__in=gone).delete()
    _step_aside(model, changed, present)
    for row in changed:
        row.save()
    return bool(gone or changed)


def _row(record: Record, child: Child, present: Present, values: Values) -> models.Model:
    """A row with ``values``; what else is on the wire is at its default, since a row is always given whole."""
    id = values.get("id") or uuid4()
    attnames = {child.model._meta.get_field(name).attname: name for name in child.fields}  # type: ignore[union-attr]
    before = columns(present[id]) if id in present else {}
    kept = {attname: value for attname, value in before.items() if attname not in attnames}
    own = {attname: values[name] for attname, name in attnames.items() if name in values}
    row = child.model(**{**kept, **own, "id": id, child.owner: record.pk})
    row._state.adding = id not in present
    return row


def _check(record: Record, child: Child, wanted: Rows, present: Present) -> None:
    """Raises ValidationError unless ``wanted`` may be the rows of ``record``."""
    model: Any = child.model
    wrong: list[Errors] = [{} for _ in wanted]
    _check_ids(record, child, wanted, wrong)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            _check_unique(constraint, wanted, wrong)
    for field in references_of(model):
        if field.attname != child.owner:
            _check_reference(field, wanted, present, wrong)
    for row, found in zip(wanted, wrong, strict=True):
        _check_fields(row, present, found)
    errors: Errors = {}
    for index, found in enumerate(wrong):
        path = f"{child.field}.{index}"
        errors |= {path if name == NON_FIELD_ERRORS else f"{path}.{name}": of for name, of in found.items()}
    if errors:
        raise ValidationError(errors)


def _check_ids(record: Record, child: Child, wanted: Rows, wrong: Sequence[Errors]) -> None:
    """Name the rows whose id is that of another row, here or in another record."""
    model: Any = child.model
    there = model._base_manager.filter(pk__in=[row.pk for row in wanted])
    of_another = set(there.exclude(**{child.owner: record.pk}).values_list("pk", flat=True))
    seen: set[UUID] = set()
    for row, found in zip(wanted, wrong, strict=True):
        if row.pk in of_another:
            found["id"] = [ValidationError(model.of_another, "unique")]
        elif row.pk in seen:
            found["id"] = [ValidationError(model.given_twice, "unique")]
        seen.add(row.pk)


def _check_unique(constraint: models.UniqueConstraint, wanted: Rows, wrong: Sequence[Errors]) -> None:
    """Name the rows that repeat the key of another. No query: all rows of the record are at hand."""
    seen = set()
    for row, found in zip(wanted, wrong, strict=True):
        key = key_of(constraint, row)
        if key in seen:
            text = constraint.get_violation_error_message()
            found[field_of(constraint)] = [ValidationError(text, "unique")]
        if key is not None:
            seen.add(key)


def _check_reference(field: Any, wanted: Rows, present: Present, wrong: Sequence[Errors]) -> None:
    """Name the references to what isn't there. What a row referred to before is there, by its foreign key."""
    before = {getattr(row, field.attname) for row in present.values()}
    gone = missing(field.related_model, {getattr(row, field.attname) for row in wanted} - before - {None})
    for row, found in zip(wanted, wrong, strict=True):
        if getattr(row, field.attname) in gone:
            found[field.name] = [not_there(field.related_model)]


def _check_fields(row: models.Model, present: Present, found: Errors) -> None:
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
        check_constraints(row, columns(present[row.pk]) if row.pk in present else {}, conditions)
    except ValidationError as error:
        error.update_error_dict(found)


def _step_aside(model: Any, changed: Rows, present: Present) -> None:
    """Free the names that rows hand to each other: no two may be equal, not even between two statements."""
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint):
            continue
        name = field_of(constraint)
        if not isinstance(model._meta.get_field(name), models.CharField):
            continue
        taken = {key_of(constraint, row) for row in changed} - {None}
        for row in changed:
            before = key_of(constraint, present[row.pk]) if row.pk in present else None
            if before in taken and before != key_of(constraint, row):
                model._base_manager.filter(pk=row.pk).update(**{name: str(row.pk)})
