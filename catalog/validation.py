"""What is asked of the database before it is written to; each mistake stands at the field that one would correct."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.constraints import BaseConstraint
from django.db.models.functions import Lower

from .conditions import Unknown, holds

Errors = dict[str, list[ValidationError]]


def check_constraints(
    record: models.Model, before: Mapping[str, Any], constraints: Iterable[BaseConstraint] | None = None
) -> None:
    """Raises ValidationError when ``record`` would break a constraint of its table, or one of ``constraints``.

    ``before`` are its columns as they are stored, by attribute name; empty when it is new. A constraint whose columns
    are as stored isn't asked: each question is a query. So is no condition that can be told from the values.
    """
    errors: Errors = {}
    for constraint in record._meta.constraints if constraints is None else constraints:
        if before and all(before[name] == getattr(record, name) for name in columns_of(constraint, record)):
            continue
        try:
            _validate(constraint, record)
        except ValidationError as error:
            code = "unique" if isinstance(constraint, models.UniqueConstraint) else "constraint"
            errors.setdefault(field_of(constraint), []).append(ValidationError(error.message, code))
    if errors:
        raise ValidationError(errors)


def _validate(constraint: Any, record: models.Model) -> None:
    """As the constraint's own method, which asks the database about its condition, too. Raises ValidationError."""
    condition = constraint.condition
    try:
        is_met = condition is None or holds(condition, record, columns(record))
    except Unknown:
        constraint.validate(type(record), record)
        return
    if not isinstance(constraint, models.CheckConstraint):
        if is_met:  # else it doesn't speak of such a record
            constraint.validate(type(record), record)
    elif is_met is False:  # as in SQL, a condition that can't be told of a null is met
        raise ValidationError(constraint.get_violation_error_message())


def columns(record: models.Model) -> dict[str, Any]:
    """The columns of ``record``, by attribute name."""
    return {field.attname: getattr(record, field.attname) for field in record._meta.concrete_fields}


def columns_of(constraint: BaseConstraint, record: models.Model) -> set[str]:
    """The attribute names of all columns that ``constraint`` speaks of."""
    said: list[Any] = [*getattr(constraint, "expressions", ()), getattr(constraint, "condition", None)]
    names = Q(*filter(None, said)).referenced_base_fields | set(getattr(constraint, "fields", ()))
    return {record._meta.get_field(name).attname for name in names}  # type: ignore[union-attr]


def field_of(constraint: BaseConstraint) -> str:
    """The field that ``constraint`` is about: the name that is taken, or the only column of a condition."""
    if isinstance(constraint, models.UniqueConstraint):
        expressions: list[Any] = list(constraint.expressions)
        lowered = [one.source_expressions[0].name for one in expressions if isinstance(one, Lower)]  # type: ignore[attr-defined]
        return str([*lowered, *(one.name for one in expressions if isinstance(one, F)), *constraint.fields[::-1]][0])  # type: ignore[attr-defined]
    fields = constraint.condition.referenced_base_fields - {"id"}  # type: ignore[attr-defined]
    return next(iter(fields)) if len(fields) == 1 else NON_FIELD_ERRORS


def key_of(constraint: models.UniqueConstraint, row: models.Model) -> tuple[Any, ...] | None:
    """What no two rows may have, as ``row`` has it; None when it lacks a value, or when only the database can tell."""
    key = []
    said: list[Any] = [*constraint.expressions, *map(F, constraint.fields)]
    for one in said:
        lowered = isinstance(one, Lower)
        (column,) = one.source_expressions if lowered else [one]
        if constraint.condition is not None or not isinstance(column, F):
            return None
        value = getattr(row, row._meta.get_field(column.name).attname)  # type: ignore[attr-defined, union-attr]
        key.append(value.lower() if lowered and value is not None else value)
    return None if None in key else tuple(key)
