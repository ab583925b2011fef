"""From the name of a file to the product that the photo is for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from catalog.models import Category, Product
from uploads.matching import Match, match

from .conftest import wrong_fields


@pytest.fixture
def menu(db: None) -> dict[str, Product]:
    category = Category.objects.create(name="Drinks")
    rows = [
        ("Espresso Doppio", "ESP-001", "4006381333931"),
        ("Éclair au café", "ecl-7", ""),
        ("Coca-Cola", "", ""),
        ("Tea", "2", ""),
        ("Coffee 12", "", ""),
        ("House Wine", "", ""),
        ("House wine", "", ""),
    ]
    return {
        name: Product.objects.create(name=name, sku=sku, barcode=barcode, price="1.00", category=category)
        for name, sku, barcode in rows
    }


@pytest.mark.parametrize(
    ("filename", "name", "by"),
    [
        ("ESP-001.jpg", "Espresso Doppio", "sku"),
        ("esp-001.JPG", "Espresso Doppio", "sku"),
        ("ESP-001 (2).jpeg", "Espresso Doppio", "sku"),
        ("ESP-001_front.heic", "Espresso Doppio", "sku"),
        ("C:\\photos\\ESP-001.png", "Espresso Doppio", "sku"),
        ("menu/ESP-001.png", "Espresso Doppio", "sku"),
        ("ECL-7.png", "Éclair au café", "sku"),
        ("4006381333931.jpg", "Espresso Doppio", "barcode"),
        ("Espresso Doppio.jpg", "Espresso Doppio", "name"),
        ("espresso_doppio-2.jpg", "Espresso Doppio", "name"),
        ("Éclair au café.jpg", "Éclair au café", "name"),
        ("E\u0301clair_au_cafe\u0301.jpg", "Éclair au café", "name"),
        ("coca cola.webp", "Coca-Cola", "name"),
        ("cocacola.webp", None, None),
        ("Coffee 12.jpg", "Coffee 12", "name"),
        ("2 coffees.jpg", None, None),
        ("house wine.jpg", None, None),
        ("IMG_0042.jpg", None, None),
        (".jpg", None, None),
        ("(1).jpg", None, None),
    ],
)
def test_a_file_finds_its_product(menu: dict[str, Product], filename: str, name: str | None, by: str | None) -> None:
    assert match(filenames=[filename]) == [Match(filename, menu[name] if name else None, by)]


@pytest.mark.parametrize("sku", ["CocaCola-33", "abc-Def", "iPad1", "McB-1", "Größe-XL"])
def test_a_sku_is_found_however_it_is_spelled(menu: dict[str, Product], sku: str) -> None:
    Product.objects.filter(name="Tea").update(sku=sku)
    for filename in (f"{sku}.jpg", f"{sku.upper()}.jpg", f"{sku.casefold()} (2).jpg"):
        assert match(filenames=[filename], ways=["sku"])[0].product == menu["Tea"], filename


@pytest.mark.parametrize(
    "name", ["Straße Café", "Großes Bier", "Café Über", "Pan Ñame", "ЩИ Борщ", "a Éclair", "ΨΩΜΟΣ"]
)
def test_a_name_is_found_in_every_script(menu: dict[str, Product], name: str) -> None:
    Product.objects.filter(pk=menu["Tea"].pk).update(name=name)
    for filename in (f"{name}.jpg", f"{name.lower()}.jpg", f"{name.upper().replace(' ', '_')}.jpg"):
        assert match(filenames=[filename], ways=["name"])[0].product == menu["Tea"], filename


def test_of_two_with_one_name_the_one_on_sale_is_meant(menu: dict[str, Product]) -> None:
    Product.objects.filter(pk=menu["House wine"].pk).update(is_active=False)

    assert match(filenames=["house wine.jpg"])[0].product == menu["House Wine"]


def test_only_the_ways_that_were_asked_for_are_gone(menu: dict[str, Product]) -> None:
    names = ["ESP-001.jpg", "Espresso Doppio.jpg", "4006381333931.jpg"]

    assert [found.by for found in match(filenames=names, ways=["sku"])] == ["sku", None, None]
    assert [found.by for found in match(filenames=names, ways=["name"])] == [None, "name", None]


def test_fifty_names_cost_two_queries(menu: dict[str, Product], django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(2):
        found = match(filenames=[f"ESP-001 ({number}).jpg" for number in range(50)])

    assert {one.product for one in found} == {menu["Espresso Doppio"]}


def test_the_api_answers_in_the_order_of_the_names(api: Client, menu: dict[str, Product]) -> None:
    body = {"filenames": ["nobody.jpg", "ESP-001.jpg"]}

    answer = api.post("/api/photos/match", body, content_type="application/json")

    product = {"id": str(menu["Espresso Doppio"].pk), "name": "Espresso Doppio", "sku": "ESP-001", "image": None}
    assert answer.json() == {
        "matches": [
            {"filename": "nobody.jpg", "product": None, "by": None},
            {"filename": "ESP-001.jpg", "product": product, "by": "sku"},
        ]
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filenames"),
        ({"filenames": ["x"] * 501}, "filenames"),
        ({"filenames": "ESP-001.jpg"}, "filenames"),
        ({"filenames": [], "by": ["color"]}, "by.0"),
        ({"filenames": ["nul\x00"]}, "filenames.0"),
    ],
    ids=["nothing", "too many", "no list", "no way", "NUL"],
)
def test_a_wrong_question_is_refused(api: Client, db: None, body: dict[str, Any], field: str) -> None:
    assert wrong_fields(api.post("/api/photos/match", body, content_type="application/json")) == [field]
