"""The bytes that the database makes of an object are those of the wire contract, whatever its columns hold."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import models, resources
from catalog.resources import Kind
from syncing import log, objects

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
MOMENTS = (
    dt.datetime(2026, 11, 30, 14, 26, 32, 120, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 30, 14, 26, 32, 500_000, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 30, 14, 26, 32, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
)


def expected(kind: Kind, record: Any) -> bytes:
    """The object of ``record`` by the words of the contract, made in Python, in the order of the serializer."""
    inside = {child.field: child for child in kind.resource.children}
    wire: dict[str, Any] = {}
    for name in kind.resource.fields:
        if child := inside.get(name):
            rows = child.model._base_manager.filter(**{child.owner: record.pk}).order_by(*child.order)
            wire[name] = [{inner: value_of(row, inner) for inner in child.fields} for row in rows]
        elif record._meta.get_field(name).many_to_many:
            wire[name] = sorted(str(pk) for pk in getattr(record, name).values_list("pk", flat=True))
        else:
            wire[name] = value_of(record, name)
    return orjson.dumps(wire)


def value_of(record: Any, name: str) -> Any:
    match getattr(record, record._meta.get_field(name).attname):
        case UUID() as value:
            return str(value)
        case Decimal() as value:
            return f"{value:.2f}"
        case dt.datetime() as value:
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date() | dt.time() as value:
            return value.isoformat()
        case value:
            return value


def assert_bytes(kind: Kind) -> None:
    """Of every object, read in each of the ways: all of them, by their ids, as a list, as changes."""
    records = kind.model._base_manager.order_by("pk")
    contract = [expected(kind, record) for record in records]
    assert log.snapshot(name=kind.name).items == b"[%b]" % b",".join(contract)
    assert [item.json for item in objects.read(kind.resource, [record.pk for record in records])] == contract
    assert objects.listed(kind.resource, records) == contract


@pytest.mark.usefixtures("demo")
def test_every_kind_of_the_demo_has_the_bytes_of_the_contract() -> None:
    for kind in resources.KINDS:
        assert kind.model._base_manager.exists(), kind.name
        assert_bytes(kind)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_is_utc_and_has_a_fraction_only_when_there_is_one(category: models.Category, moment: Any) -> None:
    models.Category.objects.update(updated_at=moment)

    assert_bytes(resources.kind_of(models.Category))


@pytest.mark.django_db
def test_times_days_lists_and_money_of_every_form() -> None:
    rule = {"value": "-12.50", "valid_from": dt.date(2026, 1, 2), "adjustment": "amount"}
    for number, time in enumerate([dt.time(8), dt.time(23, 59, 59), dt.time(8, 30, 0, 500_000), dt.time(0, 0, 0, 1)]):
        models.PriceRule.objects.create(
            name=f"rule {number}", weekdays=[7, 1, 3][:number], time_from=time, time_to=time, **rule
        )
    for number, value in enumerate(["0.00", "-0.01", "0.10", "99999999.99", "-99999999.99"]):
        models.PriceRule.objects.create(name=f"sum {number}", **rule | {"value": value})
    codes = ['a"b', "c\\d", "e, f", "é\u2028\t", ""]
    models.Role.objects.create(name="Odd", permission_codes=codes)

    assert_bytes(resources.kind_of(models.PriceRule))
    assert_bytes(resources.kind_of(models.Role))


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXT, description=TEXT)
def test_any_text(name: str, description: str) -> None:
    category, _new = models.Category.objects.get_or_create(name="Drinks")
    models.Product.objects.all().delete()
    models.Product.objects.create(name=name, description=description, price="1", category=category)

    assert_bytes(resources.kind_of(models.Product))


@pytest.mark.django_db
def test_the_statement_is_one_and_its_text_never_changes(category: models.Category) -> None:
    kind = resources.kind_of(models.Product)
    made = [models.Product.objects.create(name=str(n), price=n, category=category).pk for n in range(3)]

    def statements_of(ids: list[UUID]) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            objects.read(kind.resource, ids)
        return [query["sql"] for query in asked.captured_queries]

    assert [len(statements_of(ids)) for ids in ([], made[:1], made)] == [1, 1, 1]
    assert objects.statements(kind.resource, connection.vendor).of_some.count("%s") == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite keeps no plans on a server")
def test_the_server_keeps_the_plan_however_many_objects_are_asked_for(category: models.Category) -> None:
    kind = resources.kind_of(models.Product)
    made = [models.Product.objects.create(name=str(n), price=n, category=category).pk for n in range(5)]

    for number in range(1, 6):
        objects.read(kind.resource, made[:number])

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%row_to_json%ANY%"])
        assert cursor.fetchone() == (1,)
