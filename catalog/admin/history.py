"""The history of a record: who changed what, from what to what, wherever it was done; the newest first."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, QuerySet, Value
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from catalog.models import Edit
from images.models import Image
from images.services import image_url

LONGEST_VALUE = 60  # characters of a value


def with_values(message: Any, form: Any) -> Any:
    """Django's message about a change, with the value of each field before and after."""
    for part in message if isinstance(message, list) else ():
        changed = part.get("changed", {})
        if "fields" in changed and "name" not in changed:
            columns = {field.name for field in form.instance._meta.get_fields()}
            # What is no column is a secret: a PIN, of which only a hash is stored.
            changed["fields"] = [
                _change(form, name) if name in columns else _label(form, name) for name in form.changed_data
            ]
    return message


@dataclass(frozen=True)
class Line:
    """One entry of a history: when, who, and in a word how if it wasn't on this page; ``what`` it was, in lines."""

    at: datetime
    who: str
    how: str
    what: Sequence[str]


class History(Sequence[Line]):
    """What pages of the admin noted of a record, and what others did (``catalog.edits``), the newest first."""

    def __init__(self, model: type[Model], kind: str, entries: QuerySet[LogEntry], key: str) -> None:
        self.model, self.entries = model, entries
        self.edits = Edit.objects.filter(kind=kind, record=key) if is_id(key) else Edit.objects.none()
        both = self.entries.order_by().values_list("action_time", "pk", Value(0))
        self.all = both.union(self.edits.order_by().values_list("at", "pk", Value(1)), all=True)
        self.all = self.all.order_by("-action_time", "-pk")

    def __len__(self) -> int:
        return self.all.count()

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> list[Line]: ...
    def __getitem__(self, place: int | slice) -> Line | list[Line]:
        if isinstance(place, int):
            return self[place : place + 1][0]
        some = list(self.all[place])
        entries = self.entries.in_bulk([key for _at, key, elsewhere in some if not elsewhere])
        edits = self.edits.in_bulk([key for _at, key, elsewhere in some if elsewhere])
        names = names_in(self.model, edits.values())
        return [
            line_of_edit(self.model, edits[key], names) if elsewhere else line_of_entry(entries[key])
            for _at, key, elsewhere in some
        ]


def is_id(key: str) -> bool:
    try:
        return bool(UUID(key))
    except ValueError:
        return False


def line_of_entry(entry: LogEntry) -> Line:
    return Line(entry.action_time, entry.user.get_username(), "", [entry.get_change_message()])


def line_of_edit(model: type[Model], edit: Edit, names: dict[tuple[str, Any], str]) -> Line:
    how = edit.get_way_display()
    if edit.about:
        how = f"{how} “{edit.about}”"
    what = [told(model, names, *change) for change in edit.changes] or [_("Added.")]
    return Line(edit.at, edit.who, how, what)


def names_in(model: type[Model], edits: Iterable[Edit]) -> dict[tuple[str, Any], str]:
    """What records are called to which the changes refer, by field and id, as far as they are there."""
    wanted: dict[str, set[Any]] = {}
    for name, *values in (change for edit in edits for change in edit.changes):
        wanted.setdefault(name, set()).update(value for value in values if isinstance(value, str))
    found: dict[tuple[str, Any], str] = {}
    for name, keys in wanted.items():
        other: Any = field_of(model, name).related_model if field_of(model, name) else None
        if other is not None and keys:
            found |= {(name, str(row.pk)): str(row) for row in other._base_manager.filter(pk__in=keys)}
    return found


def field_of(model: type[Model], name: str) -> Any:
    """The field of this name; None for one that an older version had."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def told(model: type[Model], names: dict[tuple[str, Any], str], name: str, *values: Any) -> str:
    """A change as a person reads it."""
    field = field_of(model, name)
    label = capfirst(str(getattr(field, "verbose_name", name)))
    if field is not None and field.one_to_many:
        label = capfirst(str(field.related_model._meta.verbose_name_plural))
    if not values:
        return _("%(field)s: changed") % {"field": label}
    said = [_shortened(names[name, value]) if (name, value) in names else _said(field, value) for value in values]
    if field is not None and field.related_model is Image:
        label = _("Picture")
        said = [_picture(value) if (name, value) in names else text for value, text in zip(values, said, strict=True)]
    return format_html("{}: {} → {}", label, *said)


def _picture(hash: str) -> str:
    address = image_url(hash)
    return format_html(
        '<a href="{}"><img class="thumbnail" src="{}?w=160" alt="{}" loading="lazy"></a>', address, address, hash[:8]
    )


def _change(form: Any, name: str) -> str:
    return f"{_label(form, name)}: {_before(form, name)} → {_after(form, name)}"


def _label(form: Any, name: str) -> str:
    return str(form.fields[name].label or name)


def _before(form: Any, name: str) -> str:
    bound = form[name]
    value = bound.initial
    if form.fields[name].show_hidden_initial:  # what the page showed, which another save may have overtaken
        shown = form.fields[name].hidden_widget().value_from_datadict(form.data, form.files, bound.html_initial_name)
        with suppress(ValidationError):
            value = form.fields[name].to_python(shown)
    return _said(form.fields[name], value)


def _after(form: Any, name: str) -> str:
    return _said(form.fields[name], form.cleaned_data.get(name))


def _said(field: Any, value: Any) -> str:
    """A value as a person reads it; a choice by its label, a record by its name."""
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    rows = getattr(field, "queryset", None)
    if rows is not None:
        several = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
        names = {str(row.pk): str(row) for row in rows.filter(pk__in=[getattr(one, "pk", one) for one in several])}
        return ", ".join(names.get(str(getattr(one, "pk", one)), str(one)) for one in several) or "–"
    if isinstance(value, Image) or getattr(field, "related_model", None) is Image:
        return str(getattr(value, "pk", value))[:8]  # a hash
    labels = {str(key): label for key, label in getattr(field, "choices", None) or ()}
    chosen = value if isinstance(value, list | tuple) else [value]
    text = ", ".join(str(labels.get(str(one), one)) for one in chosen)
    return _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
