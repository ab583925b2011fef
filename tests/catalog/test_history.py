"""The history of a record says who changed what, from what to what, wherever it was done."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import edits, services
from catalog.edits import Author, Way
from catalog.models import Attribute, Category, Edit, Employee, Product, Role, Tag
from images.models import Image

from .conftest import Api
from .pages import change_form


@pytest.fixture
def cola(category: Category) -> Product:
    return Product.objects.create(name="Cola", price="3.00", category=category)


def lines(client: Client, record: Any) -> list[tuple[str, str, list[str]]]:
    """Who, how and what of each line of a history, as the page has them."""
    edits.noted.flush()
    page = client.get(f"/admin/catalog/{record._meta.model_name}/{record.pk}/history/")
    return [(line.who, line.how, list(line.what)) for line in page.context["action_list"]]


def an_image() -> Image:
    return Image.objects.create(
        hash=uuid4().hex * 2, status="stored", width=2, height=2, size=9, wanted_at=timezone.now()
    )


def test_what_the_api_changed_is_told_with_old_and_new(admin_client: Client, api: Api, cola: Product) -> None:
    food = Category.objects.create(name="Food")
    api.patch(f"/api/products/{cola.pk}", {"price": "3.50", "category": str(food.pk), "is_active": False})

    told = ["Category: Drinks → Food", "Price: 3.00 → 3.50", "Active: ✓ → ✗"]
    ((who, how, what),) = lines(admin_client, cola)
    assert (who, how, sorted(what)) == ("back office", "API", sorted(told))


def test_all_ways_stand_in_one_list_the_newest_first(admin_client: Client, api: Api, cola: Product) -> None:
    api.patch(f"/api/products/{cola.pk}", {"name": "Cola Zero"})
    edits.noted.flush()
    cola.refresh_from_db()
    change_form(admin_client, cola).save(price="4.00")
    edits.write(Author(Way.IMPORT, "anna", "menu.csv"), "product", [(cola.pk, [["price", "4.00", "4.20"]])])

    assert lines(admin_client, cola) == [
        ("anna", "Import “menu.csv”", ["Price: 4.00 → 4.20"]),
        ("manager", "", ["Changed Price: 3.00 → 4.00."]),
        ("back office", "API", ["Name: Cola → Cola Zero"]),
    ]


def test_what_is_in_a_list_is_told_by_its_name(admin_client: Client, api: Api, cola: Product) -> None:
    tags = [str(Tag.objects.create(name=name).pk) for name in ("hot", "new")]
    size = Attribute.objects.create(name="Size")
    api.patch(f"/api/products/{cola.pk}", {"tags": tags})
    api.patch(f"/api/products/{cola.pk}", {"tags": tags[::-1], "attributes": []})  # as it was
    api.patch(f"/api/attributes/{size.pk}", {"options": [{"name": "large"}]})

    assert lines(admin_client, cola) == [("back office", "API", ["Tags: changed"])]
    assert lines(admin_client, size) == [("back office", "API", ["Options: changed"])]


def test_a_secret_is_told_without_its_value(admin_client: Client, api: Api) -> None:
    anna = Employee.objects.create(name="Anna", code="1", role=Role.objects.create(name="Waiter"))
    api.patch(f"/api/employees/{anna.pk}", {"pin": "4711"})

    assert lines(admin_client, anna) == [("back office", "API", ["PIN: changed"])]
    assert Edit.objects.get().changes == [["pin_hash"]]


def test_a_write_that_changes_nothing_or_is_refused_leaves_no_line(
    admin_client: Client, api: Api, cola: Product
) -> None:
    here = f"/api/products/{cola.pk}"
    assert api.patch(here, {"name": "Cola"}).status_code == 200
    assert api.patch(here, {"name": ""}).status_code == 400
    operations = [{"op": "update", "id": str(cola.pk), "data": {"name": "x"}}, {"op": "delete", "id": str(uuid4())}]
    assert api.post("/api/products/batch", {"operations": operations}).status_code == 409

    assert lines(admin_client, cola) == []


def test_a_batch_is_told_to_each_and_staff_by_their_name(admin_client: Client, cola: Product) -> None:
    fanta = str(uuid4())
    data = {"id": fanta, "name": "Fanta", "price": "2.90", "category": str(cola.category_id)}
    operations = [
        {"op": "update", "id": str(cola.pk), "data": {"price": "3.10"}},
        {"op": "create", "data": data},
    ]
    sent = admin_client.post("/api/products/batch", {"operations": operations}, content_type="application/json")
    assert sent.status_code == 200, sent.content

    assert lines(admin_client, cola) == [("manager", "API", ["Price: 3.00 → 3.10"])]
    assert lines(admin_client, Product.objects.get(pk=fanta)) == [("manager", "API", ["Added."])]


def test_the_line_of_the_api_costs_a_write_no_statement(api: Api, cola: Product) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert api.patch(f"/api/products/{cola.pk}", {"name": "Cola Zero"}).status_code == 200
    assert [one["sql"] for one in queries if "catalog_edit" in one["sql"]] == []
    assert edits.noted.flush() == 1


def test_a_new_picture_is_shown_beside_the_one_before(admin_client: Client, cola: Product) -> None:
    first, second = an_image(), an_image()
    for image in (first, second):
        services.show_image(product_id=cola.pk, hash=image.pk, author=Author(Way.PHOTO, "Till 1"))

    (who, how, (after,)), (_who, _how, (before,)) = lines(admin_client, cola)
    assert (who, how) == ("Till 1", "Photo")
    assert f"{first.pk}.jpg?w=160" in after
    assert f"{second.pk}.jpg?w=160" in after
    assert before.startswith("Picture: – → <a")


def test_a_picture_that_is_gone_is_named_by_its_first_digits(admin_client: Client, cola: Product) -> None:
    image = an_image()
    for hash in (image.pk, None):
        services.show_image(product_id=cola.pk, hash=hash, author=Author(Way.STUDIO, "manager"))
    Image.objects.all().delete()

    assert lines(admin_client, cola)[0] == ("manager", "Studio", [f"Picture: {image.pk[:8]} → –"])


def test_a_long_history_has_pages(admin_client: Client, cola: Product) -> None:
    done = [(cola.pk, [["price", f"{n}.00", f"{n + 1}.00"]]) for n in range(130)]
    edits.write(Author(Way.API, "till"), "product", done)
    assert len(lines(admin_client, cola)) == 100
    page = admin_client.get(f"/admin/catalog/product/{cola.pk}/history/?p=2")
    assert len(page.context["action_list"]) == 30


def test_after_a_year_a_line_goes(admin_client: Client, cola: Product) -> None:
    edits.write(Author(Way.API, "till"), "product", [(cola.pk, [["price", "1.00", "2.00"]])])
    edits.prune(now=timezone.now() + edits.KEPT - timedelta(days=1))
    assert len(lines(admin_client, cola)) == 1
    edits.prune(now=timezone.now() + edits.KEPT + timedelta(seconds=1))
    assert lines(admin_client, cola) == []


def test_a_login_that_is_deleted_keeps_its_name_in_the_history(admin_client: Client, cola: Product) -> None:
    edits.write(Author(Way.STUDIO, "anna"), "product", [(cola.pk, [["image", None, "ab" * 32]])])
    User.objects.exclude(username="manager").delete()
    assert lines(admin_client, cola) == [("anna", "Studio", ["Picture: – → abababab"])]
