"""A new kind of record is complete by its model, its wire shape, its page in the admin and one entry."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import orjson
import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers
from unfold.admin import ModelAdmin

from catalog import resources
from catalog.models import Tag
from catalog.resources import Kind
from devices.services import enroll
from images.models import Image
from syncing import log
from syncing.frames import read_encoded

from . import eleventh
from .completeness import API, PROTOCOL, lacks
from .conftest import Api
from .pages import add_form, change_form
from .sheets.test_pages import export, imported, rows_of

DOCUMENTED = {
    "api": f"{API}\n{eleventh.API_LINE}",
    "protocol": PROTOCOL.replace("The resources are ", "The resources are `gadget`, "),
}


@pytest.fixture(scope="module")
def kind(django_db_setup: None, django_db_blocker: Any) -> Iterator[Kind]:
    with django_db_blocker.unblock(), eleventh.declared() as declared:
        yield declared


@pytest.fixture
def tea(minimal: Callable[[str], dict[str, Any]], api: Api) -> str:
    return str(api.post("/api/products", minimal("product")).json()["id"])


@pytest.fixture
def lunch(kind: Kind, api: Api, tea: str) -> Any:
    """A gadget with two rows and a link, as the API answered it."""
    hot = Tag.objects.create(name="hot")
    slots = [{"name": "Drink", "product": tea}, {"name": "Dessert", "count": 2}]
    made = api.post("/api/gadgets", {"name": "Lunch", "price": "9.5", "tags": [str(hot.pk)], "slots": slots})
    assert made.status_code == 201, made.content
    return made


def errors(answer: Any) -> list[tuple[str, str]]:
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.content
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_it_lacks_nothing(kind: Kind, lunch: Any, api: Api) -> None:
    assert lacks(kind, api, **DOCUMENTED) == []


def test_it_is_created_with_its_rows_and_its_link(lunch: Any, api: Api, tea: str) -> None:
    made = lunch.json()
    assert list(made) == ["id", "name", "price", "tags", "image", "position", "slots", "updated_at"]
    assert (made["price"], made["image"], len(made["tags"])) == ("9.50", None, 1)
    drink, dessert = made["slots"]
    assert (drink["name"], drink["product"], drink["count"], drink["position"]) == ("Drink", tea, 1, 0)
    assert (dessert["name"], dessert["product"], dessert["count"], dessert["position"]) == ("Dessert", None, 2, 1)
    assert api.get(lunch["Location"]).content == lunch.content
    assert api.get(f"/api/gadgets?tag={made['tags'][0]}&search=lun").json()["results"] == [made]


def test_its_rows_are_edited_as_one_list(lunch: Any, api: Api) -> None:
    drink, dessert = lunch.json()["slots"]
    swapped = [{**drink, "name": dessert["name"]}, {**dessert, "name": drink["name"]}]
    changed = api.patch(lunch["Location"], {"slots": [*swapped, {"name": "Bread"}]})
    assert changed.status_code == 200, changed.content
    assert changed.json()["slots"][:2] == swapped
    assert changed.json()["slots"][2]["position"] == 2
    assert changed.json()["updated_at"] > lunch.json()["updated_at"]
    assert api.patch(lunch["Location"], {"price": "8"}).json()["slots"] == changed.json()["slots"]
    assert api.put(lunch["Location"], {"name": "Lunch", "price": "8"}).json()["slots"] == []


def test_what_terminals_do_not_see_of_a_row_stays(kind: Kind, lunch: Any, api: Api) -> None:
    gadget = kind.model.objects.get()
    gadget.slots.update(note="ours")
    drink, dessert = lunch.json()["slots"]
    assert api.patch(lunch["Location"], {"slots": [{**drink, "count": 4}, dessert]}).status_code == 200
    assert set(gadget.slots.values_list("count", "note")) == {(4, "ours"), (2, "ours")}


def test_a_write_of_rows_that_changes_nothing_leaves_no_trace(lunch: Any, api: Api) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert api.patch(lunch["Location"], {"slots": lunch.json()["slots"]}).content == lunch.content
    assert not [query for query in queries if query["sql"].startswith(('UPDATE "catalog', 'INSERT INTO "catalog'))]


def test_what_is_wrong_with_a_row_is_named_at_its_place(lunch: Any, api: Api) -> None:
    other = api.post("/api/gadgets", {"name": "Dinner", "price": 1, "slots": [{"name": "Wine"}]}).json()["slots"][0]
    drink, dessert = lunch.json()["slots"]
    for slots, wrong in (
        ([drink, {"name": "DRINK"}], ("slots.1.name", "unique")),
        ([drink, {**dessert, "id": drink["id"]}], ("slots.1.id", "unique")),
        ([drink, other], ("slots.1.id", "unique")),
        ([drink, {"count": 1}], ("slots.1.name", "required")),
        ([{**drink, "product": str(uuid4())}], ("slots.0.product", "does_not_exist")),
        ([{**drink, "count": 0}], ("slots.0.count", "constraint")),
        ([{**drink, "count": "x"}], ("slots.0.count", "invalid")),
    ):
        assert errors(api.patch(lunch["Location"], {"slots": slots})) == [wrong]
    assert api.get(lunch["Location"]).content == lunch.content


def test_its_references_are_held_like_those_of_any_kind(lunch: Any, api: Api, tea: str) -> None:
    assert errors(api.patch(lunch["Location"], {"image": "f" * 64})) == [("image", "does_not_exist")]
    now = timezone.now()
    stored = Image.objects.create(
        hash="a" * 64, status=Image.Status.STORED, width=2, height=2, size=9, wanted_at=now, unreferenced_since=now
    )
    assert api.patch(lunch["Location"], {"image": stored.hash}).json()["image"] == stored.hash
    assert Image.objects.get().unreferenced_since is None, "the sweep would have taken it"
    refused = api.delete(f"/api/products/{tea}")
    assert (refused.status_code, refused.json()["by"]) == (409, [{"resource": "gadget", "count": 1}])


def test_a_manager_edits_it(kind: Kind, lunch: Any, api: Api, admin_client: Client) -> None:
    assert "/admin/catalog/gadget/" in admin_client.get("/admin/").content.decode()
    gadget = kind.model.objects.get()
    drink = gadget.slots.get(name="Drink")
    row = next(i for i in (0, 1) if change_form(admin_client, gadget).values[f"slots-{i}-id"] == [str(drink.pk)])
    assert change_form(admin_client, gadget).save(**{f"slots-{row}-count": "3"}).status_code == 302
    edited = api.get(lunch["Location"]).json()
    assert {slot["name"]: slot["count"] for slot in edited["slots"]} == {"Drink": 3, "Dessert": 2}
    assert edited["updated_at"] > lunch.json()["updated_at"], "rows are part of their record"
    assert add_form(admin_client, kind.model).save(name="Dinner", price="20").status_code == 302

    sheet = export(admin_client, kind.model)
    assert list(rows_of(sheet)[0]) == ["id", "name", "price", "tags", "image", "position"]
    imported(admin_client, kind.model, sheet.decode().replace("Dinner", "Supper").replace("hot", ""))
    assert set(kind.model.objects.values_list("name", flat=True)) == {"Lunch", "Supper"}
    assert not gadget.tags.exists()


def test_it_is_published(kind: Kind) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert schema["paths"]["/api/gadgets"]["post"]["operationId"] == "gadgets_create"
    assert list(schema["components"]["schemas"]["Gadget"]["properties"])[-2:] == ["slots", "updated_at"]


@pytest.mark.django_db(transaction=True)
def test_it_is_synced(kind: Kind, minimal: Callable[[str], dict[str, Any]]) -> None:
    api = Api(enroll(name="back office", may_manage=True).token)
    before = log.heads()
    tag, product = (api.post(f"/api/{kind}s", minimal(kind)).json()["id"] for kind in ("tag", "product"))
    body = {"name": "Lunch", "price": "9.5", "tags": [tag], "slots": [{"name": "Drink", "product": product}]}
    made = api.post("/api/gadgets", body)
    changes = f"/api/sync/gadget/changes?epoch={before.epoch}&since="

    at = [api.get("/api/sync/status").json()["versions"]["gadget"]]
    snapshot = api.get("/api/sync/gadget").json()
    assert (snapshot["version"], snapshot["items"]) == (at[0], [made.json()])
    delta = api.get(f"{changes}{before.versions['gadget']}").json()
    assert [change["data"] for change in delta["changes"]] == [made.json()]

    for slots, tags in (([*made.json()["slots"], {"name": "Bread"}], [tag]), (made.json()["slots"], [])):
        edited = api.patch(made["Location"], {"slots": slots, "tags": tags}).json()
        delta = api.get(f"{changes}{at[-1]}").json()
        assert [(change["action"], change["data"]) for change in delta["changes"]] == [("updated", edited)]
        at.append(delta["to"])

    sent, _ = read_encoded(since={"gadget": at[-2]}).frames({"gadget": at[-2]}, {})
    streamed = [orjson.loads(line[6:]) for line in sent.splitlines() if line.startswith(b"data: ")]
    assert [(event["resource"], event["data"]) for event in streamed][-1] == ("gadget", edited)

    assert api.delete(made["Location"]).status_code == 204
    delta = api.get(f"{changes}{at[-1]}").json()
    assert [(change["action"], change["data"]) for change in delta["changes"]] == [("deleted", None)]
    assert api.get("/api/sync/gadget").json()["items"] == []
    assert api.get(f"/api/products/{product}").status_code == 200


# --- What completeness notices ------------------------------------------------------------------------------
@pytest.fixture
def without_an_address(kind: Kind) -> Iterator[None]:
    with patch.object(resources, "KINDS", [one for one in resources.KINDS if one is not kind]):
        eleventh.address_anew()
    yield
    eleventh.address_anew()


@pytest.mark.usefixtures("lunch", "without_an_address")
def test_a_kind_without_an_address_is_noticed(kind: Kind, api: Api) -> None:
    assert lacks(kind, api, **DOCUMENTED) == ["gadget has no address: an entry in catalog/resources.py"]


@pytest.mark.usefixtures("lunch")
def test_a_kind_without_a_page_or_a_sheet_is_noticed(kind: Kind, api: Api) -> None:
    with patch.dict(admin.site._registry):
        admin.site.unregister(kind.model)
        assert lacks(kind, api, **DOCUMENTED) == ["gadget has no page in the admin: catalog/admin/"]
        admin.site.register(kind.model, ModelAdmin)
        columns = "image, name, position, price, tags"
        assert lacks(kind, api, **DOCUMENTED) == [f"gadget has no sheet with {columns}: its page is a CatalogueAdmin"]


@pytest.mark.usefixtures("lunch")
def test_a_kind_that_is_not_documented_is_noticed(kind: Kind, api: Api) -> None:
    assert lacks(kind, api) == [
        "gadget has no line in docs/api.md that begins with | `/api/gadgets`",
        "gadget is not among the resources of docs/sync-protocol.md",
    ]
    half = {**DOCUMENTED, "api": DOCUMENTED["api"].replace("`image?` `position?` `slots?`", "`position?`")}
    assert lacks(kind, api, **half) == ["gadget has fields that docs/api.md lacks: image, slots"]


def test_a_kind_without_a_record_in_the_demo_is_noticed(kind: Kind, api: Api) -> None:
    assert lacks(kind, api, **DOCUMENTED) == ["gadget has no record in the demo: catalog/demo/"]


@pytest.mark.usefixtures("lunch")
def test_a_kind_without_a_minimal_body_is_noticed(kind: Kind, api: Api) -> None:
    class DatedSerializer(kind.shape):  # type: ignore[name-defined]
        sold_since = serializers.DateField()

        class Meta:
            model = kind.model
            fields = (*kind.shape.Meta.fields, "sold_since")

    dated = {**DOCUMENTED, "api": DOCUMENTED["api"].replace("`slots?`", "`slots?` `sold_since`")}
    assert lacks(replace(kind, shape=DatedSerializer), api, **dated) == [
        "gadget has no minimal body: tests/catalog/conftest.py knows no value for gadget.sold_since"
    ]
