"""How far each device is: seen in the admin and in the metrics, and nobody writes or waits for it."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.timezone import localtime

from catalog.models import Tag
from devices.models import Device
from devices.services import enroll
from syncing import delivered as recording
from syncing import epochs, lag, log
from syncing.cursors import Cursor
from syncing.delivered import Delivered, Recorder, delivered
from syncing.models import DeliveredVersions
from syncing.readers import in_reader
from tests.parts import run_to_end, wait_until
from tests.syncing.conftest import web_process
from tests.syncing.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(eq=False)
class Stream:
    confirmed: Cursor | None


def cursor(**versions: int) -> Cursor:
    return Cursor(log.heads().epoch, versions)


def deliver(device: Device, cursor: Cursor | str) -> None:
    DeliveredVersions.objects.create(device=device, cursor=str(cursor), reached_at=NOW)


@pytest.fixture
def office(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("manager"))
    return client


def lag_in_metrics(device: Device) -> str | None:
    found = re.search(
        rf'redcoral_device_lag_changes{{device="{device.pk}".*}} (\S+)', Client().get("/metrics").content.decode()
    )
    return found[1] if found else None


def test_what_a_stream_has_carried_is_seen_in_admin_and_metrics(
    listen: Callable[..., Terminal], office: Client, token: str
) -> None:
    device = Device.objects.get()
    assert "up to date" not in office.get("/admin/devices/device/").content.decode()
    till = listen()
    till.until("hello")
    Tag.objects.create(name="hot")
    carried = till.until("sync", resource="tag")
    wait_until(lambda: DeliveredVersions.objects.filter(cursor=carried.id).exists(), what="what it was delivered")
    assert "up to date" in office.get("/admin/devices/device/").content.decode()
    assert lag_in_metrics(device) == "0.0"

    till.__exit__()
    Tag.objects.create(name="missed")
    Tag.objects.create(name="missed, too")

    assert "2 changes behind" in office.get("/admin/devices/device/").content.decode()
    version = carried.data["version"]
    page = office.get(f"/admin/devices/device/{device.pk}/change/").content.decode()
    assert f"tag {version} / {version + 2}" in page
    assert "2 changes behind" in page
    assert "(&#x27;some&#x27;" not in page
    assert date_format(localtime(DeliveredVersions.objects.get().reached_at), "DATETIME_FORMAT") in page
    assert lag_in_metrics(device) == "2.0"


def test_a_server_that_is_told_to_stop_writes_how_far_its_devices_are(token: str) -> None:
    with web_process() as (address, process):
        with Terminal(address, token) as till:
            hello = till.until("hello")
            process.terminate()  # seconds before it would write by the clock
            assert process.wait(10) is not None
        assert DeliveredVersions.objects.get().cursor == hello.id


def test_another_epoch_is_everything_to_refetch(office: Client) -> None:
    device = enroll(name="Till 1").device
    deliver(device, cursor(tag=0))
    epochs.begin()

    assert "refetches everything" in office.get("/admin/devices/device/").content.decode()
    assert lag_in_metrics(device) == "+Inf"


@pytest.mark.parametrize("text", ["nonsense", "", "x" * 3000])
def test_a_cursor_that_cannot_be_read_breaks_no_page(office: Client, text: str) -> None:
    device = enroll(name="Till 1").device
    deliver(device, text)

    assert "refetches everything" in office.get("/admin/devices/device/").content.decode()
    assert office.get(f"/admin/devices/device/{device.pk}/change/").status_code == 200


def test_lag_counts_the_resources_that_the_stream_carries(transactional_db: None) -> None:
    Tag.objects.create(name="hot")
    now = lag.heads()
    assert lag.changes_behind(str(cursor(zone=now.versions["zone"])), now) == 0
    assert lag.changes_behind(str(cursor(tag=now.versions["tag"] - 1, zone=now.versions["zone"])), now) == 1
    assert lag.changes_behind(str(cursor(tag=now.versions["tag"] + 1)), now) is None  # as after a restored backup
    assert lag.changes_behind(str(cursor(robot=7)), now) == 0


def test_a_revoked_device_has_no_lag(transactional_db: None) -> None:
    device = enroll(name="Till 1").device
    deliver(device, cursor(tag=0))
    assert lag_in_metrics(device) is not None
    Device.objects.update(revoked_at=NOW)
    assert lag_in_metrics(device) is None


def test_the_list_and_the_metrics_cost_the_same_queries_for_any_number_of_devices(office: Client) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert office.get(path).status_code == 200
        return len(caught)

    def some_more(count: int) -> None:
        for number in range(count):
            deliver(enroll(name=f"Till {number}").device, cursor(tag=0))

    some_more(1)
    few = {path: queries(path) for path in ("/admin/devices/device/", "/metrics")}
    some_more(10)
    assert {path: queries(path) for path in few} == few


def test_any_number_of_events_and_devices_is_one_write(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = {Stream(None): enroll(name=f"Till {number}").device for number in range(30)}
    recorder, epoch = Recorder(), log.heads().epoch
    for stream, device in streams.items():
        recorder.follow(stream, device.pk)
    monkeypatch.setattr(recording, "LOOK_SECONDS", 0.02)

    async def a_busy_moment() -> None:
        keeping = asyncio.create_task(recorder.keep())
        await asyncio.sleep(0)
        for version in range(100):  # without a pause, or a slow machine would see a look in between
            for stream in streams:
                stream.confirmed = Cursor(epoch, {"tag": version})
        await asyncio.sleep(0.2)  # several looks; after the first nothing has moved
        keeping.cancel()

    run_to_end(a_busy_moment())
    with CaptureQueriesContext(connection) as caught:
        assert [delivered.flush(), delivered.flush()] == [30, 0]

    assert len([query for query in caught if query["sql"].startswith("INSERT")]) == 1
    assert {row.cursor for row in DeliveredVersions.objects.all()} == {str(Cursor(epoch, {"tag": 99}))}
    assert DeliveredVersions.objects.count() == 30


@contextmanager
def nobody_else_can_write() -> Iterator[None]:
    """Another program holds SQLite's write lock, or PostgreSQL's lock on the table."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        parameters = {**connection.get_connection_params(), "dbname": connection.settings_dict["NAME"]}
        kept = {key: parameters[key] for key in ("dbname", "user", "host") if key in parameters}
        with psycopg.connect(**kept) as other:
            other.execute("LOCK TABLE syncing_deliveredversions")
            yield


def test_a_read_never_waits_for_what_waits_for_a_writer(transactional_db: None) -> None:
    device = enroll(name="Till 1").device
    delivered.note(device.pk, Delivered("its first", NOW))

    async def read_while_it_waits() -> log.Heads:
        writing = asyncio.create_task(asyncio.to_thread(delivered.write_out))
        with nobody_else_can_write():
            for _ in range(20):  # more than there are threads for reading
                heads: log.Heads = await asyncio.wait_for(in_reader(log.heads), 10)
            assert not writing.done(), "the fault fired: it waits"
        await asyncio.wait_for(writing, 30)
        return heads

    assert run_to_end(read_while_it_waits()).epoch == log.heads().epoch
    assert DeliveredVersions.objects.get().device == device


def test_what_could_not_be_written_waits_for_the_next_time(transactional_db: None) -> None:
    recorder, stream = Recorder(), Stream(cursor(tag=1))
    recorder.follow(stream, enroll(name="Till 1").device.pk)
    recorder.leave(stream)

    def refuse(*_arguments: object) -> None:
        raise DatabaseError("the disk is full")

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        delivered.flush()
    assert not DeliveredVersions.objects.exists()

    delivered.flush()
    assert DeliveredVersions.objects.get().cursor == str(stream.confirmed)


def test_what_was_delivered_never_moves_back_and_an_unknown_device_spoils_nothing(transactional_db: None) -> None:
    one, two = (enroll(name=name).device for name in ("Till 1", "Till 2"))
    deliver(one, "from another process, later")
    delivered.note(one.pk, Delivered("older", NOW - timedelta(seconds=1)))
    delivered.note(two.pk, Delivered("its first", NOW))
    delivered.note(uuid4(), Delivered("of a device that was deleted", NOW))

    delivered.flush()

    assert dict(DeliveredVersions.objects.values_list("device__name", "cursor")) == {
        "Till 1": "from another process, later",
        "Till 2": "its first",
    }
