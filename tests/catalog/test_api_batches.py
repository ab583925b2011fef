"""Many writes by one request: all of them or none, or each by itself."""

from functools import partial
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from catalog import models
from images.models import Image
from syncing.models import Change

from .conftest import ADDRESSES, send, statements_of, statuses

EVERY = pytest.mark.parametrize("resource", sorted(ADDRESSES))


@EVERY
def test_every_kind_is_made_changed_replaced_and_deleted(api, minimal, resource):
    address, body = ADDRESSES[resource], minimal(resource)
    old, gone = (api.post(address, minimal(resource)).json()["id"] for _ in range(2))
    mine = str(uuid4())

    answer = send(
        api,
        address,
        {"op": "create", "data": minimal(resource)},
        {"op": "update", "id": old, "data": {"name": "Changed"}},
        {"op": "delete", "id": gone},
        {"op": "replace", "id": mine, "data": body},
    )

    assert answer.status_code == 200, answer.content
    assert statuses(answer) == [201, 200, 204, 201]
    for result in answer.json()["results"]:
        if result["status"] != 204:
            read = api.get(f"{address}/{result['object']['id']}")
            assert (read.json(), read["ETag"]) == (result["object"], result["etag"])
    assert answer.json()["results"][1]["object"]["name"] == "Changed"
    assert api.get(f"{address}/{gone}").status_code == 404
    assert statuses(send(api, address, {"op": "replace", "id": mine, "data": body})) == [200]


def test_all_or_nothing_is_what_is_done_unless_told(api):
    models.Tag.objects.create(name="hot")
    for mode in (None, "all"):
        answer = send(
            api,
            "/api/tags",
            {"op": "create", "data": {"name": "mild"}},
            {"op": "create", "data": {"name": "HOT"}},
            {"op": "delete", "id": str(uuid4())},
            mode=mode,
        )

        assert (answer.status_code, answer.json()["code"]) == (409, "batch_refused")
        assert answer["Content-Type"] == "application/problem+json"
        assert statuses(answer) == [424, 400, 404]
        problems = [one["problem"] for one in answer.json()["results"]]
        assert [one["code"] for one in problems] == ["not_done", "invalid", "not_found"]
        assert [one["field"] for one in problems[1]["errors"]] == ["name"]
        assert [tag.name for tag in models.Tag.objects.all()] == ["hot"]


@pytest.mark.django_db(transaction=True)
def test_beside_one_that_cannot_be_read_the_others_are_told_what_is_wrong_with_them(api):
    models.Tag.objects.create(name="hot")
    names = [{"name": "mild"}, {"name": "HOT"}, {"name": ""}]
    answer = send(api, "/api/tags", *[{"op": "create", "data": data} for data in names])
    assert (answer.status_code, statuses(answer)) == (409, [424, 400, 400])
    assert [tag.name for tag in models.Tag.objects.all()] == ["hot"]


def test_each_by_itself_leaves_the_others(api, category):
    tea, milk, ham = (
        models.Product.objects.create(name=name, sku=name, price=2, category=category)
        for name in ("tea", "milk", "ham")
    )
    models.PriceRule.objects.create(name="tea", value=-10, scope="product", product=tea)

    answer = send(
        api,
        "/api/products",
        {"op": "update", "id": str(tea.pk), "data": {"price": "3"}},
        {"op": "update", "id": str(milk.pk), "data": {"sku": "ham"}},
        {"op": "update", "id": str(ham.pk), "data": {"price": "-1"}},
        {"op": "create", "data": {"name": "x", "price": "1", "category": str(uuid4())}},
        {"op": "create", "data": {"name": "jam", "sku": "jam", "price": "1", "category": str(category.pk)}},
        {"op": "create", "data": {"name": "jam", "sku": "jam", "price": "1", "category": str(category.pk)}},
        {"op": "update", "id": str(uuid4()), "data": {}},
        {"op": "update", "data": {}},
        mode="each",
    )

    assert answer.status_code == 200
    assert statuses(answer) == [200, 400, 400, 400, 201, 400, 404, 400]
    fields = [[e["field"] for e in one.get("problem", {}).get("errors", [])] for one in answer.json()["results"]]
    assert fields == [[], ["sku"], ["price"], ["category"], [], ["sku"], [], ["id"]]
    assert {product.name: str(product.price) for product in models.Product.objects.all()} == {
        "tea": "3.00",
        "milk": "2.00",
        "ham": "2.00",
        "jam": "1.00",
    }
    (result,) = send(api, "/api/products", {"op": "delete", "id": str(tea.pk)}, mode="each").json()["results"]
    assert (result["problem"]["code"], result["problem"]["by"]) == ("in_use", [{"resource": "price_rule", "count": 1}])


def test_what_is_refused_is_told_in_the_words_of_the_single_write(api, minimal):
    here = api.post("/api/products", minimal("product") | {"barcode": "1"})["Location"]
    other = api.post("/api/products", minimal("product") | {"barcode": "2"}).json()
    wrong = [
        {"barcode": "1"},
        {"price_type": "weight"},
        {"tags": [str(uuid4())]},
        {"image": "f" * 64},
        {"tax_rate": "101"},
        {"category": None},
        {"name": ""},
    ]
    for data in wrong:
        single = api.patch(f"/api/products/{other['id']}", data)
        told = {name: value for name, value in single.json().items() if name != "request_id"}
        answer = send(api, "/api/products", {"op": "update", "id": other["id"], "data": data}, mode="each")
        (result,) = answer.json()["results"]
        problem = {name: value for name, value in result["problem"].items() if name != "request_id"}
        assert (result["status"], problem) == (single.status_code, told), data
    assert api.get(here).json()["barcode"] == "1"


def test_if_match_is_asked_of_each(api):
    hot, mild = (api.post("/api/tags", {"name": name}) for name in ("hot", "mild"))
    asked = [
        {"op": "update", "id": hot.json()["id"], "if_match": hot["ETag"], "data": {"color": "#112233"}},
        {"op": "delete", "id": mild.json()["id"], "if_match": '"stale"'},
    ]

    answer = send(api, "/api/tags", *asked)
    assert (answer.status_code, statuses(answer)) == (409, [424, 412])
    assert statuses(send(api, "/api/tags", *asked, mode="each")) == [200, 412]
    assert api.get(mild["Location"]).status_code == 200


def test_a_category_may_be_below_one_of_the_same_batch(api):
    top, low = str(uuid4()), str(uuid4())
    parent, child = (
        {"op": "create", "data": {"id": top, "name": "Food"}},
        {"op": "create", "data": {"id": low, "name": "Soup", "parent": top}},
    )
    answer = send(api, "/api/categories", child, parent, mode="each")
    assert statuses(answer) == [400, 201], "only to what comes before"
    assert statuses(send(api, "/api/categories", child)) == [201]
    models.Category.objects.all().delete()
    assert statuses(send(api, "/api/categories", parent, child)) == [201, 201]


def test_moves_of_one_batch_make_no_circle(api):
    first, second, third = (models.Category.objects.create(name=name) for name in "abc")
    answer = send(
        api,
        "/api/categories",
        {"op": "update", "id": str(first.pk), "data": {"parent": str(second.pk)}},
        {"op": "update", "id": str(third.pk), "data": {"name": "d"}},
        {"op": "update", "id": str(second.pk), "data": {"parent": str(first.pk)}},
        mode="each",
    )
    assert statuses(answer) == [200, 200, 400]
    second.refresh_from_db()
    assert second.parent is None


def test_a_name_is_free_when_its_owner_goes_or_is_called_otherwise(api):
    hot, mild = (models.Tag.objects.create(name=name) for name in ("hot", "mild"))
    answer = send(
        api,
        "/api/tags",
        {"op": "create", "data": {"name": "hot"}},
        {"op": "delete", "id": str(hot.pk)},
        {"op": "update", "id": str(mild.pk), "data": {"name": "warm"}},
        {"op": "create", "data": {"name": "mild"}},
    )
    assert statuses(answer) == [201, 204, 200, 201], answer.content


def test_options_and_links_of_many_are_written_together(api, minimal):
    attributes = [
        {"op": "create", "data": {"name": f"a{n}", "options": [{"name": "S"}, {"name": "L"}]}} for n in range(5)
    ]
    made = [one["object"] for one in send(api, "/api/attributes", *attributes).json()["results"]]
    assert all([option["name"] for option in one["options"]] == ["S", "L"] for one in made)
    changed = [
        {"op": "update", "id": one["id"], "data": {"options": [*reversed(one["options"]), {"name": f"X{n}"}]}}
        for n, one in enumerate(made)
    ] + [{"op": "create", "data": {"name": "stolen", "options": made[0]["options"][:1]}}]
    answer = send(api, "/api/attributes", *changed, mode="each")
    assert statuses(answer) == [200] * 5 + [400]
    assert answer.json()["results"][5]["problem"]["errors"][0]["field"] == "options.0.id"
    assert [len(one["object"]["options"]) for one in answer.json()["results"][:5]] == [3] * 5

    ids = [one["id"] for one in made]
    products = [{"op": "create", "data": minimal("product") | {"attributes": ids[:n]}} for n in range(4)]
    answer = send(api, "/api/products", *products)
    assert [one["object"]["attributes"] for one in answer.json()["results"]] == [sorted(ids[:n]) for n in range(4)]


def test_the_number_of_statements_does_not_grow_with_the_batch(api, minimal):
    tags = [str(models.Tag.objects.create(name=f"t{n}").pk) for n in range(3)]
    images = [
        Image.objects.create(hash=digit * 64, status="stored", width=2, height=2, size=9, wanted_at=timezone.now()).pk
        for digit in "ab"
    ]
    body = minimal("product") | {"tags": tags}
    found = []
    for many in (2, 40):
        new = [
            {"op": "create", "data": body | {"id": str(uuid4()), "sku": f"{many} {n}", "image": images[n % 2]}}
            for n in range(many)
        ]
        ids = [one["data"]["id"] for one in new]
        price = [{"op": "update", "id": id, "data": {"price": "9", "tags": tags[: n % 3]}} for n, id in enumerate(ids)]
        put = [{"op": "replace", "id": id, "data": body} for id in ids]
        gone = [{"op": "delete", "id": id} for id in ids]
        found.append([statements_of(partial(send, api, "/api/products", *some)) for some in (new, price, put, gone)])
    assert found[0] == found[1]
    assert max(found[0]) <= 20, found


@pytest.mark.django_db(transaction=True)
def test_each_object_of_a_batch_has_one_version(api, minimal):
    """Also one with links, of which each is a row of its own."""
    tags = [str(models.Tag.objects.create(name=f"t{n}").pk) for n in range(3)]
    product = minimal("product") | {"tags": tags}
    ids = [str(uuid4()) for _ in range(3)]

    def versions():
        return list(Change.objects.filter(resource="product").order_by("version").values_list("object_id", "action"))

    assert (
        statuses(send(api, "/api/products", *[{"op": "create", "data": product | {"id": id}} for id in ids]))
        == [201] * 3
    )
    assert sorted(versions()) == sorted((UUID(id), Change.Action.CREATED) for id in ids)
    changed = {"price": "7", "tags": tags[:1]}
    answer = send(api, "/api/products", *[{"op": "update", "id": id, "data": changed} for id in ids])
    assert statuses(answer) == [200] * 3
    assert sorted(versions()[3:]) == sorted((UUID(id), Change.Action.UPDATED) for id in ids)


def test_a_batch_is_bounded(api):
    many = [{"op": "create", "data": {"name": str(n)}} for n in range(501)]
    answer = send(api, "/api/tags", *many)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [one["field"] for one in answer.json()["errors"]] == ["operations"]
    assert statuses(send(api, "/api/tags", *many[:500])) == [201] * 500
    assert send(api, "/api/tags").json() == {"results": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "operations"),
        ({"operations": {}}, "operations"),
        ({"operations": [], "mode": "some"}, "mode"),
        ({"operations": [1]}, "operations.0"),
        ({"operations": [{"op": "x"}]}, "operations.0.op"),
        ({"operations": [{"op": "update", "id": "x", "data": {}}]}, "operations.0.id"),
        ({"operations": [{"op": "create", "data": []}]}, "operations.0.data"),
        ({"operations": [{"op": "create", "data": {"name": "x"}}, {"data": {}}]}, "operations.1.op"),
    ],
)
def test_a_body_that_is_no_batch_is_refused(api, body, field):
    answer = api.post("/api/tags/batch", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert field in [error["field"] for error in answer.json()["errors"]], answer.json()
    assert not models.Tag.objects.exists()


def test_an_object_is_named_once(api):
    tag = models.Tag.objects.create(name="hot")
    twice = [{"op": "update", "id": str(tag.pk), "data": {"name": name}} for name in ("a", "b")]
    assert statuses(send(api, "/api/tags", *twice, mode="each")) == [200, 400]
    tag.refresh_from_db()
    assert tag.name == "a"


def test_only_those_who_may_write(api, till):
    assert send(till, "/api/tags").status_code == 403
    assert Client().post("/api/tags/batch", {}, "application/json").status_code == 401
    user = User.objects.create_user("mira", is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.post("/api/tags/batch", {"operations": []}, "application/json").status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="add_tag"))
    tag, other = (models.Tag.objects.create(name=name) for name in ("hot", "mild"))
    asked = {
        "mode": "each",
        "operations": [
            {"op": "create", "data": {"name": "new"}},
            {"op": "update", "id": str(tag.pk), "data": {"name": "x"}},
            {"op": "replace", "id": str(uuid4()), "data": {"name": "y"}},
            {"op": "delete", "id": str(other.pk)},
        ],
    }
    answer = client.post("/api/tags/batch", asked, "application/json")
    assert statuses(answer) == [201, 403, 403, 403]
    assert answer.json()["results"][1]["problem"]["code"] == "forbidden"
