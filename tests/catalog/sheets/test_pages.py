import csv
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from catalog.models import Attribute, AttributeOption, Category, Employee, PriceRule, Product, Role, Tag
from tests.catalog.conftest import MODELS

CSV, XLSX = "0", "1"  # as the form of the export says


def address(model: Any, what: str) -> str:
    return f"/admin/catalog/{model._meta.model_name}/{what}/"


def export(client: Client, model: Any, format: str = CSV) -> bytes:
    page = client.get(address(model, "export"))
    form = page.context["form"]
    fields = {name: "on" for name in form.fields if name not in {"format", "resource", "export_items"}}
    response = client.post(address(model, "export"), {**fields, "format": format, "resource": "0"})
    assert response.status_code == 200, response
    return response.content


def rows_of(exported: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(exported.decode("utf-8-sig"))))


def offer(client: Client, model: Any, data: bytes, format: str = CSV) -> Any:
    """The page that shows what an import would do."""
    name = "sheet.csv" if format == CSV else "sheet.xlsx"
    sent = {"format": format, "resource": "0", "import_file": SimpleUploadedFile(name, data)}
    response = client.post(address(model, "import"), sent)
    assert response.status_code == 200
    return response


def imported(client: Client, model: Any, data: bytes | str, format: str = CSV) -> None:
    """Offer the file and confirm."""
    page = offer(client, model, data.encode() if isinstance(data, str) else data, format)
    assert "confirm_form" in page.context, complaints(page)
    confirm = page.context["confirm_form"].initial
    done = client.post(address(model, "process_import"), confirm)
    assert done.status_code == 302


def complaints(page: Any) -> str:
    """What the page says is wrong, with the sheet or with the file as a whole."""
    result, form = page.context.get("result"), page.context.get("form")
    return " ".join([*(result.texts if result else []), *(form.errors.get("import_file", []) if form else [])])


@pytest.fixture
def cola(category: Category) -> Product:
    product = Product.objects.create(name="Cola", price="3.00", category=category, sku="SOF-01")
    product.tags.add(Tag.objects.create(name="Vegan"), Tag.objects.create(name="Kids"))
    return product


def test_a_product_is_exported_in_words_that_a_manager_reads(admin_client: Client, cola: Product) -> None:
    row = rows_of(export(admin_client, Product))[0]
    assert row["id"] == str(cola.pk)
    assert (row["name"], row["price"], row["category"], row["tags"]) == ("Cola", "3.00", "Drinks", "Kids | Vegan")


def test_what_was_exported_and_edited_comes_in_again(admin_client: Client, cola: Product) -> None:
    sheet = export(admin_client, Product).decode().replace("3.00", "3.20").replace("Kids | Vegan", "Vegan")
    imported(admin_client, Product, sheet)
    cola.refresh_from_db()
    assert cola.price == Decimal("3.20")
    assert [tag.name for tag in cola.tags.all()] == ["Vegan"]
    assert Product.objects.count() == 1


def test_an_unchanged_sheet_changes_nothing(admin_client: Client, cola: Product) -> None:
    imported(admin_client, Product, export(admin_client, Product))
    assert Product.objects.get().updated_at == cola.updated_at


def test_a_sheet_of_three_columns_makes_new_products_and_finds_known_ones_by_sku(
    admin_client: Client, cola: Product
) -> None:
    imported(admin_client, Product, "name,price,category,sku\nCola Zero,3.10,drinks,SOF-01\nFanta,2.90,Drinks,SOF-02\n")
    cola.refresh_from_db()
    assert (cola.name, cola.price, cola.tags.count()) == ("Cola Zero", Decimal("3.10"), 2)
    assert Product.objects.get(sku="SOF-02").category.name == "Drinks"


def test_the_history_of_each_record_says_what_an_import_changed(admin_client: Client, cola: Product) -> None:
    imported(admin_client, Product, "name,price,category,sku\nCola,3.10,Drinks,SOF-01\nFanta,2.90,Drinks,SOF-02\n")

    fanta = Product.objects.get(sku="SOF-02")
    assert LogEntry.objects.get().get_change_message() == "1 new, 1 changed, 0 as they were"
    for record, told in ((cola, "Price: 3.00 → 3.10"), (fanta, "Added.")):
        page = admin_client.get(address(Product, f"{record.pk}/history")).content.decode()
        assert told in page
        assert "Import “sheet.csv”" in page


def test_xlsx_goes_out_and_in(admin_client: Client, cola: Product) -> None:
    book = load_workbook(BytesIO(export(admin_client, Product, XLSX)))
    assert [cell.value for cell in next(iter(book.active.rows))][:2] == ["id", "name"]
    fresh = Workbook()
    fresh.active.append(["name", "price", "category", "is_sold_out"])
    fresh.active.append(["Fanta", 2.9, "Drinks", True])
    target = BytesIO()
    fresh.save(target)
    imported(admin_client, Product, target.getvalue(), XLSX)
    fanta = Product.objects.get(name="Fanta")
    assert (fanta.price, fanta.is_sold_out) == (Decimal("2.90"), True)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("Fanta,2.90,Nowhere,X", "There is no category “Nowhere”"),
        ("Fanta,-1,Drinks,X", "Row 3, column “price”"),
        ("Fanta,much,Drinks,X", "Row 3, column “price”: “much” is no number"),
        ("Fanta,NaN,Drinks,X", "column “price”"),
        (",2.90,Drinks,X", "Row 3, column “name”"),
        ("Fanta,2.90,Twice,X", "More than one category is called “Twice”"),
        ("Fanta,2.90,Drink,X", "Did you mean “Drinks”?"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_comes_in(
    admin_client: Client, cola: Product, row: str, complaint: str
) -> None:
    for parent in (None, cola.category):
        Category.objects.create(name="Twice", parent=parent)
    page = offer(admin_client, Product, f"name,price,category,sku\nGood,1.00,Drinks,Y\n{row}\n".encode())
    assert "confirm_form" not in page.context
    assert complaint in complaints(page)
    assert Product.objects.count() == 1


def test_an_id_that_is_none_and_a_hash_that_is_not_stored_are_named(admin_client: Client, cola: Product) -> None:
    page = offer(admin_client, Product, b"id,name,price,category\nseven,Fanta,1.00,Drinks\n")
    assert "is no id" in complaints(page)
    page = offer(admin_client, Product, f"name,price,category,image\nFanta,1,Drinks,{'f' * 64}\n".encode())
    assert "No picture has this hash" in complaints(page)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"PK\x03\x04 no sheet", b"a,b\n\0,1\n", b"name\n"])
@pytest.mark.parametrize("format", [CSV, XLSX])
def test_a_file_that_is_no_sheet_is_a_form_error(admin_client: Client, data: bytes, format: str) -> None:
    page = offer(admin_client, Product, data, format)
    assert "confirm_form" not in page.context
    assert not Product.objects.exists()


def test_the_file_itself_says_what_it_is(admin_client: Client, cola: Product) -> None:
    imported(admin_client, Product, b"name,price,category,sku\nCola,3.30,Drinks,SOF-01\n", XLSX)
    cola.refresh_from_db()
    assert cola.price == Decimal("3.30")


def test_no_name_becomes_a_formula_in_a_spreadsheet(admin_client: Client, category: Category) -> None:
    Product.objects.create(name="=HYPERLINK(1)", price=1, category=category)
    assert not rows_of(export(admin_client, Product))[0]["name"].startswith("=")


def test_options_travel_in_one_cell_of_their_attribute(admin_client: Client) -> None:
    size = Attribute.objects.create(name="Size")
    small = AttributeOption.objects.create(attribute=size, name="Small", is_default=True, is_sold_out=True)
    AttributeOption.objects.create(attribute=size, name="Large", price_change="1.50", position=1)
    sheet = export(admin_client, Attribute).decode()
    assert rows_of(sheet.encode())[0]["options"] == "Small* | Large +1.50"
    imported(admin_client, Attribute, sheet.replace("Small* | Large +1.50", "Small -0.50 | Huge* +2.00"))
    options = [(o.name, o.price_change, o.is_default) for o in size.options.all()]
    assert options == [("Small", Decimal("-0.50"), False), ("Huge", Decimal("2.00"), True)]
    assert size.options.get(pk=small.pk).is_sold_out
    page = offer(admin_client, Attribute, b"name,options\nSize,Small | small\n")
    assert "twice" in complaints(page)


def test_a_category_may_lie_in_one_of_an_earlier_row(admin_client: Client) -> None:
    imported(admin_client, Category, "name,parent\nDrinks,\nCoffee,Drinks\n")
    assert Category.objects.get(name="Coffee").parent == Category.objects.get(name="Drinks")


def test_pins_are_neither_exported_nor_imported(admin_client: Client) -> None:
    role = Role.objects.create(name="Waiter")
    anna = Employee(name="Anna", code="W1", role=role)
    anna.set_pin("4711")
    anna.save()
    row = rows_of(export(admin_client, Employee))[0]
    assert set(row) == {"id", "code", "name", "role", "is_active"}
    page = offer(admin_client, Employee, b"code,name,role,pin_hash\nW1,Anne,Waiter,stolen\n")
    assert "pin_hash" in page.context["left_out"]
    imported(admin_client, Employee, "code,name,role,pin_hash\nW1,Anne,Waiter,stolen\n")
    anna.refresh_from_db()
    assert (anna.name, anna.has_pin("4711")) == ("Anne", True)


def test_lists_and_times_survive_the_way_out_and_in(admin_client: Client, category: Category) -> None:
    rule = PriceRule.objects.create(
        name="Night",
        value="-20",
        scope="category",
        category=category,
        weekdays=[5, 6],
        time_from="22:00",
        time_to="02:00",
    )
    role = Role.objects.create(name="Waiter", permission_codes=["order.open", "table.move"])
    for model in (PriceRule, Role):
        sheet = export(admin_client, model)
        imported(admin_client, model, sheet.decode().replace("Night", "Late").replace("Waiter", "Runner"))
    rule.refresh_from_db()
    role.refresh_from_db()
    assert (rule.name, rule.weekdays, str(rule.time_to), rule.category) == ("Late", [5, 6], "02:00:00", category)
    assert (role.name, role.permission_codes) == ("Runner", ["order.open", "table.move"])
    page = offer(admin_client, PriceRule, b"name,value,weekdays\nOdd,1,9\n")
    assert "weekdays" in complaints(page)


@pytest.mark.parametrize("model", MODELS.values())
def test_every_kind_has_a_sheet_even_when_it_is_empty(admin_client: Client, model: Any) -> None:
    assert rows_of(export(admin_client, model)) == []
    assert admin_client.get(address(model, "import")).status_code == 200


def test_an_export_costs_the_same_queries_however_long_it_is(admin_client: Client, category: Category) -> None:
    def make(count: int) -> None:
        for _number in range(count):
            product = Product.objects.create(name="Product", price=1, category=category)
            product.tags.add(Tag.objects.create(name=f"Tag {product.pk}"))

    make(2)
    export(admin_client, Product)
    with CaptureQueriesContext(connection) as short:
        export(admin_client, Product)
    make(8)
    with CaptureQueriesContext(connection) as long:
        export(admin_client, Product)
    assert len(long) == len(short)
