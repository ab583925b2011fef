"""status, snapshot and changes, to the letter of the wire contract."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Product, Tag
from syncing import epochs, log, registry
from syncing.models import Change, SyncedResource
from tests.syncing.objects import objects_of

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = {  # that terminals know
    "product", "category", "tag", "attribute", "zone", "dining_table", "employee", "role", "price_rule",
    "print_destination",
}  # fmt: skip
Get = Callable[..., Any]


@pytest.fixture
def get(token: str) -> Get:
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(path: str, **headers: str) -> Any:
        return client.get(path, headers=headers)

    return call


def changes(get: Get, name: str, since: object, epoch: object, **query: object) -> Any:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    return get(f"/api/sync/{name}/changes?since={since}&epoch={epoch}{more}")


def test_status_names_the_epoch_and_the_version_of_every_resource(get: Get, product: Product) -> None:
    body = get("/api/sync/status").json()
    assert body == {"epoch": str(log.heads().epoch), "versions": log.heads().versions}
    assert set(body["versions"]) == set(registry.names()) >= NAMES


def test_status_is_304_until_something_changes(get: Get, product: Product) -> None:
    etag = get("/api/sync/status")["ETag"]
    assert get("/api/sync/status", **{"If-None-Match": etag}).status_code == 304
    assert get("/api/sync/status", **{"If-None-Match": f"W/{etag}"}).status_code == 304
    product.save()
    assert get("/api/sync/status", **{"If-None-Match": etag}).status_code == 200


def test_a_snapshot_is_true_at_exactly_its_version(get: Get, product: Product) -> None:
    tag = Tag.objects.create(name="hot")
    product.tags.add(tag)
    body = get("/api/sync/product").json()
    assert body["epoch"] == str(log.heads().epoch)
    assert (body["resource"], body["version"]) == ("product", log.heads().versions["product"])
    (item,) = body["items"]
    assert list(item) == [
        "id", "name", "short_name", "kitchen_name", "sku", "barcode", "description", "price", "price_type", "unit",
        "tax_rate", "color", "category", "tags", "attributes", "print_destinations", "image", "position", "is_active",
        "is_sold_out", "updated_at",
    ]  # fmt: skip
    assert item["price"] == "2.50"
    assert item["tags"] == [str(tag.id)]
    assert item["image"] is None
    assert item["updated_at"].endswith("Z")


@pytest.mark.parametrize("path", ["/api/sync/status", "/api/sync/product"])
def test_if_match_means_nothing_to_a_read(get: Get, product: Product, path: str) -> None:
    assert get(path, **{"If-Match": '"another"'}).status_code == 200
    assert get(path, **{"If-None-Match": "*"}).status_code == 304


def test_a_snapshot_is_304_but_not_after_another_epoch(get: Get, product: Product) -> None:
    etag = get("/api/sync/product")["ETag"]
    unchanged = get("/api/sync/product", **{"If-None-Match": etag})
    assert (unchanged.status_code, unchanged["ETag"], unchanged.content) == (304, etag, b"")
    epochs.begin()
    assert get("/api/sync/product", **{"If-None-Match": etag}).status_code == 200


def test_a_snapshot_costs_the_same_queries_for_any_number_of_objects(get: Get, category: Category) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert get("/api/sync/product").status_code == 200
        return len(caught)

    Product.objects.create(name="one", price="1", category=category)
    few = queries()
    Product.objects.bulk_create([Product(name=f"p{n}", price="1", category=category) for n in range(50)])
    assert queries() == few


def test_changes_give_the_newest_change_of_each_object(get: Get, category: Category) -> None:
    since, epoch = log.heads().versions["product"], log.heads().epoch
    one, two = (Product.objects.create(name=name, price="1", category=category) for name in ("one", "two"))
    one.name = "one, renamed"
    one.save()
    gone = str(two.id)
    two.delete()
    body = changes(get, "product", since, epoch).json()
    head = log.heads().versions["product"]
    assert (body["from"], body["to"], body["head"]) == (since, head, head)
    assert [(c["id"], c["action"]) for c in body["changes"]] == [(str(one.id), "updated"), (gone, "deleted")]
    assert [c["version"] for c in body["changes"]] == sorted(c["version"] for c in body["changes"])
    assert body["changes"][0]["data"]["name"] == "one, renamed"
    assert body["changes"][1]["data"] is None


def test_changes_in_pages_end_at_the_head(get: Get, category: Category) -> None:
    since, epoch = log.heads().versions["product"], log.heads().epoch
    made = [str(Product.objects.create(name=f"p{n}", price="1", category=category).id) for n in range(5)]
    seen: list[str] = []
    for _ in range(10):
        body = changes(get, "product", since, epoch, limit=2).json()
        assert len(body["changes"]) <= 2
        seen += [change["id"] for change in body["changes"]]
        since = body["to"]
        if since == body["head"]:
            break
    assert seen == made


def test_nothing_new_is_an_empty_delta(get: Get, product: Product) -> None:
    head, epoch = log.heads().versions["product"], log.heads().epoch
    body = changes(get, "product", head, epoch).json()
    assert (body["from"], body["to"], body["head"], body["changes"]) == (head, head, head, [])


@pytest.mark.parametrize("reason", ["epoch", "ahead", "horizon"])
def test_what_cannot_be_continued_is_410(get: Get, product: Product, reason: str) -> None:
    product.save()
    heads = log.heads()
    head = heads.versions["product"]
    SyncedResource.objects.filter(name="product").update(horizon=head)
    since, epoch = {
        "epoch": (head, uuid4()), "ahead": (head + 1, heads.epoch), "horizon": (head - 1, heads.epoch)
    }[reason]  # fmt: skip
    response = changes(get, "product", since, epoch)
    assert response.status_code == 410
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["code"], body["reason"]) == ("resync_required", reason)
    assert (body["epoch"], body["version"]) == (str(heads.epoch), head)


def test_a_number_no_counter_reaches_is_ahead_not_a_crash(get: Get, product: Product) -> None:
    response = changes(get, "product", 10**60, log.heads().epoch)
    assert (response.status_code, response.json()["reason"]) == (410, "ahead")


def test_a_hole_in_the_log_is_a_resync_never_a_short_answer(get: Get, product: Product) -> None:
    since = log.heads().versions["product"]
    for _ in range(3):
        product.save()
    Change.objects.filter(resource="product", version=since + 2).delete()
    response = changes(get, "product", since, log.heads().epoch)
    assert (response.status_code, response.json()["reason"]) == (410, "horizon")


@pytest.mark.parametrize(
    "query",
    ["", "since=1", "epoch={epoch}", "since=-1&epoch={epoch}", "since=1.5&epoch={epoch}", "since=%D9%A3&epoch={epoch}",
     "since=&epoch={epoch}", "since=1&epoch=nonsense", "since=1&epoch=%00", "since=0&epoch={epoch}&limit=0",
     "since=0&epoch={epoch}&limit=x", "since=0&epoch={epoch}&limit=5001", "since=%00&epoch={epoch}"],
)  # fmt: skip
def test_wrong_parameters_are_400(get: Get, query: str) -> None:
    response = get(f"/api/sync/product/changes?{query.format(epoch=log.heads().epoch)}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("path", ["/api/sync/nothing", "/api/sync/products", "/api/sync/nothing/changes?since=0"])
def test_an_unknown_resource_is_404(get: Get, path: str) -> None:
    response = get(path)
    assert (response.status_code, response.json()["code"]) == (404, "unknown_resource")


@pytest.mark.parametrize("path", ["/api/sync/status", "/api/sync/product", "/api/sync/product/changes"])
def test_nobody_gets_nothing(transactional_db: None, path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == "application/problem+json"


def test_an_object_reads_the_same_alone_and_among_all(product: Product) -> None:
    assert objects_of("product", [product.id]) == objects_of("product")
    assert objects_of("product", [UUID(int=1), product.id]) == objects_of("product")
