"""Objects are made, read, replaced, changed and deleted, the same way for every kind."""

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import models
from syncing import objects, registry

from .conftest import ADDRESSES

SOME_ID = "0b0f9a3e-5f3c-4a57-9a54-3a2b0b5bf37d"
EVERY = pytest.mark.parametrize("resource", sorted(ADDRESSES))


@EVERY
def test_an_object_lives_from_post_to_delete(api, minimal, resource):
    made = api.post(ADDRESSES[resource], minimal(resource))
    assert made.status_code == 201, made.content
    here = made["Location"]
    assert here == f"{ADDRESSES[resource]}/{made.json()['id']}"
    assert api.get(here).json() == made.json()

    changed = api.patch(here, {"name": "Another name"})
    assert changed.status_code == 200
    assert changed.json() == made.json() | {
        "name": "Another name",
        "updated_at": changed.json()["updated_at"],
    }
    assert changed.json()["updated_at"] > made.json()["updated_at"]

    gone = api.delete(here)
    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (api.get(here), api.patch(here, {"name": "x"}), api.delete(here)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@EVERY
def test_an_object_has_exactly_the_bytes_that_sync_delivers(api, minimal, resource):
    made = api.post(ADDRESSES[resource], minimal(resource))
    (item,) = objects.read(registry.resource(resource), [UUID(made.json()["id"])])
    assert made.content == item.json
    assert api.get(made["Location"]).content == item.json
    assert item.json in api.get(f"{ADDRESSES[resource]}?id={item.id}").content


@EVERY
def test_what_was_read_can_be_put_back(api, minimal, resource):
    made = api.post(ADDRESSES[resource], minimal(resource))
    put = api.put(made["Location"], made.json())
    assert put.status_code == 200, put.content
    assert put.json() == made.json()


@EVERY
def test_a_client_may_choose_the_id(api, minimal, resource):
    body = minimal(resource) | {"id": str(uuid4()).upper()}
    made = api.post(ADDRESSES[resource], body)
    assert (made.status_code, made.json()["id"]) == (201, body["id"].lower())

    again = api.post(ADDRESSES[resource], minimal(resource) | {"id": body["id"]})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@EVERY
def test_put_makes_what_is_not_there_and_can_be_repeated(api, minimal, resource):
    here, body = f"{ADDRESSES[resource]}/{uuid4()}", minimal(resource)
    made = api.put(here, body)
    assert (made.status_code, made["Location"]) == (201, here), made.content
    again = api.put(here, body)
    assert (again.status_code, again.content) == (200, made.content)
    assert "Location" not in again


def test_a_product_needs_three_fields_and_the_rest_has_defaults(api, category):
    made = api.post("/api/products", {"name": "Tea", "price": 2.5, "category": str(category.pk)}).json()
    assert list(made.items())[1:-1] == [
        ("name", "Tea"),
        ("short_name", ""),
        ("kitchen_name", ""),
        ("sku", ""),
        ("barcode", ""),
        ("description", ""),
        ("price", "2.50"),
        ("price_type", "fixed"),
        ("unit", ""),
        ("tax_rate", "0.00"),
        ("color", ""),
        ("category", str(category.pk)),
        ("tags", []),
        ("attributes", []),
        ("print_destinations", []),
        ("image", None),
        ("position", 0),
        ("is_active", True),
        ("is_sold_out", False),
    ]
    assert made["updated_at"].endswith("Z")


def test_a_product_without_them_is_refused_field_by_field(api):
    answer = api.post("/api/products", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {
        ("name", "required"),
        ("price", "required"),
        ("category", "required"),
    }


def test_links_are_sorted_ids_and_repetitions_mean_nothing(api, minimal):
    tags = sorted(str(models.Tag.objects.create(name=name).pk) for name in ("hot", "vegan", "nuts"))
    made = api.post("/api/products", minimal("product") | {"tags": [*reversed(tags), tags[0]]})
    assert made.json()["tags"] == tags
    assert api.patch(made["Location"], {"tags": tags[:1]}).json()["tags"] == tags[:1]
    assert api.patch(made["Location"], {"name": "Tea"}).json()["tags"] == tags[:1]


def test_put_resets_what_it_leaves_out(api, minimal):
    tag = models.Tag.objects.create(name="hot")
    body = minimal("product")
    made = api.post("/api/products", body | {"tags": [str(tag.pk)], "sku": "T-1", "is_sold_out": True})
    put = api.put(made["Location"], body).json()
    assert (put["tags"], put["sku"], put["is_sold_out"]) == ([], "", False)


def test_a_write_that_changes_nothing_leaves_no_trace(api, minimal):
    made = api.post("/api/products", minimal("product"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        api.patch(made["Location"], {"name": made.json()["name"], "price": "12.5"})
    assert not [query for query in queries if query["sql"].startswith(('UPDATE "catalog', 'INSERT INTO "catalog'))]
    assert api.get(made["Location"]).content == made.content


def test_what_the_server_sets_may_be_sent_and_is_ignored(api, minimal):
    body = minimal("tag") | {"updated_at": "1999-01-01T00:00:00Z"}
    made = api.post("/api/tags", body)
    assert made.status_code == 201
    assert not made.json()["updated_at"].startswith("1999")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_body_that_names_another_object_is_refused(api, minimal, method):
    made = api.post("/api/tags", minimal("tag"))
    answer = getattr(api, method)(made["Location"], made.json() | {"id": str(uuid4())})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "id")


@pytest.mark.parametrize("wrong", ["1", "x" * 36, "%00", "0" * 32, SOME_ID[:-1], "{" + SOME_ID + "}", "é"])
def test_a_malformed_id_in_the_path_is_nothing(api, wrong):
    for method in (api.get, api.put, api.patch, api.delete):
        answer = method(f"/api/products/{wrong}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer["Content-Type"] == "application/problem+json"


def test_colours_are_kept_in_lower_case(api, minimal):
    assert api.post("/api/tags", minimal("tag") | {"color": "#FF8800"}).json()["color"] == "#ff8800"


def test_a_pin_is_taken_and_never_shown(api, minimal):
    made = api.post("/api/employees", minimal("employee") | {"pin": "0123"})
    assert list(made.json()) == ["id", "name", "code", "role", "is_active", "updated_at"]
    employee = models.Employee.objects.get(pk=made.json()["id"])
    assert employee.has_pin("0123")
    assert api.put(made["Location"], made.json()).status_code == 200
    employee.refresh_from_db()
    assert employee.has_pin("0123"), "a PUT can't give back what it never read"
    api.patch(made["Location"], {"pin": None})
    employee.refresh_from_db()
    assert employee.pin_hash == ""


def test_a_price_rule_needs_the_target_of_its_scope(api, minimal, category):
    answer = api.post("/api/price-rules", minimal("price_rule") | {"scope": "category"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "")
    made = api.post(
        "/api/price-rules",
        minimal("price_rule")
        | {
            "scope": "category",
            "category": str(category.pk),
            "weekdays": [1, 5],
            "time_from": "22:00",
            "time_to": "02:00:00",
            "valid_from": "2026-01-01",
        },
    ).json()
    assert made["weekdays"] == [1, 5]
    assert (made["time_from"], made["time_to"]) == ("22:00:00", "02:00:00")
    assert (made["valid_from"], made["valid_to"]) == ("2026-01-01", None)


def test_duplicates_are_named_at_their_field(api, minimal, category):
    for resource, field, value in (
        ("tag", "name", "Hot"),
        ("zone", "name", "Bar"),
        ("role", "name", "Cook"),
        ("attribute", "name", "Size"),
        ("print_destination", "name", "Kitchen"),
        ("category", "name", "Food"),
        ("employee", "code", "7"),
        ("product", "sku", "T-1"),
        ("product", "barcode", "4006381333931"),
    ):
        assert api.post(ADDRESSES[resource], minimal(resource) | {field: value}).status_code == 201
        again = api.post(ADDRESSES[resource], minimal(resource) | {field: value.upper()})
        assert again.status_code == 400, (resource, field)
        assert [(error["field"], error["code"]) for error in again.json()["errors"]] == [(field, "unique")]


def test_categories_make_no_circle(api):
    top, middle, low = (models.Category.objects.create(name=name) for name in ("top", "middle", "low"))
    for child, parent in ((middle, top), (low, middle)):
        assert api.patch(f"/api/categories/{child.pk}", {"parent": str(parent.pk)}).status_code == 200
    for parent in (top, low):
        answer = api.patch(f"/api/categories/{top.pk}", {"parent": str(parent.pk)})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "parent")


def test_a_small_patch_asks_only_what_it_puts_in_question(api, minimal):
    here = api.post(ADDRESSES["product"], minimal("product"))["Location"]
    with CaptureQueriesContext(connection) as queries:
        assert api.patch(here, {"position": 7}).status_code == 200
    constraints = [query["sql"] for query in queries if "_check" in query["sql"]]
    assert constraints == []
    read = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(read) <= 2  # who asks, and the row to change
    assert len([query for query in queries if query["sql"].startswith("UPDATE")]) == 1


def test_a_condition_on_two_fields_is_asked_when_either_changes(api, minimal):
    here = api.post(ADDRESSES["attribute"], minimal("attribute") | {"min": 1, "max": 2})["Location"]
    for patch in ({"min": 3}, {"max": 0}):
        refused = api.patch(here, patch)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid"), patch
    assert api.patch(here, {"min": 3, "max": 3}).status_code == 200


def test_a_name_that_is_kept_is_no_question_but_one_that_is_taken_is(api, minimal):
    first, second = (api.post(ADDRESSES["tag"], minimal("tag") | {"name": name}) for name in ("hot", "cold"))
    assert api.patch(second["Location"], {"name": "cold", "color": "#112233"}).status_code == 200
    refused = api.patch(second["Location"], {"name": "HOT"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unique")
    assert api.get(first["Location"]).json()["name"] == "hot"


@EVERY
@pytest.mark.parametrize("matched", [False, True])
def test_a_write_costs_few_statements_whatever_the_object_holds(api, minimal, resource, matched):
    made = api.post(ADDRESSES[resource], rich(resource, minimal))
    headers = {"If-Match": made["ETag"]} if matched else {}
    with CaptureQueriesContext(connection) as queries:
        assert api.patch(made["Location"], {"name": "Another"}, headers=headers).status_code == 200
    # Who asks; a transaction (two); the row, locked; what it is, for If-Match; the row written, which is the answer.
    assert len(queries) <= 5 + matched, [query["sql"] for query in queries]

    body = minimal(resource)
    with CaptureQueriesContext(connection) as queries:
        assert api.post(ADDRESSES[resource], body).status_code == 201
    # As many; instead of the row, whether what it refers to is there.
    assert len(queries) <= 5, [query["sql"] for query in queries]


@EVERY
def test_what_is_inside_an_object_costs_the_same_however_much_it_is(api, minimal, resource):
    found = []
    for many in (3, 100):
        body = rich(resource, minimal, many)
        with CaptureQueriesContext(connection) as queries:
            made = api.post(ADDRESSES[resource], body)
            kept = {name: value[1:] if isinstance(value, list) else value for name, value in made.json().items()}
            assert api.put(made["Location"], kept).status_code == 200
        found.append(len(queries))
    assert found[0] == found[1] <= 30, found


def rich(resource, minimal, many=100):
    """A body with so many of all that an object of the kind can hold many of."""
    body = minimal(resource)
    for link in registry.resource(resource).links:
        body[link.field] = [
            str(row.pk) for row in link.to._base_manager.bulk_create(link.to(name=str(uuid4())) for n in range(many))
        ]
    for child in registry.resource(resource).children:
        body[child.field] = [{"name": str(n)} for n in range(many)]
    return body
