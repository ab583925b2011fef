"""Whether a condition of a table holds for values that aren't stored: what the database would say, not asked."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from django.db.models import F, Q

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


class Unknown(LookupError):
    """The condition says something that only the database understands."""


def holds(condition: Q, model: Any, values: Mapping[str, Any]) -> bool | None:
    """``values`` are columns by attribute name. As in SQL, None is neither true nor false. Raises Unknown."""
    found = [_part(part, model, values) for part in condition.children]
    decisive = condition.connector == Q.OR
    if condition.connector == Q.XOR:
        raise Unknown(condition.connector)
    said = decisive if decisive in found else None if None in found else not decisive
    return not said if condition.negated and said is not None else said


def _part(part: Any, model: Any, values: Mapping[str, Any]) -> bool | None:
    if isinstance(part, Q):
        return holds(part, model, values)
    if not isinstance(part, tuple):
        raise Unknown(part)
    path, wanted = part
    name, _, lookup = path.partition("__")
    field: models.Field = model._meta.get_field(name)
    value = values[field.attname]
    if lookup == "isnull" or (wanted is None and not lookup):
        return (value is None) is (wanted is None or bool(wanted))
    if isinstance(wanted, F):
        wanted = values[model._meta.get_field(wanted.name).attname]  # type: ignore[attr-defined]
    if value is None or wanted is None:
        return None
    if lookup == "in":
        return value in wanted
    if (lookup or "exact") not in COMPARISONS:
        raise Unknown(path)
    return COMPARISONS[lookup or "exact"](value, wanted)
