"""Sheets as they came from the field: the name of each file says what is expected of it."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalog.models import Category, Product

from .test_pages import complaints, export, imported, offer, rows_of

FIELD = Path(__file__).resolve().parents[2] / "field"
pytestmark = pytest.mark.any_database


def field(begin: str) -> bytes:
    (path,) = FIELD.glob(f"products-{begin}*")
    return path.read_bytes()


@pytest.fixture(autouse=True)
def desserts(db: None) -> Category:
    return Category.objects.create(name="Desserts")


def test_every_file_is_tried() -> None:
    assert len(list(FIELD.glob("products-*"))) == 9


def test_a_barcode_that_a_spreadsheet_computed_is_refused(admin_client: Client) -> None:
    page = offer(admin_client, Product, field("barcode"))
    assert "Row 2, column “barcode”" in complaints(page)
    assert not Product.objects.exists()


@pytest.mark.parametrize("begin", ["blank-rows-and-columns", "empty-lines-between"])
def test_blank_rows_and_columns_are_nothing(admin_client: Client, begin: str) -> None:
    imported(admin_client, Product, field(begin))
    assert Product.objects.count() == 2


def test_words_for_yes_are_understood_or_refused(admin_client: Client) -> None:
    sheet = field("booleans")
    page = offer(admin_client, Product, sheet)
    assert "Row 7, column “is_active”: “maybe” is neither yes nor no" in complaints(page)
    assert "confirm_form" not in page.context
    imported(admin_client, Product, sheet[: sheet.index(b"Bool nonsense")])
    assert list(Product.objects.values_list("is_active", flat=True)) == [True] * 5


def test_a_decimal_comma(admin_client: Client) -> None:
    imported(admin_client, Product, field("excel-es"))
    assert str(Product.objects.get().price) == "3.10"


def test_texts_like_formulas_go_out_still_and_come_in_unchanged(admin_client: Client) -> None:
    imported(admin_client, Product, field("formulas"))
    before = {product.pk: (product.name, product.updated_at) for product in Product.objects.all()}
    assert {name for name, _at in before.values()} == {"=1+1 Menu", "+1 shot", "@home"}
    for format in ("0", "1"):
        sheet = export(admin_client, Product, format)
        if format == "0":
            assert {row["name"] for row in rows_of(sheet)} == {"'=1+1 Menu", "'+1 shot", "'@home"}
        imported(admin_client, Product, sheet, format)
        assert {product.pk: (product.name, product.updated_at) for product in Product.objects.all()} == before


def test_a_heading_in_capitals_is_the_same(admin_client: Client) -> None:
    coffee = Category.objects.create(name="Coffee and Tea")
    Product.objects.create(name="Old", price=1, category=coffee, sku="COF-01")
    imported(admin_client, Product, field("header-SKU"))
    assert (Product.objects.get().name, str(Product.objects.get().price)) == ("Espresso", "1.80")


def test_one_sku_twice_is_refused_with_both_lines(admin_client: Client) -> None:
    assert "Rows 2 and 3 are about the same product" in complaints(offer(admin_client, Product, field("same-sku")))
    assert not Product.objects.exists()


def test_blanks_around_codes_are_taken_off(admin_client: Client) -> None:
    imported(admin_client, Product, field("spaces"))
    product = Product.objects.get()
    assert (product.name, product.sku, product.barcode) == ("Spaced", "SP-1", "4006381333948")


def test_the_command_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    (sheet,) = FIELD.glob("products-same-sku*")
    with pytest.raises(CommandError, match="Rows 2 and 3"):
        call_command("import", "product", sheet)
    (sheet,) = FIELD.glob("products-excel-es*")
    call_command("import", "catalog.Product", sheet, "--dry-run")
    assert not Product.objects.exists()
    call_command("import", "products", sheet)
    call_command("import", "product", sheet)
    assert Product.objects.count() == 1
    assert "1 as it was" in capsys.readouterr().out
