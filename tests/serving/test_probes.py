"""The probes: what runs, what is ready, and who may see the numbers."""

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client

from catalog.models import Tag
from clocks.jumps import Watch
from serving import heartbeats, probes
from syncing import capture
from tests.disks import fill
from tests.parts import free_port, run_to_end

pytestmark = pytest.mark.django_db(transaction=True)


def lines(response: Any) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in response.content.decode().splitlines())


@pytest.fixture
def worker() -> Any:
    """The marks that a worker, beat and a process for streams leave; that real ones do is another test's claim."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.set(f"{heartbeats.KEYS}tests", "", ex=60)
        broker.set(heartbeats.BEAT, "{}", ex=60)
        broker.set(f"{heartbeats.STREAMS}tests", 0, ex=60)
        yield
        broker.delete(f"{heartbeats.KEYS}tests", heartbeats.BEAT, f"{heartbeats.STREAMS}tests")


def test_livez_is_open() -> None:
    assert Client().get("/livez").status_code == 200


def test_readyz_has_a_line_for_each_part(worker: None) -> None:
    response = Client().get("/readyz")
    found = lines(response)
    assert list(found) == [
        "database", "migrations", "triggers", "storage", "disk", "broker", "workers", "streams", "beat", "clock",
    ]  # fmt: skip
    assert all(answer.startswith("ok") for answer in found.values()), found
    assert response.status_code == 200


def test_readyz_names_what_is_wrong_and_still_asks_the_rest(worker: None, settings: Any) -> None:
    capture.drop()
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    response = Client().get("/readyz")
    found = lines(response)
    assert response.status_code == 503
    assert "run manage.py migrate" in found["triggers"]
    assert found["broker"].startswith("failed")
    assert found["workers"].startswith("failed")
    assert found["database"].startswith("ok")
    capture.install()


@contextmanager
def only_read() -> Iterator[None]:
    """As with a file that isn't ours, or a server in recovery."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            yield
            cursor.execute("SET default_transaction_read_only = off")
        return
    before = connection.connection
    name = connection.settings_dict["NAME"]
    connection.connection = sqlite3.connect(f"file:{name}?mode=ro", uri=True, isolation_level=None)
    try:
        yield
    finally:
        connection.connection.close()
        connection.connection = before


def test_readyz_says_that_the_database_takes_no_writes(worker: None) -> None:
    connection.ensure_connection()
    with only_read():
        response = Client().get("/readyz")

    assert response.status_code == 503
    assert re.fullmatch("failed: .*(read-only|readonly).*", lines(response)["database"])
    assert lines(Client().get("/readyz"))["database"] == f"ok ({connection.vendor})"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's writers hold nobody up")
def test_readyz_calls_a_busy_database_a_good_one(worker: None) -> None:
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert lines(Client().get("/readyz"))["database"] == "ok (sqlite)"
    finally:
        writer.close()


def test_a_real_worker_makes_the_server_ready(celery_worker_process: object) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.delete(f"{heartbeats.KEYS}tests")
        assert list(broker.scan_iter(f"{heartbeats.KEYS}*")), "the worker shows its heartbeat"
    assert probes.workers().startswith("ok")


def test_readyz_says_that_beat_is_gone(worker: None) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.delete(heartbeats.BEAT)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert lines(response)["beat"] == "failed: NotReady: the clock of periodic tasks was not heard of lately"


def test_readyz_says_that_nobody_carries_streams(own_broker: str, settings: Any) -> None:
    settings.REDIS_URL = own_broker
    with redis.Redis.from_url(own_broker) as broker:
        assert lines(Client().get("/readyz"))["streams"] == (
            "failed: NotReady: no process that carries streams was heard of lately"
        )
        run_to_end(told_until_heard(broker))
        assert lines(Client().get("/readyz"))["streams"] == "ok (1)"
        broker.expire(next(broker.scan_iter(f"{heartbeats.STREAMS}*")), 400 * 24 * 3600)
        assert lines(Client().get("/readyz"))["streams"].startswith("failed")


async def told_until_heard(broker: redis.Redis) -> None:
    """As a process for streams does."""
    telling = asyncio.create_task(heartbeats.tell_streams(lambda: 0))
    async with asyncio.timeout(20):
        while not heartbeats.count(broker, heartbeats.STREAMS):
            await asyncio.sleep(0.01)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


def test_who_was_heard_of_by_a_clock_that_was_ahead_is_not_counted(worker: None) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        before = heartbeats.count(broker)
        broker.expire(f"{heartbeats.KEYS}tests", 400 * 24 * 3600)
        broker.expire(heartbeats.BEAT, 400 * 24 * 3600)

        assert heartbeats.count(broker) == before - 1
    assert lines(Client().get("/readyz"))["beat"].startswith("failed")


# --- The clock -------------------------------------------------------------------------------------------------------
@dataclass
class Clocks:
    wall: float = 1_900_000_000.0
    steady: float = 0.0


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    found = Clocks()
    watch = Watch(wall=lambda: found.wall, steady=lambda: found.steady)
    monkeypatch.setattr(probes, "watch", watch)
    return found


def test_readyz_says_that_the_clock_was_set(worker: None, clocks: Clocks, caplog: pytest.LogCaptureFixture) -> None:
    clocks.wall += 400 * 24 * 3600

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert lines(response)["clock"].startswith("failed: NotReady: the clock was set forward by 400 days")
    assert any("Noticed: the clock was set forward by 400 days" in message for message in caplog.messages)
    clocks.steady += 600
    clocks.wall += 600
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert lines(response)["clock"].startswith("ok (the clock was set forward by 400 days")
    clocks.steady += 24 * 3600
    clocks.wall += 24 * 3600
    assert lines(Client().get("/readyz"))["clock"] == "ok"


def test_readyz_says_what_beat_noticed_of_the_clock(worker: None, clocks: Clocks) -> None:
    """The process that answers may have been started since."""
    theirs = Clocks()
    watch = Watch(wall=lambda: theirs.wall, steady=lambda: theirs.steady)
    theirs.wall -= 3600
    watch.look()
    heartbeats.beat_lives(watch)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert lines(response)["clock"].startswith("failed: NotReady: the clock was set back by 1:00:00")


def test_readyz_says_that_the_clock_cant_be_right(worker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.probes.timezone.now", lambda: datetime(1970, 1, 1, tzinfo=UTC))

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert "it says 1970-01-01, which can't be" in lines(response)["clock"]


# --- The disk --------------------------------------------------------------------------------------------------------
def test_readyz_says_that_the_disk_is_nearly_full(
    worker: None, settings: Any, small_disk: Callable[[str], Path]
) -> None:
    settings.DATA_DIR = settings.FILES_DIR = disk = small_disk("8m")
    assert lines(Client().get("/readyz"))["disk"] == "ok (8.4 MB free, the floor is 0.4 MB)"
    with (disk / "ballast").open("wb") as ballast:
        ballast.write(bytes(8 * 1024 * 1024 - 300_000))

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert lines(response)["disk"] == (
        "failed: NotReady: 0.3 MB free, the floor is 0.4 MB; photos are refused until there is more"
    )


def test_readyz_says_that_nothing_can_be_written(
    worker: None, settings: Any, small_disk: Callable[[str], Path]
) -> None:
    settings.DATA_DIR = disk = small_disk("1m")
    fill(disk)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert lines(response)["disk"] == "failed: OSError: [Errno 28] No space left on device"


# --- The broker ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "says"),
    [
        (("REPLICAOF", "127.0.0.1", "1"), "ReadOnlyError"),
        (("CONFIG", "SET", "maxmemory", "1"), "OutOfMemoryError"),
        (("CONFIG", "SET", "requirepass", "secret"), "AuthenticationError"),
    ],
    ids=["READONLY", "OOM", "NOAUTH"],
)
def test_readyz_says_that_the_broker_takes_no_messages(
    own_broker: str, settings: Any, state: tuple[str, ...], says: str
) -> None:
    settings.REDIS_URL = own_broker
    with redis.Redis.from_url(own_broker) as broker:
        broker.execute_command(*state)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert lines(response)["broker"].startswith(f"failed: {says}: "), lines(response)


def test_metrics_are_for_loopback() -> None:
    Tag.objects.create(name="hot")
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert b'redcoral_sync_version{resource="tag"} 1.0' in response.content
    assert b'redcoral_photos{status="failed"} 0.0' in response.content


@pytest.mark.parametrize(
    "from_outside", [{"REMOTE_ADDR": "192.168.1.9"}, {"HTTP_X_FORWARDED_FOR": "192.168.1.9"}, {"REMOTE_ADDR": ""}]
)
def test_metrics_from_outside_need_the_token(from_outside: dict[str, Any], settings: Any) -> None:
    settings.METRICS_TOKEN = "s3cret"
    client = Client()
    refused = client.get("/metrics", **from_outside)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer wrong", **from_outside).status_code == 403
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer s3cret", **from_outside).status_code == 200


def test_without_a_token_nobody_outside_sees_metrics() -> None:
    assert Client().get("/metrics", REMOTE_ADDR="10.0.0.1", HTTP_AUTHORIZATION="Bearer ").status_code == 403


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_probe_is_only_read(path: str, method: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, path)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "method_not_allowed"


def test_strangers_read_states_only(worker: None, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    settings.METRICS_TOKEN = "s3cret"
    stranger = Client(REMOTE_ADDR="192.168.1.9")

    found = lines(stranger.get("/readyz"))
    assert set(found.values()) == {"ok", "failed"}
    assert found["broker"] == "failed"
    for told in (stranger.get("/readyz", HTTP_AUTHORIZATION="Bearer s3cret"), Client().get("/readyz")):
        assert "Error" in lines(told)["broker"]
        assert told.status_code == 503
