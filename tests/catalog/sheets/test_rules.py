"""Which record a row is about, what can't be meant, and how much an import costs."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import (
    Attribute,
    Category,
    DiningTable,
    Employee,
    PriceRule,
    PrintDestination,
    Product,
    Role,
    Tag,
    Zone,
)
from catalog.resources import kind_of
from catalog.sheets import jobs
from catalog.sheets.cells import Unreadable
from images.models import Image
from syncing.models import Change, SyncedResource


def take(model: Any, sheet: str, **options: Any) -> Any:
    return jobs.take(sheet.encode(), kind_of(model), **options)


def refused(model: Any, sheet: str, **options: Any) -> str:
    """What is wrong with the sheet; nothing came in."""
    before = list(model._default_manager.order_by("pk").values())
    summary = take(model, sheet, **options)
    assert summary.mistakes
    assert list(model._default_manager.order_by("pk").values()) == before
    return " ".join(summary.texts)


@pytest.fixture
def cola(category: Category) -> Product:
    return Product.objects.create(name="Cola", price="3.00", category=category, sku="SOF-01", barcode="00123")


@pytest.mark.parametrize(
    "headings",
    [
        "NAME,Price,Category,sku",
        "nombre;precio;categoría;SKU",
        "名称,价格,类别,SKU",
        "Name *,price (EUR),CATEGORY,S.K.U.",
    ],
)
def test_headings_fold_case_blanks_accents_and_languages(cola: Product, headings: str) -> None:
    separator = ";" if ";" in headings else ","
    take(Product, f"Our menu\n\n{headings}\n" + separator.join(["Cola", "3.30", "Drinks", "sof-01"]))
    assert str(Product.objects.get().price) == "3.30"
    assert Product.objects.get().sku == "SOF-01"  # as it was: it only named the product


def test_a_column_that_nobody_knows_is_told(cola: Product) -> None:
    assert "“barcod”: No column has this name. Did you mean “barcode”?" in refused(Product, "sku,barcod\nSOF-01,9\n")
    assert "mean the same" in refused(Product, "sku,price,Precio\nSOF-01,9,9\n")
    assert take(Product, "sku,price,our notes\nSOF-01,9,x\n").left_out == ["our notes"]
    with pytest.raises(Unreadable, match="No row of this file names the columns"):
        take(Product, "what,ever\n1,2\n")
    assert "no heading above it" in refused(Product, "sku,price\nSOF-01,3,10\n")


@pytest.mark.parametrize(
    "rows",
    [
        "A,a-1,1,Drinks\nB,A-1,1,Drinks",
        "A,,1,Drinks\na,,2,drinks",
        "A,,1,Drinks\nA,X-1,2,Drinks",
        "B,SOF-01,1,Drinks\nC,sof-01,2,Drinks",
    ],
)
def test_two_rows_of_one_product_are_refused_with_both_lines(cola: Product, rows: str) -> None:
    assert "Rows 2 and 3 are about the same product" in refused(Product, f"name,sku,price,category\n{rows}\n")


def test_two_rows_of_one_id_or_one_barcode(cola: Product) -> None:
    same = f"id,name\n{cola.pk},A\n{cola.pk},B\n"
    assert "Rows 2 and 3 are about the same product" in refused(Product, same)
    twice = "name,sku,price,category,barcode\nA,A,1,Drinks,77\nB,B,1,Drinks,77\n"
    assert "Rows 2 and 3 have the same here" in refused(Product, twice)
    assert "Another product has this barcode" in refused(Product, twice.replace("77", "00123", 1))


def test_the_same_sheet_twice_changes_nothing(category: Category) -> None:
    sheet = "name,price,category\nTea,2,Drinks\nTea,2,Food\nCake,3,Food\n"
    Category.objects.create(name="Food")
    assert take(Product, sheet).new == 3
    again = take(Product, sheet)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)


def test_a_product_without_sku_keeps_the_one_it_has(cola: Product) -> None:
    take(Product, "name,price,category,sku\nCOLA,9,Drinks,\n")
    assert (Product.objects.get().sku, str(Product.objects.get().price), Product.objects.get().name) == (
        "SOF-01",
        "9.00",
        "Cola",
    )
    take(Product, f"id,sku\n{cola.pk},\n")
    assert Product.objects.get().sku == ""  # who has the id means it


def test_a_name_that_two_products_have_says_nothing(cola: Product) -> None:
    Product.objects.create(name="Cola", price=1, category=cola.category)
    assert "More than one product is called “Cola”" in refused(Product, "name,price,category\nCola,1,Drinks\n")


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("id,barcode\n{id},123\n", "“123” is “00123” after a spreadsheet"),
        ("sku,barcode\nSOF-01,1.23E+02\n", "digits are lost"),
        ("name,price,category,sku\nX,1,Drinks,77\n", "Row 2, column “sku”: “77” is “0077” after a spreadsheet"),
        ("id,sku\n{other},mar-01\n", "made the date “mar-01” of it"),
        ("name,sku\n,SOF-01\n", "Row 2, column “name”: This is empty, and needs a value"),
        ("sku,price\nSOF-02,1\n", "Row 2, column “name”: A new product needs a value here"),
        ("sku,is_sold_out,price\nSOF-01,maybe,much\n", "neither yes nor no"),
        ("sku,price_type\nSOF-01,weight\n", "Sale by weight needs a unit"),
        ("sku,price\nSOF-01,-1\n", "Row 2, column “price”"),
        ("sku,tax_rate\nSOF-01,101\n", "Row 2, column “tax_rate”"),
        ("sku,position\nSOF-01,3000000000\n", "Row 2, column “position”"),
        ("sku,color\nSOF-01,blue\n", "is no colour"),
        ("sku,tags\nSOF-01,Vegan | Vegn\n", "There is no tag “Vegan”"),
        ("sku,name\nSOF-01," + "x" * 201 + "\n", "at most 200"),
        ("id,name\nseven,Cola\n", "is no id"),
        ("sku,image\nSOF-01," + "f" * 64 + "\n", "No picture has this hash"),
    ],
)
def test_what_can_not_be_understood_is_refused_with_row_and_column(cola: Product, sheet: str, said: str) -> None:
    Product.objects.create(name="Tea", price=1, category=cola.category, sku="0077")
    other = Product.objects.create(name="Pie", price=1, category=cola.category, sku="MAR-01")
    assert said in refused(Product, sheet.format(id=cola.pk, other=other.pk))


def test_an_empty_cell_where_nothing_can_be_empty_is_no_answer(cola: Product) -> None:
    Product.objects.update(is_active=False)
    assert "column “is_active”: This is empty" in refused(Product, "sku,is_active\nSOF-01,\n")
    take(Product, "name,sku,price,category,is_active,is_sold_out,position\nNew,N-1,1,Drinks,,,\n")
    assert Product.objects.get(sku="N-1").is_active


def test_dates_are_read_as_the_sheet_says_or_as_somebody_chose(db: None) -> None:
    sheet = "name,value,valid_from,valid_to\nA,1,03/04/2026,31/12/2026\n"
    take(PriceRule, sheet)
    assert str(PriceRule.objects.get().valid_from) == "2026-04-03"
    doubtful = "name,value,valid_from\nA,1,03/04/2026\n"
    assert "2026-03-04 / 2026-04-03" in refused(PriceRule, doubtful)
    take(PriceRule, doubtful, order="mdy")
    assert str(PriceRule.objects.get().valid_from) == "2026-03-04"


def test_rows_may_refer_to_rows_before_and_after_them(db: None) -> None:
    take(Category, "name,parent\nEspresso,Coffee\nCoffee,Drinks\nDrinks,\n")
    assert Category.objects.get(name="Espresso").parent.parent.name == "Drinks"  # type: ignore[union-attr]
    take(Category, "name,parent\nEspresso,Coffee\nCoffee,Drinks\nDrinks,\n")
    assert Category.objects.count() == 3


@pytest.mark.parametrize("sheet", ["name,parent\nA,B\nB,A\n", "name,parent\nA,A\n", "name,parent\nA,B\nB,C\nC,A\n"])
def test_categories_in_a_circle_are_refused(db: None, sheet: str) -> None:
    assert "parent" in refused(Category, sheet)


def test_two_categories_of_one_name_lie_in_different_ones(db: None) -> None:
    take(Category, "name,parent\nFood,\nDrinks,\nHot,Food\nHot,Drinks\n")
    assert Category.objects.filter(name="Hot").count() == 2
    assert "Rows 2 and 3" in refused(Category, "name,parent\nHot,Food\nhot,food\n")


def test_texts_may_change_hands(db: None) -> None:
    first, second = (Employee.objects.create(name=n, code=n, role=Role.objects.create(name=n)) for n in ("A", "B"))
    take(Employee, f"id,code\n{first.pk},B\n{second.pk},A\n")
    assert [one.code for one in Employee.objects.order_by("name")] == ["B", "A"]


def test_every_kind_is_known_by_its_own_name(db: None) -> None:
    take(Zone, "name\nTerrace\nHall\n")
    take(DiningTable, "name,zone\n1,Terrace\n1,Hall\n")
    take(DiningTable, "name,zone,seats\n1,terrace,9\n")
    assert sorted(DiningTable.objects.values_list("zone__name", "seats")) == [("Hall", 4), ("Terrace", 9)]
    assert "More than one dining table" in refused(DiningTable, "name,seats\n1,3\n")
    for model in (Tag, Role, Attribute, PrintDestination):
        assert (take(model, "name\nOne\n").new, take(model, "name\nONE\n").unchanged) == (1, 1)


def test_a_picture_by_its_hash(cola: Product) -> None:
    image = Image.objects.create(hash="a" * 64, status="stored", size=1, width=1, height=1, wanted_at=timezone.now())
    take(Product, f"sku,image\nSOF-01,{image.pk}\n")
    assert Product.objects.get().image_id == image.pk


@pytest.mark.django_db(transaction=True)
def test_an_import_is_one_version_for_each_object(category: Category) -> None:
    Tag.objects.create(name="A"), Tag.objects.create(name="B")
    rows = "\n".join(f"P{n},S{n},1,Drinks,A | B" for n in range(5))
    before = SyncedResource.objects.get(name="product").version
    take(Product, f"name,sku,price,category,tags\n{rows}\n")
    changes = Change.objects.filter(resource="product", version__gt=before).order_by("version")
    assert [one.version for one in changes] == list(range(before + 1, before + 6))
    assert {one.action for one in changes} == {"created"}
    take(Product, f"name,sku,price,category,tags\n{rows.replace('A | B', 'B').replace(',1,', ',2,')}\n")
    assert SyncedResource.objects.get(name="product").version == before + 10
    assert set(Change.objects.filter(resource="product", version__gt=before + 5).values_list("action")) == {
        ("updated",)
    }
    assert take(Product, f"name,sku,price,category,tags\n{rows}\nBad,,x,Drinks,\n").mistakes
    assert SyncedResource.objects.get(name="product").version == before + 10


def test_looking_only_reads_and_asks_no_more_for_more_rows(cola: Product) -> None:
    def statements(count: int) -> list[str]:
        rows = "".join(f"P{n},S{n},1,Drinks\n" for n in range(count))
        with CaptureQueriesContext(connection) as captured:
            jobs.look(f"name,sku,price,category\nCola,SOF-01,2,Drinks\n{rows}".encode(), kind_of(Product))
        return [query["sql"] for query in captured]

    few, many = statements(2), statements(60)
    assert len(few) == len(many) < 12
    assert all(sql.lstrip().startswith("SELECT") for sql in many)


def test_the_command_stores_nothing_before_it_said_what_it_leaves_out(cola: Product, tmp_path: Any) -> None:
    file = tmp_path / "menu.csv"
    file.write_text("sku,price,our notes\nSOF-01,9,x\n")
    with pytest.raises(CommandError, match="“our notes”"):
        call_command("import", "product", file)
    assert Product.objects.get().price == 3
    call_command("import", "product", file, "--leave-out")
    assert Product.objects.get().price == 9


def test_exports_by_the_command_come_in_again(cola: Product, tmp_path: Any) -> None:
    for format in ("csv", "xlsx"):
        file = tmp_path / f"menu.{format}"
        call_command("export", format, "product", output=file)
        assert jobs.take(file.read_bytes(), kind_of(Product)).unchanged == 1
