"""What makes a kind of record complete, beside its model, its wire shape and its entry in catalog/resources.py."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from catalog.admin.sheets import SheetPages
from catalog.resources import Kind
from catalog.sheets.kinds import columns_of

from .conftest import Api, minimal_body

DOCS = Path(__file__).resolve().parents[2] / "docs"
API = (DOCS / "api.md").read_text()
PROTOCOL = (DOCS / "sync-protocol.md").read_text()


def lacks(kind: Kind, office: Api, *, api: str = API, protocol: str = PROTOCOL) -> list[str]:
    """What ``kind`` lacks, each in words that say where it belongs; the demo is loaded. Empty when it is complete."""
    return [*_pages(kind), *_documents(kind, api, protocol), *_objects(kind, office)]


def _pages(kind: Kind) -> Iterator[str]:
    try:
        address = reverse(f"{kind.name}-list")
    except NoReverseMatch:
        address = ""
    if address != f"/api/{kind.address}":
        yield f"{kind.name} has no address: an entry in catalog/resources.py"
    if not admin.site.is_registered(kind.model):
        yield f"{kind.name} has no page in the admin: catalog/admin/"
        return
    sheet = {column.name for column in columns_of(kind)}
    if not isinstance(admin.site.get_model_admin(kind.model), SheetPages):
        sheet.clear()
    shared = {field.name for field in (*kind.model._meta.fields, *kind.model._meta.many_to_many) if field.editable}
    if missing := shared.intersection(kind.resource.fields) - sheet:
        yield f"{kind.name} has no sheet with {', '.join(sorted(missing))}: its page is a CatalogueAdmin"


def _documents(kind: Kind, api: str, protocol: str) -> Iterator[str]:
    row = re.search(rf"^\| `/api/{kind.address}` .*$", api, re.MULTILINE)
    if row is None:
        yield f"{kind.name} has no line in docs/api.md that begins with | `/api/{kind.address}`"
    else:
        words = kind.name.replace("_", " ")
        fields = re.search(rf"^- \*\*{words}\*\*:.*?(?=^- |^$)", api, re.MULTILINE | re.DOTALL)  # of a long one
        text = row[0] + (fields[0] if fields else "")
        written = [name for name, field in kind.shape().fields.items() if not field.read_only]
        if missing := [name for name in written if not re.search(rf"`{name}\??`", text)]:
            yield f"{kind.name} has fields that docs/api.md lacks: {', '.join(missing)}"
    resources = re.search(r"^The resources are .*?(?=^$)", protocol, re.MULTILINE | re.DOTALL)
    if resources is None or f"`{kind.name}`" not in resources[0]:
        yield f"{kind.name} is not among the resources of docs/sync-protocol.md"


def _objects(kind: Kind, office: Api) -> Iterator[str]:
    if not kind.model._default_manager.exists():
        yield f"{kind.name} has no record in the demo: catalog/demo/"
    try:
        body = minimal_body(kind)
    except TypeError as error:
        yield f"{kind.name} has no minimal body: {error}"
        return
    answer = office.post(f"/api/{kind.address}", body)
    if answer.status_code not in {201, 404}:
        yield f"{kind.name} has no minimal body: {body} is refused by {answer.content.decode()}"
