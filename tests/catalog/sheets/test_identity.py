"""What is exported and imported again changes nothing: every kind, both formats, any text."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import (
    Attribute,
    AttributeOption,
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
from catalog.resources import KINDS, Kind, kind_of
from catalog.sheets import jobs
from catalog.sheets.exporting import CSV, XLSX, exported
from catalog.sheets.stored import folded

from .test_files import ANY_TEXT

# What others refer to comes first.
IN_ORDER = (PrintDestination, Tag, Category, Attribute, Zone, Role, Product, DiningTable, Employee, PriceRule)
FORMATS = pytest.mark.parametrize("format", [CSV, XLSX])
TEXTS = st.lists(ANY_TEXT.filter(folded).map(lambda text: text[:30]).filter(folded), min_size=26, max_size=26,
                 unique_by=folded)  # fmt: skip


def clear() -> None:
    PriceRule.objects.all().delete()
    Product.objects.all().delete()
    while Category.objects.exists():  # from below, since orphans would all be at the top
        Category.objects.filter(children=None).delete()
    for model in reversed(IN_ORDER):
        model._default_manager.all().delete()


def fill(texts: list[str], numbers: list[int]) -> None:
    """A record or two of each kind, with these texts (of 30 signs at most) and numbers."""
    clear()
    text, number = iter(texts), iter(numbers)
    money = lambda: Decimal(next(number)) / 100  # noqa: E731
    printer = PrintDestination.objects.create(name=next(text), address=next(text), copies=3)
    PrintDestination.objects.create(name=next(text), kind="bar", fallback=printer, is_active=False)
    tags = [Tag.objects.create(name=next(text), color="#00ff00", kind="diet") for _ in range(2)]
    top = Category.objects.create(name=next(text), position=next(number))
    below = Category.objects.create(name=next(text), parent=top, is_active=False)
    Category.objects.create(name=top.name, parent=below)  # a name that needs more than itself
    below.print_destinations.add(printer)
    attribute = Attribute.objects.create(name=next(text), choice="many", min=1, max=None, is_required=True)
    for place in range(2):
        AttributeOption.objects.create(
            attribute=attribute, name=next(text), price_change=money(), is_default=place == 0, position=place
        )
    zone = Zone.objects.create(name=next(text), position=next(number))
    role = Role.objects.create(name=next(text), permission_codes=[next(text), next(text)], discount_limit="12.50")
    product = Product.objects.create(
        name=next(text), short_name=next(text), kitchen_name="", sku=next(text), barcode=next(text),
        description=next(text) * 3, price=abs(money()), price_type="weight", unit="kg", tax_rate="21", category=below,
    )  # fmt: skip
    product.tags.add(*tags)
    product.attributes.add(attribute)
    Product.objects.create(name=product.name, price=abs(money()), category=below, is_sold_out=True, sku=next(text))
    DiningTable.objects.create(name=next(text), zone=zone, seats=7, x=next(number), rotation=-90, shape="round")
    Employee.objects.create(name=next(text), code=next(text), role=role)
    PriceRule.objects.create(
        name=next(text), value=-abs(money()), adjustment="amount", scope="product", product=product, weekdays=[5, 1],
        time_from=dt.time(22), time_to=dt.time(2, 30, 15), valid_from=dt.date(2026, 3, 4), priority=next(number),
    )  # fmt: skip


def content(kind: Kind) -> dict[Any, Any]:
    """All that sheets say of a kind."""
    found = {}
    for record in kind.model.objects.all():
        columns = {field.attname: getattr(record, field.attname) for field in kind.model._meta.concrete_fields}
        columns.pop("updated_at")
        columns.pop("pin_hash", None)
        for link in kind.resource.links:
            columns[link.field] = set(getattr(record, link.field).values_list("pk", flat=True))
        for child in kind.resource.children:
            rows = getattr(record, child.field).order_by("position")
            columns[child.field] = list(rows.values_list("name", "is_default", "price_change"))
        found[record.pk] = columns
    return found


def sheets(format: str) -> dict[Any, bytes]:
    return {
        model: exported(kind_of(model), list(model._default_manager.values_list("pk", flat=True)), format)
        for model in IN_ORDER
    }


EXAMPLES = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NUMBERS = st.lists(st.integers(-99_999, 99_999), min_size=12, max_size=12)


def test_every_kind_is_tried() -> None:
    assert {kind.model for kind in KINDS} == set(IN_ORDER)


@pytest.mark.any_database
@FORMATS
@EXAMPLES
@given(texts=TEXTS, numbers=NUMBERS)
def test_export_then_import_changes_nothing(db: None, format: str, texts: list[str], numbers: list[int]) -> None:
    fill(texts, numbers)
    for model, sheet in sheets(format).items():
        summary = jobs.take(sheet, kind_of(model))
        assert summary.texts == []
        assert (summary.new, summary.changed, summary.unchanged) == (0, 0, model._default_manager.count())


@pytest.mark.any_database
@FORMATS
@EXAMPLES
@given(
    texts=TEXTS.map(lambda texts: [f"n{place}{text[:20].strip()}z" for place, text in enumerate(texts)]),
    numbers=NUMBERS,
)
def test_an_export_fills_an_empty_catalogue(db: None, format: str, texts: list[str], numbers: list[int]) -> None:
    fill(texts, numbers)
    before = {model: content(kind_of(model)) for model in IN_ORDER}
    files = sheets(format)
    clear()
    for model, sheet in files.items():
        assert jobs.take(sheet, kind_of(model)).texts == []
    assert {model: content(kind_of(model)) for model in IN_ORDER} == before
