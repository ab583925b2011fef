from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.lists import CLASSES
from catalog import models
from catalog.models import Category, Product

from .conftest import MODELS
from .pages import list_form, messages_of

LISTS = sorted(model._meta.model_name or "" for model in MODELS.values())


def make_menu(start: int, count: int) -> None:
    """``count`` of everything, each with relations of its own."""
    for number in range(start, start + count):
        printer = models.PrintDestination.objects.create(name=f"Printer {number}")
        models.PrintDestination.objects.create(name=f"Second {number}", fallback=printer)
        top = Category.objects.create(name=f"Top {number}")
        category = Category.objects.create(name=f"Category {number}", parent=top, color="#aa3300")
        tag = models.Tag.objects.create(name=f"Tag {number}", color="#00aa33")
        attribute = models.Attribute.objects.create(name=f"Attribute {number}")
        models.AttributeOption.objects.create(attribute=attribute, name="Small")
        product = Product.objects.create(name=f"Product {number}", price="3.50", category=category)
        product.tags.add(tag)
        product.attributes.add(attribute)
        zone = models.Zone.objects.create(name=f"Zone {number}")
        models.DiningTable.objects.create(name="1", zone=zone)
        role = models.Role.objects.create(name=f"Role {number}")
        models.Employee.objects.create(name=f"Employee {number}", code=f"E{number}", role=role)
        models.PriceRule.objects.create(name=f"Rule {number}", value="-10", scope="product", product=product)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_queries_however_long_it_is(name: str, admin_client: Client) -> None:
    make_menu(0, 2)
    admin_client.get(f"/admin/catalog/{name}/")
    with CaptureQueriesContext(
        connection,
    ) as short:
        assert admin_client.get(f"/admin/catalog/{name}/").status_code == 200
    make_menu(2, 8)
    with CaptureQueriesContext(connection) as long:
        assert admin_client.get(f"/admin/catalog/{name}/").status_code == 200
    assert len(long) == len(short)
    assert len(long) <= 12


@pytest.mark.parametrize("name", LISTS)
def test_every_list_can_be_searched_even_for_what_no_database_holds(name: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/catalog/{name}/", {"q": "a b"}).status_code == 200
    assert admin_client.get(f"/admin/catalog/{name}/", {"q": "a\0b"}).status_code == 200


def test_autocomplete_finds_by_part_of_the_name_and_survives_a_nul(admin_client: Client) -> None:
    Category.objects.create(name="Coffee and Tea")
    asked = {"app_label": "catalog", "model_name": "product", "field_name": "category"}
    found = admin_client.get("/admin/autocomplete/", {**asked, "term": "and t"}).json()
    assert [row["text"] for row in found["results"]] == ["Coffee and Tea"]
    assert admin_client.get("/admin/autocomplete/", {**asked, "term": "\0"}).status_code == 200


def test_an_odd_filter_is_no_error(admin_client: Client) -> None:
    for query in ("?category__id__exact=x", "?picture=perhaps", "?is_active__exact=7", "?p=999", "?o=99"):
        assert admin_client.get(f"/admin/catalog/product/{query}", follow=True).status_code == 200


def test_products_are_filtered_by_having_a_picture(admin_client: Client, category: Category) -> None:
    Product.objects.create(name="Bare", price=1, category=category)
    assert "Bare" in admin_client.get("/admin/catalog/product/?picture=no").content.decode()
    assert "Bare" not in admin_client.get("/admin/catalog/product/?picture=yes").content.decode()


def test_price_and_sold_out_are_edited_in_the_list(admin_client: Client, category: Category) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    form = list_form(admin_client, Product)
    response = form.save(**{"form-0-price": "3.20", "form-0-is_sold_out": "on"})
    assert response.status_code == 302
    product.refresh_from_db()
    assert (product.price, product.is_sold_out) == (Decimal("3.20"), True)


def test_a_list_that_was_opened_before_a_till_sold_out_does_not_undo_it(
    admin_client: Client, category: Category
) -> None:
    """The manager changes one product's price; the other, and what else happened to the same one, stay."""
    cola = Product.objects.create(name="Cola", price="3.00", category=category)
    fanta = Product.objects.create(name="Fanta", price="3.00", category=category)
    form = list_form(admin_client, Product)
    Product.objects.update(is_sold_out=True)
    Product.objects.filter(pk=fanta.pk).update(price="3.30")
    form.save(**{"form-0-price": "3.20"})
    cola.refresh_from_db()
    fanta.refresh_from_db()
    assert (cola.price, cola.is_sold_out) == (Decimal("3.20"), True)
    assert (fanta.price, fanta.is_sold_out) == (Decimal("3.30"), True)


def test_a_list_is_saved_with_a_message_when_a_row_is_named_by_something_that_is_no_id(
    admin_client: Client, category: Category
) -> None:
    Product.objects.create(name="Cola", price="3.00", category=category)
    response = admin_client.post(
        "/admin/catalog/product/", {"action": "activate", "_selected_action": "x", "index": "0", "select_across": "0"}
    )
    assert response.status_code == 302
    assert "no id" in messages_of(response)[0]


@pytest.fixture
def viewer(db: None) -> Client:
    """Somebody who may look at products and do nothing else."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_product"))
    client = Client()
    client.force_login(user)
    return client


def test_who_may_only_look_can_neither_change_nor_import(viewer: Client, category: Category) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    assert viewer.get("/admin/catalog/product/").status_code == 200
    page = viewer.get(f"/admin/catalog/product/{product.pk}/change/")
    assert page.status_code == 200
    assert "picture-drop" not in page.content.decode()
    assert viewer.post(f"/admin/catalog/product/{product.pk}/change/", {"name": "Pepsi"}).status_code == 403
    assert viewer.get("/admin/catalog/product/import/").status_code == 403
    assert viewer.get("/admin/catalog/product/export/").status_code == 200
    assert viewer.get("/admin/catalog/employee/export/").status_code == 403
    viewer.post("/admin/catalog/product/", {"action": "deactivate", "_selected_action": str(product.pk)})
    product.refresh_from_db()
    assert (product.name, product.is_active) == ("Cola", True)


def test_the_first_page_counts_what_its_reader_may_see(viewer: Client, category: Category) -> None:
    Product.objects.create(name="Cola", price="3.00", category=category, is_sold_out=True)
    page = viewer.get("/admin/")
    numbers = {str(card["title"]): card["number"] for card in page.context["cards"]}
    assert numbers == {"Products on sale": 1, "Sold out": 1, "Without a picture": 1}
    titles = [str(group["title"]) for group in page.context["sidebar_navigation"]]
    assert titles == ["None", "Menu"]


def test_a_protected_record_is_not_deleted_and_the_page_says_what_holds_it(
    admin_client: Client, category: Category
) -> None:
    Product.objects.create(name="Cola", price="3.00", category=category)
    page = admin_client.post(f"/admin/catalog/category/{category.pk}/delete/", {"post": "yes"})
    assert page.status_code == 200
    assert "Cola" in page.content.decode()
    bulk = {"action": "delete_selected", "_selected_action": str(category.pk), "post": "yes"}
    assert admin_client.post("/admin/catalog/category/", bulk).status_code in {200, 302}
    assert Category.objects.filter(pk=category.pk).exists()


@pytest.mark.parametrize("resource", sorted(MODELS))
def test_every_record_can_be_opened_added_looked_up_in_history_and_deleted(
    resource: str, admin_client: Client, minimal: Callable[[str], dict[str, Any]], api: Any
) -> None:
    from .conftest import ADDRESSES

    made = api.post(ADDRESSES[resource], minimal(resource))
    assert made.status_code == 201
    base = f"/admin/catalog/{MODELS[resource]._meta.model_name}"
    key = made.json()["id"]
    for address in (f"{base}/add/", f"{base}/{key}/change/", f"{base}/{key}/history/", f"{base}/{key}/delete/"):
        assert admin_client.get(address).status_code == 200, address
    assert admin_client.get(f"{base}/not-an-id/change/").status_code == 302
    assert admin_client.post(f"{base}/{key}/delete/", {"post": "yes"}).status_code == 302
    assert not MODELS[resource]._default_manager.filter(pk=key).exists()


def test_a_list_of_fifty_rows_weighs_less_than_200_kb(admin_client: Client) -> None:
    category = Category.objects.create(name="Drinks")
    for number in range(50):
        Product.objects.create(name=f"Product {number}", price="1.00", category=category, image=None)
    page = admin_client.get("/admin/catalog/product/").content
    assert page.count(b'class="data-row list-row') == 50
    assert all(name.encode() in page for name in CLASSES)
    assert len(page) < 200_000
