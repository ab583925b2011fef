"""What the verbs ask of the database before they write; each mistake stands at the field that one would correct."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import F
from django.db.models.constraints import BaseConstraint
from django.db.models.functions import Lower

Errors = dict[str, list[ValidationError]]


def check_constraints(record: models.Model, before: Mapping[str, Any]) -> None:
    """Raises ValidationError when ``record`` would break a constraint of its table.

    ``before`` are its columns as they are stored, by attribute name; empty when it is new. What they fulfil, which
    the database sees to, isn't asked again: each question is a query.
    """
    errors: Errors = {}
    for constraint in record._meta.constraints:
        if before and all(before[name] == getattr(record, name) for name in columns_of(constraint, record)):
            continue
        try:
            constraint.validate(type(record), record)
        except ValidationError as error:
            code = "unique" if isinstance(constraint, models.UniqueConstraint) else "constraint"
            errors.setdefault(field_of(constraint), []).append(ValidationError(error.message, code))
    if errors:
        raise ValidationError(errors)


def columns_of(constraint: BaseConstraint, record: models.Model) -> set[str]:
    """The attribute names of all columns that ``constraint`` speaks of."""
    said: list[Any] = [*getattr(constraint, "expressions", ()), getattr(constraint, "condition", None)]
    names = {path[0] for one in said if one for path in record._get_expr_references(one)}  # type: ignore[attr-defined]
    names |= set(getattr(constraint, "fields", ()))
    return {record._meta.get_field(name).attname for name in names}  # type: ignore[union-attr]


def field_of(constraint: BaseConstraint) -> str:
    """The field that ``constraint`` is about: the name that is taken, or the only column of a condition."""
    if isinstance(constraint, models.UniqueConstraint):
        expressions: list[Any] = list(constraint.expressions)
        lowered = [one.source_expressions[0].name for one in expressions if isinstance(one, Lower)]  # type: ignore[attr-defined]
        return str([*lowered, *(one.name for one in expressions if isinstance(one, F))][0])  # type: ignore[attr-defined]
    fields = constraint.condition.referenced_base_fields - {"id"}  # type: ignore[attr-defined]
    return next(iter(fields)) if len(fields) == 1 else NON_FIELD_ERRORS


def unknown(model: Any, ids: Iterable[UUID]) -> set[UUID]:
    """Those of ``ids`` that no row of ``model`` has."""
    wanted = set(ids)
    return wanted - set(model._base_manager.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
