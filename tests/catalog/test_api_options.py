"""The options of an attribute travel inside it and are written as one list."""

from uuid import uuid4

import pytest

from catalog import models


@pytest.fixture
def size(api):
    return api.post(
        "/api/attributes",
        {
            "name": "Size",
            "options": [{"name": "Small"}, {"name": "Large", "price_change": "1.5", "is_default": True}],
        },
    )


def test_options_come_back_in_order_with_ids_and_defaults(size):
    assert size.status_code == 201, size.content
    assert list(size.json()) == [
        "id",
        "name",
        "choice",
        "min",
        "max",
        "free",
        "is_required",
        "position",
        "options",
        "updated_at",
    ]
    small, large = size.json()["options"]
    assert list(small) == ["id", "name", "price_change", "is_default", "is_sold_out", "position"]
    assert (small["name"], small["price_change"], small["is_default"], small["position"]) == (
        "Small",
        "0.00",
        False,
        0,
    )
    assert (large["name"], large["price_change"], large["is_default"], large["position"]) == (
        "Large",
        "1.50",
        True,
        1,
    )


def test_known_ids_stay_new_ones_come_and_missing_ones_go(api, size):
    small, large = size.json()["options"]
    mine = str(uuid4())
    changed = api.patch(
        size["Location"],
        {"options": [{**large, "name": "Huge"}, {"name": "Medium"}, {"id": mine, "name": "Tiny"}]},
    )
    assert changed.status_code == 200, changed.content
    by_name = {option["name"]: option["id"] for option in changed.json()["options"]}
    assert by_name["Huge"] == large["id"]
    assert by_name["Tiny"] == mine
    assert by_name["Medium"] not in (small["id"], large["id"])
    assert not models.AttributeOption.objects.filter(pk=small["id"]).exists()


def test_two_options_can_change_names_with_each_other(api, size):
    small, large = size.json()["options"]
    swapped = [{**small, "name": large["name"]}, {**large, "name": small["name"]}]
    answer = api.patch(size["Location"], {"options": swapped})
    assert answer.status_code == 200, answer.content
    assert answer.json()["options"] == swapped


def test_a_name_is_free_when_its_option_goes(api, size):
    answer = api.patch(size["Location"], {"options": [{"name": "small"}]})
    assert answer.status_code == 200, answer.content
    assert [option["name"] for option in answer.json()["options"]] == ["small"]


def test_a_patch_without_options_leaves_them_and_a_put_without_takes_them(api, size):
    kept = api.patch(size["Location"], {"min": 1}).json()
    assert kept["options"] == size.json()["options"]
    assert api.put(size["Location"], {"name": "Size"}).json()["options"] == []


def test_changed_options_change_the_attribute(api, size):
    small, large = size.json()["options"]
    changed = api.patch(size["Location"], {"options": [small, {**large, "is_sold_out": True}]}).json()
    assert changed["updated_at"] > size.json()["updated_at"]
    assert changed["options"] == [small, {**large, "is_sold_out": True}]


def test_an_option_of_another_attribute_is_refused(api, size):
    other = api.post("/api/attributes", {"name": "Sauce", "options": [{"name": "Ketchup"}]})
    stolen = size.json()["options"][0] | {"name": "Mayonnaise"}
    answer = api.patch(other["Location"], {"name": "Dip", "options": [{"name": "Ketchup"}, stolen]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "options.1.id")
    assert api.get(other["Location"]).content == other.content, "a refused write leaves nothing behind"
    assert api.get(size["Location"]).content == size.content


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ([{"name": "A"}, {"name": "a"}], "options.1.name"),
        ([{"name": "A"}, {"price_change": "1"}], "options.1.name"),
        ([{"name": "A", "price_change": "1.234"}], "options.0.price_change"),
        ([{"name": "A", "id": "x"}], "options.0.id"),
        ([{"name": "A", "id": "0b0f9a3e-0000-4000-8000-000000000000"}] * 2, "options.1.id"),
        ([{"name": ""}], "options.0.name"),
        ([1], "options.0"),
        ({"name": "A"}, "options"),
        ("A", "options"),
        (None, "options"),
        ([{"name": str(number)} for number in range(201)], "options"),
    ],
)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_wrong_options_are_named(api, size, options, field, method):
    answer = getattr(api, method)(size["Location"], {"name": "Size", "options": options})
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json()["errors"]], answer.json()
