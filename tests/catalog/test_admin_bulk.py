from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.admin.bulk import changed_by
from catalog.models import Category, Product

from .pages import messages_of


@pytest.fixture
def drinks(category: Category) -> list[Product]:
    return [Product.objects.create(name=f"Drink {n}", price=f"{n}.05", category=category) for n in range(3)]


def run(client: Client, action: str, records: list[Any], **more: str) -> Any:
    sent = {"action": action, "_selected_action": [str(record.pk) for record in records], **more}
    return client.post(f"/admin/catalog/{records[0]._meta.model_name}/", sent)


@pytest.mark.parametrize(
    ("action", "flag", "before", "after"),
    [
        ("activate", "is_active", False, True),
        ("deactivate", "is_active", True, False),
        ("mark_sold_out", "is_sold_out", False, True),
        ("mark_available", "is_sold_out", True, False),
    ],
)
def test_a_bulk_action_changes_the_chosen_and_only_them(
    admin_client: Client, drinks: list[Product], action: str, flag: str, before: bool, after: bool
) -> None:
    Product.objects.update(**{flag: before})
    stamp = drinks[0].updated_at
    response = run(admin_client, action, drinks[:2])
    assert response.status_code == 302
    assert messages_of(response) == ["2 records were changed."]
    assert [getattr(p, flag) for p in Product.objects.order_by("name")] == [after, after, before]
    assert Product.objects.get(pk=drinks[0].pk).updated_at > stamp
    assert LogEntry.objects.count() == 2


def test_a_bulk_action_leaves_alone_what_is_so_already(admin_client: Client, drinks: list[Product]) -> None:
    response = run(admin_client, "activate", drinks)
    assert messages_of(response) == ["0 records were changed."]
    assert not LogEntry.objects.exists()
    assert [p.updated_at for p in Product.objects.order_by("name")] == [p.updated_at for p in drinks]


def test_prices_change_by_percent_after_a_preview(admin_client: Client, drinks: list[Product]) -> None:
    asked = run(admin_client, "change_price", drinks)
    assert asked.status_code == 200
    assert "3 products are chosen" in asked.content.decode()
    preview = run(admin_client, "change_price", drinks, percent="10", preview="")
    assert "1.16" in preview.content.decode()
    assert Product.objects.get(pk=drinks[1].pk).price == Decimal("1.05")
    assert run(admin_client, "change_price", drinks[:2], percent="10", apply="").status_code == 302
    prices = [product.price for product in Product.objects.order_by("name")]
    assert prices == [Decimal("0.06"), Decimal("1.16"), Decimal("2.05")]
    assert LogEntry.objects.first().get_change_message() == "Changed price by 10 %."  # type: ignore[union-attr]


def test_prices_of_all_pages_change_when_all_are_chosen(admin_client: Client, drinks: list[Product]) -> None:
    run(admin_client, "change_price", drinks[:1], percent="-100", apply="", select_across="1")
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal("0.00")}


@pytest.mark.parametrize("percent", ["", "x", "-100.01", "1001", "NaN", "Infinity", "1e9", "0.001"])
def test_an_odd_percentage_is_refused(admin_client: Client, drinks: list[Product], percent: str) -> None:
    response = run(admin_client, "change_price", drinks, percent=percent, apply="")
    assert response.status_code == 200
    assert response.context["form"].errors
    assert Product.objects.get(pk=drinks[1].pk).price == Decimal("1.05")


def test_a_price_that_would_not_fit_changes_none(admin_client: Client, drinks: list[Product]) -> None:
    Product.objects.filter(pk=drinks[2].pk).update(price="99999999.00")
    response = run(admin_client, "change_price", drinks, percent="10", apply="")
    assert "Drink 2" in str(response.context["form"].errors)
    assert Product.objects.get(pk=drinks[1].pk).price == Decimal("1.05")


@pytest.mark.parametrize(
    ("price", "percent", "expected"),
    [("2.67", "50", "4.01"), ("1.05", "10", "1.16"), ("0.01", "-50", "0.01"), ("9.99", "-100", "0.00")],
)
def test_half_a_cent_goes_up(price: str, percent: str, expected: str) -> None:
    assert changed_by(Decimal(price), Decimal(percent)) == Decimal(expected)


def test_many_prices_change_in_few_queries(admin_client: Client, category: Category) -> None:
    products = Product.objects.bulk_create(
        Product(name=f"Product {n}", price="1.00", category=category) for n in range(300)
    )
    with CaptureQueriesContext(connection) as queries:
        run(admin_client, "change_price", products, percent="10", apply="")
    assert len(queries) < 20
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal("1.10")}


def test_categories_and_employees_have_their_actions_too(admin_client: Client, category: Category) -> None:
    run(admin_client, "deactivate", [category])
    category.refresh_from_db()
    assert not category.is_active
