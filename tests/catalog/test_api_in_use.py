"""What an object can't be without stays; links go with either end; optional references become empty."""

import pytest

from catalog import models


@pytest.fixture
def menu(category):
    zone = models.Zone.objects.create(name="Terrace")
    role = models.Role.objects.create(name="Waiter")
    tag = models.Tag.objects.create(name="hot")
    tea, coffee = (models.Product.objects.create(name=name, price=2, category=category) for name in ("Tea", "Coffee"))
    models.DiningTable.objects.create(name="1", zone=zone)
    models.Employee.objects.create(name="Ada", code="1", role=role)
    for scope, target in (("category", category), ("tag", tag), ("product", tea), ("zone", zone)):
        models.PriceRule.objects.create(name=scope, value=-10, scope=scope, **{scope: target})
    return {"category": category, "zone": zone, "role": role, "tag": tag, "tea": tea, "coffee": coffee}


@pytest.mark.parametrize(
    ("name", "address", "by"),
    [
        ("category", "categories", {"product": 2, "price_rule": 1}),
        ("zone", "zones", {"dining_table": 1, "price_rule": 1}),
        ("role", "roles", {"employee": 1}),
        ("tag", "tags", {"price_rule": 1}),
        ("tea", "products", {"price_rule": 1}),
    ],
)
def test_what_others_need_is_protected(api, menu, name, address, by):
    answer = api.delete(f"/api/{address}/{menu[name].pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert answer["Content-Type"] == "application/problem+json"
    assert {one["resource"]: one["count"] for one in answer.json()["by"]} == by
    assert api.get(f"/api/{address}/{menu[name].pk}").status_code == 200


def test_links_go_with_either_end(api, menu):
    attribute = models.Attribute.objects.create(name="Size")
    kitchen = models.PrintDestination.objects.create(name="Kitchen")
    vegan = models.Tag.objects.create(name="vegan")
    coffee = menu["coffee"]
    coffee.tags.add(vegan)
    coffee.attributes.add(attribute)
    coffee.print_destinations.add(kitchen)
    for address, gone in (("tags", vegan), ("attributes", attribute), ("print-destinations", kitchen)):
        assert api.delete(f"/api/{address}/{gone.pk}").status_code == 204
    row = api.get(f"/api/products/{coffee.pk}").json()
    assert (row["tags"], row["attributes"], row["print_destinations"]) == ([], [], [])
    coffee.tags.add(menu["tag"])
    assert api.delete(f"/api/products/{coffee.pk}").status_code == 204
    assert api.get(f"/api/tags/{menu['tag'].pk}").status_code == 200


def test_optional_references_become_empty(api):
    top = models.Category.objects.create(name="Food")
    low = models.Category.objects.create(name="Soup", parent=top)
    spare = models.PrintDestination.objects.create(name="Bar")
    main = models.PrintDestination.objects.create(name="Kitchen", fallback=spare)
    assert api.delete(f"/api/categories/{top.pk}").status_code == 204
    assert api.delete(f"/api/print-destinations/{spare.pk}").status_code == 204
    assert api.get(f"/api/categories/{low.pk}").json()["parent"] is None
    assert api.get(f"/api/print-destinations/{main.pk}").json()["fallback"] is None


def test_a_deletion_that_would_leave_two_top_categories_of_one_name_is_a_conflict(api):
    models.Category.objects.create(name="Soup")
    top = models.Category.objects.create(name="Food")
    models.Category.objects.create(name="soup", parent=top)
    answer = api.delete(f"/api/categories/{top.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert api.get(f"/api/categories/{top.pk}").status_code == 200
