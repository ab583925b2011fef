"""What no two records may have, told of a whole sheet: one statement for each constraint."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from catalog.conditions import holds
from catalog.drafts import Draft
from catalog.validation import field_of

from .headings import Layout, Mistake

Key = tuple[Any, ...]


class Unique:
    """One constraint, and what the records of a sheet have and give up of it."""

    def __init__(self, constraint: models.UniqueConstraint, model: Any) -> None:
        self.constraint, self.model = constraint, model
        self.field = field_of(constraint)
        said: list[Any] = [*constraint.expressions, *map(F, constraint.fields)]
        parts: list[tuple[Any, bool]] = [
            (one.source_expressions[0], True) if isinstance(one, Lower) else (one, False) for one in said
        ]
        self.compared = [(model._meta.get_field(column.name).attname, lowered) for column, lowered in parts]
        named = constraint.condition.referenced_base_fields if constraint.condition is not None else set()
        self.attnames = {name for name, _lowered in self.compared} | {
            model._meta.get_field(name).attname for name in named
        }
        self.taken: dict[Key, tuple[int, UUID]] = {}  # by rows and records of the sheet
        self.given_up: dict[Key, UUID] = {}
        self.mistakes: list[tuple[int, int]] = []  # rows that have the same

    def key(self, values: Mapping[str, Any]) -> Key | None:
        """What no other record may have as well; None when the constraint doesn't speak of such a record."""
        if self.constraint.condition is not None and not holds(self.constraint.condition, self.model, values):
            return None
        found = [(values[name], lowered) for name, lowered in self.compared]
        if any(value is None for value, _lowered in found):
            return None
        return tuple(value.lower() if lowered else value for value, lowered in found)

    def add(self, row: int, draft: Draft) -> None:
        before = self.key(draft.before) if draft.before else None
        if before is not None:
            self.given_up[before] = draft.id  # perhaps it takes it again
        key = self.key(vars(draft.record))
        if key is None:
            return
        first, id = self.taken.setdefault(key, (row, draft.id))
        if id != draft.id:
            self.mistakes.append((first, row))

    def told(self, layout: Layout) -> Iterator[Mistake]:
        """The rows that would have what another row, or a record that isn't in the sheet, has."""
        heading = layout.heading(self.field)
        for first, row in self.mistakes:
            text = _("Rows %(first)d and %(second)d have the same here.") % {"first": first, "second": row}
            yield Mistake(row, heading, text)
        if not self.taken.keys() - self.given_up.keys():
            return
        names = [field.attname for field in self.model._meta.concrete_fields if field.attname in self.attnames]
        for values in self.model._default_manager.order_by().values_list(*names).iterator():
            key = self.key(dict(zip(names, values, strict=True)))
            if key in self.taken and key not in self.given_up:
                yield Mistake(self.taken[key][0], heading, str(self.constraint.get_violation_error_message()))

    def passed_on(self) -> list[UUID]:
        """Records whose text another one of the sheet takes over: it has to be free before that."""
        if not isinstance(self.model._meta.get_field(self.field), models.CharField):
            return []
        return [id for key, id in self.given_up.items() if self.taken.get(key, (0, id))[1] != id]


def unique_of(model: Any) -> list[Unique]:
    return [Unique(one, model) for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
