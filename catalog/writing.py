"""A record with new values: what is checked, in which order, and what is saved then."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from syncing.registry import Resource

from .children import set_children
from .models.base import Record
from .references import missing, not_there, references_of
from .validation import Errors, check_constraints, columns


def write(resource: Resource, record: Record, values: Mapping[str, Any]) -> None:
    """Save ``record`` with ``values`` if that changes anything. Raises ValidationError; needs a transaction."""
    is_new = record._state.adding
    before = {} if is_new else columns(record)
    links = {link.field: set(values[link.field]) for link in resource.links if link.field in values}
    children = [child for child in resource.children if child.field in values]
    elsewhere = links.keys() | {child.field for child in children}
    attnames = {field.name: field.attname for field in record._meta.concrete_fields}
    for name in values.keys() - elsewhere:
        setattr(record, attnames.get(name, name), values[name])
    _check(record, before, links)
    if is_new:
        record.save(force_insert=True)
    else:
        links = {name: ids for name, ids in links.items() if ids != _linked(record, name)}
    for name, ids in links.items():
        getattr(record, name).set(ids)
    changed = [child for child in children if set_children(record, child, values[child.field])]
    if not is_new and (links or changed or columns(record) != before):
        record.save(force_update=True)


def _linked(record: Record, name: str) -> set[UUID]:
    return set(getattr(record, name).values_list("pk", flat=True))


def _check(record: Record, before: Mapping[str, Any], links: Mapping[str, Iterable[UUID]]) -> None:
    """Raises ValidationError unless ``record``, which was ``before``, may be saved and linked like this."""
    errors: Errors = {}
    references = references_of(type(record))
    for field in references:
        target = getattr(record, field.attname)
        if target is not None and target != before.get(field.attname) and missing(field.related_model, [target]):
            errors[field.name] = [not_there(field.related_model)]
    for name, ids in links.items():
        related: Any = record._meta.get_field(name)
        if gone := missing(related.related_model, ids):
            text = _("There is no object with this id: %(ids)s.")
            errors[name] = [ValidationError(text, "does_not_exist", {"ids": ", ".join(sorted(map(str, gone)))})]
    try:
        record.clean_fields(exclude={field.name for field in references})
    except ValidationError as error:
        errors = error.update_error_dict(errors)
    if errors:
        raise ValidationError(errors)
    record.lock_before_clean(before)
    record.clean()
    check_constraints(record, before)
