"""How far each device is: seen in the admin and in the metrics, and nobody writes or waits for it."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

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
from syncing import epochs, log, positions
from syncing.cursors import Cursor
from syncing.models import Position
from syncing.positions import Positions, Reached
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


def place(device: Device, at: Cursor | str) -> None:
    Position.objects.create(device=device, cursor=str(at), reached_at=NOW)


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
    wait_until(lambda: Position.objects.filter(cursor=carried.id).exists(), what="its position")
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
    assert date_format(localtime(Position.objects.get().reached_at), "DATETIME_FORMAT") in page
    assert lag_in_metrics(device) == "2.0"


def test_a_server_that_is_told_to_stop_writes_how_far_its_devices_are(token: str) -> None:
    with web_process() as (address, process):
        with Terminal(address, token) as till:
            hello = till.until("hello")
            process.terminate()  # seconds before it would write by the clock
            assert process.wait(10) is not None
        assert Position.objects.get().cursor == hello.id


def test_another_epoch_is_everything_to_refetch(office: Client) -> None:
    device = enroll(name="Till 1").device
    place(device, cursor(tag=0))
    epochs.begin()

    assert "refetches everything" in office.get("/admin/devices/device/").content.decode()
    assert lag_in_metrics(device) == "+Inf"


@pytest.mark.parametrize("text", ["nonsense", "", "x" * 3000])
def test_a_position_that_cannot_be_read_breaks_no_page(office: Client, text: str) -> None:
    device = enroll(name="Till 1").device
    place(device, text)

    assert "refetches everything" in office.get("/admin/devices/device/").content.decode()
    assert office.get(f"/admin/devices/device/{device.pk}/change/").status_code == 200


def test_lag_counts_the_resources_that_the_stream_carries(transactional_db: None) -> None:
    Tag.objects.create(name="hot")
    now = positions.heads()
    assert positions.behind(str(cursor(zone=now.versions["zone"])), now) == 0
    assert positions.behind(str(cursor(tag=now.versions["tag"] - 1, zone=now.versions["zone"])), now) == 1
    assert positions.behind(str(cursor(tag=now.versions["tag"] + 1)), now) is None  # as after a restored backup
    assert positions.behind(str(cursor(robot=7)), now) == 0


def test_a_revoked_device_has_no_lag(transactional_db: None) -> None:
    device = enroll(name="Till 1").device
    place(device, cursor(tag=0))
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
            place(enroll(name=f"Till {number}").device, cursor(tag=0))

    some_more(1)
    few = {path: queries(path) for path in ("/admin/devices/device/", "/metrics")}
    some_more(10)
    assert {path: queries(path) for path in few} == few


def test_any_number_of_events_and_devices_is_one_write(transactional_db: None) -> None:
    streams = {Stream(None): enroll(name=f"Till {number}").device for number in range(30)}
    following = Positions()
    for stream, device in streams.items():
        following.follow(stream, device.pk)
    written: list[dict[UUID, Reached]] = []
    write = positions.write

    def counted(reached: Any) -> None:
        written.append(dict(reached))
        with CaptureQueriesContext(connection) as caught:
            write(reached)
        assert len([query for query in caught if query["sql"].startswith("INSERT")]) == 1

    async def a_busy_moment() -> None:
        keeping = asyncio.create_task(following.keep())
        await asyncio.sleep(0)
        for version in range(100):  # without a pause, or a slow machine would see a tick in between
            for stream in streams:
                stream.confirmed = cursor_of(version)
        while not written:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # more ticks, in which nothing moved
        keeping.cancel()

    epoch = log.heads().epoch

    def cursor_of(version: int) -> Cursor:
        return Cursor(epoch, {"tag": version})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "write", counted)
        patch.setattr(positions, "EVERY_SECONDS", 0.02)
        run_to_end(a_busy_moment())

    assert len(written) == 1
    assert {row.cursor for row in Position.objects.all()} == {str(cursor_of(99))}
    assert Position.objects.count() == 30


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
            other.execute("LOCK TABLE syncing_position")
            yield


def test_a_read_never_waits_for_a_position_that_waits_for_a_writer(transactional_db: None) -> None:
    device = enroll(name="Till 1").device
    following, stream = Positions(), Stream(cursor(tag=1))
    following.follow(stream, device.pk)
    following.leave(stream)

    async def read_while_it_waits() -> log.Heads:
        writing = asyncio.create_task(following.write())
        with nobody_else_can_write():
            for _ in range(20):  # more than there are threads for reading
                heads: log.Heads = await asyncio.wait_for(in_reader(log.heads), 10)
            assert not writing.done(), "the fault fired: it waits"
        await asyncio.wait_for(writing, 30)
        return heads

    assert run_to_end(read_while_it_waits()).epoch == log.heads().epoch
    assert Position.objects.get().device == device


def test_what_could_not_be_written_waits_for_the_next_time(transactional_db: None) -> None:
    device = enroll(name="Till 1").device
    following, stream = Positions(), Stream(cursor(tag=1))
    following.follow(stream, device.pk)
    following.leave(stream)

    def refuse(_reached: object) -> None:
        raise DatabaseError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "write", refuse)
        run_to_end(following.write())
    assert not Position.objects.exists()

    run_to_end(following.write())
    assert Position.objects.get().cursor == str(stream.confirmed)


def test_a_position_never_moves_back_and_an_unknown_device_spoils_nothing(transactional_db: None) -> None:
    one, two = (enroll(name=name).device for name in ("Till 1", "Till 2"))
    place(one, "from another process, later")

    in_a_thread(
        positions.write,
        {
            one.pk: Reached("older", NOW - timedelta(seconds=1)),
            two.pk: Reached("its first", NOW),
            uuid4(): Reached("of a device that was deleted", NOW),
        },
    )

    assert dict(Position.objects.values_list("device__name", "cursor")) == {
        "Till 1": "from another process, later",
        "Till 2": "its first",
    }


def in_a_thread(work: Callable[..., None], *arguments: object) -> None:
    """As the server does it: ``write`` closes the connections of its thread."""
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()
