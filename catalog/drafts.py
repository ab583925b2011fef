"""A record on its way into the database: its new values, and what is asked before they are saved."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from syncing.objects import column_of
from syncing.registry import Child, Link, Resource

from . import rows
from .references import Keys, not_there, references_of
from .transactions import Contended
from .validation import Errors, check_constraints, columns

Values = Mapping[str, Any]


@dataclass
class Draft:
    """A record with new values, and what it was before: its row, empty when it is new.

    ``changed`` are the attribute names of the columns that aren't as they were.
    ``links`` are ids of other ends and ``children`` lists of rows, as far as they are given.
    """

    record: Any
    before: rows.Row
    changed: set[str]
    links: dict[Link, set[UUID]]
    children: dict[Child, Sequence[Values]]

    @classmethod
    def of(cls, resource: Resource, id: UUID | None, before: rows.Row, values: Values) -> "Draft":
        """``values`` are by the names of the wire. An ``id`` of None makes a new one."""
        model: Any = resource.model
        record = rows.instance(model, before) if before else model(**{"id": id} if id else {})
        links = {link: set(values[link.field]) for link in resource.links if link.field in values}
        children = {child: values[child.field] for child in resource.children if child.field in values}
        attnames = {field.name: field.attname for field in model._meta.concrete_fields}
        inside = {link.field for link in links} | {child.field for child in children}
        for name in values.keys() - inside:
            setattr(record, attnames.get(name, name), values[name])
        changed = {name for name, value in columns(record).items() if not before or value != before[name]}
        return cls(record, before, changed, links, children)

    @property
    def id(self) -> UUID:
        return self.record.pk

    def stamp(self) -> rows.Row:
        """The row to save, with the times that Django sets."""
        for field in self.record._meta.concrete_fields:
            if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                field.pre_save(self.record, not self.before)
                self.changed.add(field.attname)
        return columns(self.record)

    def changes(self, shown: Collection[str]) -> list[list[Any]]:
        """The columns that aren't as they were: name, value before and now; of those not ``shown`` the name alone.

        None of a new record.
        """
        found: list[list[Any]] = []
        for field in self.record._meta.concrete_fields if self.before else ():
            if field.attname in self.changed and not (getattr(field, "auto_now", False) or field.primary_key):
                now = getattr(self.record, field.attname)
                values = [_plain(self.before[field.attname]), _plain(now)] if field.name in shown else []
                found.append([field.name, *values])
        return found

    def check(self, gone: Keys, *, ask: bool) -> None:
        """Raises ValidationError unless it may be saved and linked like this, when ``gone`` isn't there.

        ``ask`` asks the database about the constraints of its table.
        """
        record, changed, errors = self.record, self.changed, Errors()
        references = references_of(type(record))
        for field in references:
            if field.attname in changed and getattr(record, field.attname) in gone.get(field.related_model, ()):
                errors[field.name] = [not_there(field.related_model)]
        for link, others in self.links.items():
            if lacking := others & gone[link.to]:
                text = _("There is no object with this id: %(ids)s.")
                errors[link.field] = [
                    ValidationError(text, "does_not_exist", {"ids": ", ".join(sorted(map(str, lacking)))})
                ]
        kept = {field.name for field in record._meta.concrete_fields if field.attname not in changed}
        try:
            record.clean_fields(exclude={field.name for field in references} | kept)
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)
        looked_for = {column_of(type(record), name).attname for name in record.looks_around}
        if not looked_for or looked_for & changed:
            record.lock_before_clean(self.before)
            record.clean()
        if ask:
            check_constraints(record, self.before)

    def conflict(self) -> ValidationError | Contended:
        """Why the database skipped the new row: what is taken."""
        unique = [one for one in self.record._meta.constraints if isinstance(one, models.UniqueConstraint)]
        try:
            check_constraints(self.record, {}, unique)
        except ValidationError as error:
            return error
        return Contended()


def _plain(value: Any) -> Any:
    """``value`` as JSON has it."""
    return value if isinstance(value, bool | int | list | None) else str(value)


def wanted(drafts: Iterable[Draft]) -> Keys:
    """What the drafts refer to anew, by model."""
    keys: Keys = {}
    for draft in drafts:
        for field in references_of(type(draft.record)):
            if field.attname in draft.changed and (target := getattr(draft.record, field.attname)) is not None:
                keys.setdefault(field.related_model, set()).add(target)
        for link, ids in draft.links.items():
            keys.setdefault(link.to, set()).update(ids)
    return keys


def defaults(resource: Resource) -> Values:
    """What each field that a client may leave out is when it is left out."""
    many = {link.field for link in resource.links} | {child.field for child in resource.children}
    values: dict[str, Any] = {name: [] for name in many}
    for name in resource.fields:
        if name not in many:
            field: Any = resource.model._meta.get_field(name)
            if field.editable and (field.has_default() or field.null):
                values[name] = field.get_default()
    return values
