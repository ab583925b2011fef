"""What a terminal reads costs the same few statements and round trips, however much it is."""

import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Product, Tag
from devices.services import enroll
from syncing import log
from syncing.views import json_of_delta

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[[str], Any]
# Who asks, and what is asked for. One statement says who asks and where things stand: for a status, and before a delta.
STATEMENTS = {"status": 1, "delta": 2, "object": 2, "list": 2}


@pytest.fixture
def get() -> Get:
    headers = {"Authorization": f"Bearer {enroll(name='Till 1').token}"}

    def ask(path: str) -> Any:
        answer = Client().get(path, headers=headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


@pytest.fixture(params=[1, 30])
def reads(request: pytest.FixtureRequest) -> dict[str, str]:
    """Addresses that read so many products with links, which are all new."""
    before, category = log.heads(), Category.objects.create(name="Drinks")
    tags = [Tag.objects.create(name=name) for name in ("New", "Vegan")]
    for number in range(request.param):
        product = Product.objects.create(name=str(number), price=1, category=category)
        product.tags.set(tags)
    since = before.versions["product"]
    return {
        "status": "/api/sync/status",
        "delta": f"/api/sync/product/changes?since={since}&epoch={before.epoch}",
        "object": f"/api/products/{product.pk}",
        "list": "/api/products",
    }


def test_a_read_is_so_many_statements(get: Get, reads: dict[str, str]) -> None:
    for name, path in reads.items():
        with CaptureQueriesContext(connection) as statements:
            get(path)
        assert len(statements) == STATEMENTS[name], [query["sql"] for query in statements]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no wire to make a round trip on")
def test_a_statement_is_a_round_trip_and_nothing_else_is(
    get: Get, reads: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No question whether the connection lives, no transaction, no time zone around them."""
    trips: list[str] = []
    wait = psycopg.Connection.wait

    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        caller = sys._getframe(1).f_code.co_name
        if caller != "set_autocommit":  # which sends nothing
            trips.append(caller)
        return wait(self, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    for name, path in reads.items():
        json_of_delta.cache_clear()
        connection.close()  # each request takes a connection from the pool
        trips.clear()
        get(path)
        assert trips == ["execute"] * STATEMENTS[name], name


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite keeps no plans on a server")
def test_the_server_keeps_the_plan_of_a_delta_wherever_it_begins() -> None:
    """PostgreSQL plans a statement five times for its values, and then for any if that looks as cheap."""
    before = generic_plans()
    for since in range(9):
        log.read(since={"product": since}, limit=100 + since)
    assert generic_plans() > before


def generic_plans() -> int:
    """How often a kept plan of a delta was used on this connection."""
    question = "SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements WHERE statement LIKE %s"
    with connection.cursor() as cursor:
        cursor.execute(question, ["%is_newest%"])
        return int(cursor.fetchone()[0])
