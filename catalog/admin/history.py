"""The history of a record: what each save changed from what to what, the newest first."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

ON_A_PAGE = 100
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


def with_history(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The page of an object's history, the newest first."""

    def newest_first(
        page: Any, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        entries = LogEntry.objects.filter(
            object_id=unquote(object_id), content_type=get_content_type_for_model(page.model)
        )
        shown = Paginator(entries.select_related("user").order_by("-action_time", "-pk"), ON_A_PAGE)
        found = shown.get_page(request.GET.get(PAGE_VAR, 1))
        own = {
            "action_list": found,
            "page_range": shown.get_elided_page_range(found.number),
            "pagination_required": shown.count > ON_A_PAGE,
        }
        return view(page, request, object_id, {**own, **(extra_context or {})})

    return newest_first


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
    labels = {str(key): label for key, label in getattr(field, "choices", None) or ()}
    chosen = value if isinstance(value, list | tuple) else [value]
    text = ", ".join(str(labels.get(str(one), one)) for one in chosen)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
