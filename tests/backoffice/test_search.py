"""The search of the admin: pages and things, as far as one may look at them."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from catalog.models import Category, Employee, Product, Role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    Product.objects.create(name="Espresso", sku="ESP-1", price="2.00", category=Category.objects.create(name="Coffee"))
    Employee.objects.create(name="Esperanza", code="7", role=Role.objects.create(name="Waiter"))


@pytest.mark.parametrize("words", ["espr", "ESP-1"])
def test_a_product_is_found_by_name_and_number(admin_client: Client, words: str) -> None:
    assert "Espresso" in admin_client.get("/admin/search/", {"s": words, "extended": "1"}).content.decode()


def test_pages_are_found_by_their_titles(admin_client: Client) -> None:
    assert "/admin/catalog/category/" in admin_client.get("/admin/search/", {"s": "categ"}).content.decode()


@pytest.mark.parametrize("words", ["", "   ", "\x00", "nothing of this name", "a" * 5000])
def test_nothing_is_found_where_nothing_fits(admin_client: Client, words: str) -> None:
    assert admin_client.get("/admin/search/", {"s": words}).status_code == 200


def test_what_one_may_not_look_at_is_not_found(client: Client) -> None:
    cook = User.objects.create_user("cook", is_staff=True)
    cook.user_permissions.add(Permission.objects.get(codename="view_product"))
    client.force_login(cook)
    said = client.get("/admin/search/", {"s": "esp"}).content.decode()
    assert "Espresso" in said
    assert "Esperanza" not in said


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    assert client.get("/admin/search/", {"s": "esp"}).status_code == 302
