"""A manager's browser without JavaScript: opens a page, fills its form in, sends all of it."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client


class FormReader(HTMLParser):
    """The names and values that a browser would send for one form (by its id)."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.values: dict[str, list[str]] = {}
        self.select: str | None = None
        self.textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        name = at.get("name") or ""
        if tag == "form":
            self.inside = at.get("id") == self.form_id
        if not self.inside or "disabled" in at:
            return
        if tag == "input" and name:
            kind = at.get("type", "text")
            ticked = kind not in {"checkbox", "radio"} or "checked" in at
            if kind not in {"submit", "file", "button"} and ticked:
                self.values.setdefault(name, []).append(at.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in at:
            self.values.setdefault(self.select, []).append(at.get("value") or "")
        elif tag == "textarea":
            self.textarea = name
            self.values[name] = [""]

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.values[self.textarea][0] += data.removeprefix("\r").removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.textarea = None


class AdminForm:
    """A form as it was when the page was opened."""

    def __init__(self, client: Client, address: str, form_id: str) -> None:
        self.client, self.address = client, address
        page = client.get(address)
        assert page.status_code == 200, page.status_code
        self.html = page.content.decode()
        reader = FormReader(form_id)
        reader.feed(self.html)
        self.values: dict[str, Any] = dict(reader.values)

    def save(self, *without: str, **changes: Any) -> HttpResponse:
        """Send the form with ``changes``; names in ``without`` are taken off (a tick)."""
        sent = {name: value for name, value in (self.values | changes).items() if name not in without}
        return self.client.post(self.address, {**sent, "_save": "Save"})  # type: ignore[return-value]


def change_form(client: Client, record: Any) -> AdminForm:
    opts = record._meta
    return AdminForm(
        client, f"/admin/{opts.app_label}/{opts.model_name}/{record.pk}/change/", f"{opts.model_name}_form"
    )


def add_form(client: Client, model: Any) -> AdminForm:
    opts = model._meta
    return AdminForm(client, f"/admin/{opts.app_label}/{opts.model_name}/add/", f"{opts.model_name}_form")


def list_form(client: Client, model: Any, query: str = "") -> AdminForm:
    opts = model._meta
    return AdminForm(client, f"/admin/{opts.app_label}/{opts.model_name}/{query}", "changelist-form")


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.wsgi_request._messages]


def errors_of(response: HttpResponse) -> dict[str, list[str]]:
    """What the form that came back says, by field."""
    return {name: [str(e) for e in found] for name, found in response.context["adminform"].form.errors.items()}  # type: ignore[attr-defined]
