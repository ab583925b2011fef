"""A database that cuts connections or is away costs time, never a change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from django.db import OperationalError, connection

from catalog.models import Product
from tests.parts import wait_until
from tests.syncing.terminal import Terminal

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server to lose"),
]

OTHERS = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


def name() -> str:
    return str(connection.settings_dict["NAME"])


@contextmanager
def other_database() -> Iterator[Any]:
    """A connection to the server from another database, which outlives what is done to ours."""
    parameters = {**connection.get_connection_params(), "dbname": "postgres"}
    kept = {key: parameters[key] for key in ("dbname", "user", "host") if key in parameters}
    with psycopg.connect(**kept, autocommit=True) as wire:
        yield wire


def cut_all(wire: Any) -> set[int]:
    """Ends every connection to our database, and says which there were when they are gone."""
    pids = {pid for (pid,) in wire.execute(f"SELECT pid {OTHERS}", [name()]).fetchall()}
    wire.execute(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}", [name()])
    return pids


def test_cut_connections_lose_no_change_and_fail_no_request(
    web: str, token: str, listen: Callable[..., Terminal], product: Product
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    till = listen(resources="product")
    version = till.until("hello").data["versions"]["product"]
    assert httpx.get(f"{web}/api/sync/status", headers=headers).status_code == 200
    with other_database() as wire:
        cut = cut_all(wire)
        assert len(cut) >= 2, "the fault fired: the pool and the listening connection were there"
        connection.close()
        assert httpx.get(f"{web}/api/sync/status", headers=headers).status_code == 200
        Product.objects.update(position=1)
        till.until("sync", version=version + 1)
        wait_until(lambda: "LISTEN" in listening(wire), what="the listening connection")
    Product.objects.update(position=2)
    till.until("sync", version=version + 2)
    assert [frame["version"] for frame in till.synced()] == [version + 1, version + 2]


def test_many_dead_connections_are_found_at_once(product: Product) -> None:
    pool: Any = connection.pool  # type: ignore[attr-defined]
    held = [pool.getconn() for _ in range(8)]
    for one in held:
        pool.putconn(one)
    with other_database() as wire:
        assert len(cut_all(wire)) >= 8, "the fault fired"
    connection.close()

    assert Product.objects.filter(pk=product.pk).exists()


def listening(wire: Any) -> str:
    return " ".join(query for (query,) in wire.execute(f"SELECT query {OTHERS}", [name()]).fetchall())


def test_a_database_that_is_away_is_a_503_and_is_used_again_when_it_is_back(
    web: str, token: str, listen: Callable[..., Terminal], product: Product
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    till = listen(resources="product")
    version = till.until("hello").data["versions"]["product"]
    connection.close()
    with other_database() as wire:
        wire.execute(f'ALTER DATABASE "{name()}" ALLOW_CONNECTIONS false')
        try:
            cut_all(wire)
            away = httpx.get(f"{web}/api/sync/status", headers=headers, timeout=20)
            assert (away.status_code, away.json()["code"]) == (503, "database_unavailable")
            assert away.headers["retry-after"]
            stream = httpx.get(f"{web}/api/sync/events", headers=headers, timeout=20)
            assert (stream.status_code, stream.json()["code"]) == (503, "database_unavailable")
            assert stream.headers["content-type"] == "application/problem+json"
            assert stream.headers["retry-after"]
            with pytest.raises(OperationalError):  # and here, whose pool has then failed to connect as well
                Product.objects.exists()
            assert httpx.get(f"{web}/livez").status_code == 200
            ready = httpx.get(f"{web}/readyz", timeout=60)
            assert ready.status_code == 503
            assert "database: failed" in ready.text
            assert "triggers: failed: NotReady: not asked" in ready.text
        finally:
            wire.execute(f'ALTER DATABASE "{name()}" ALLOW_CONNECTIONS true')
    wait_until(is_written, what="a write from here")
    till.until("sync", version=version + 1, seconds=20)
    wait_until(
        lambda: httpx.get(f"{web}/api/sync/status", headers=headers, timeout=20).status_code == 200,
        what="an answer",
    )


def is_written() -> bool:
    """False while this process' pool waits for an attempt to connect that began when the database was away."""
    try:
        return Product.objects.update(position=1) == 1
    except OperationalError:
        return False
