"""What terminals are sent while processes are killed and connections cut, judged by the validators."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from django.db import connection

from catalog.models import Category, Product
from syncing import feed
from syncing.cursors import Cursor
from tests.parts import wait_until
from tests.syncing.conftest import web_process
from tests.syncing.histories import History, Recorded, faults
from tests.syncing.reconnecting import ReconnectingTerminal
from tests.syncing.recorder import Recorder
from tests.syncing.terminal import Frame, Terminal
from tests.syncing.writers import RESOURCES, Writer

pytestmark = pytest.mark.django_db(transaction=True)
postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server")

LISTENING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' ORDER BY pid"
CHECKPOINTER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"


class Shop:
    """One writer that commits and rolls back as ``random`` says, and what it committed."""

    def __init__(self) -> None:
        self.writer, self.recorder = Writer("writer", count(1)), Recorder(RESOURCES)
        self.random = Random(3)  # noqa: S311 - the same edits each time

    def edit(self, transactions: int) -> dict[str, int]:
        """Where the resources stand after so many transactions."""
        for _ in range(transactions):
            edits = [self.random.randrange(200) for _ in range(self.random.randint(1, 4))]
            self.writer.write(edits, commit=self.random.random() < 0.8)
            self.recorder.note()
        versions = self.recorder.note().versions
        return {name: versions[name] for name in RESOURCES}

    def has_told_the_truth_to(self, till: ReconnectingTerminal, versions: dict[str, int]) -> bool:
        till.until_it_has(versions)
        history = History(till.recorded, self.recorder.truth, until=versions)
        assert faults(history) == {}
        carried = [frame for stream in history.streams for frame in stream.frames if frame.event == "sync"]
        assert len(carried) > 30
        # Commits that are read together share a cut; what came before a fault and what came after it never are.
        assert sum(frame.data["cut"] for frame in carried) >= 2
        return True


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    return Shop()


def test_a_killed_web_process(shop: Shop, token: str) -> None:
    with web_process() as (address, process), ReconnectingTerminal(address, token, RESOURCES) as till:
        till.until_connected()
        till.until_it_has(shop.edit(20))
        shop.edit(3)  # on their way when the process is killed
        process.kill()
        assert process.wait(10) == -signal.SIGKILL, "the fault fired"
        wait_until(till.streams[0].ended.is_set, what="the end of the stream")
        assert till.streams[0].frames[-1].event != "bookmark", "nobody said goodbye"
        shop.edit(20)
        with web_process() as (till.address, _):
            till.until_connected(streams=2)
            assert shop.has_told_the_truth_to(till, shop.edit(20))


@postgresql
def test_a_postgresql_that_crashes_and_recovers(shop: Shop, web: str, token: str) -> None:
    """One of its processes is killed: it takes all connections down, replays its log and starts again."""
    with ReconnectingTerminal(web, token, RESOURCES) as till:
        till.until_connected()
        with connection.cursor() as cursor:
            # The tests' server is told to be careless: a crash would take back commits that terminals have heard of.
            cursor.execute("SET synchronous_commit = on")
        shop.edit(20)
        before = checkpointer()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (victim,) = cursor.fetchone()
        os.kill(victim, signal.SIGKILL)
        connection.close()
        # The fault fired when every process of the server is a new one; until then some still let us in.
        wait_until(lambda: checkpointer() not in (None, before), seconds=60, what="PostgreSQL")
        assert shop.has_told_the_truth_to(till, shop.edit(20))


def checkpointer() -> int | None:
    """The pid of the one process that lives as long as the server does; None while there is no server."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute(CHECKPOINTER)
            (pid,) = cursor.fetchone()
    except Exception:  # noqa: BLE001 - of the driver, the pool or Django: it isn't there
        connection.close()
        return None
    return int(pid)


def listeners(wire: Any) -> set[int]:
    return {pid for (pid,) in wire.execute(LISTENING).fetchall()}


@postgresql
def test_a_listening_connection_that_is_cut_again_and_again(shop: Shop, web: str, token: str) -> None:
    with ReconnectingTerminal(web, token, RESOURCES) as till, other_connection() as wire:
        till.until_connected()
        for _ in range(3):
            shop.edit(5)
            wait_until(partial(listeners, wire), what="the listening connection")
            cut = listeners(wire)
            for pid in cut:
                assert wire.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone() == (True,)
            till.until_it_has(shop.edit(5))  # committed while nobody listens, or somebody new
            wait_until(lambda cut=cut: not cut & listeners(wire), what="their end")  # type: ignore[misc]
        assert len(till.streams) == 1, "no stream noticed"
        assert shop.has_told_the_truth_to(till, shop.edit(10))


def other_connection() -> Any:
    parameters = connection.get_connection_params()
    kept = {key: parameters[key] for key in ("dbname", "user", "host") if key in parameters}
    return psycopg.connect(**kept, autocommit=True)


@contextmanager
def stalled(web: str, token: str, names: tuple[str, ...]) -> Iterator[Iterator[Frame]]:
    """A stream that nobody reads until somebody asks for its frames; its socket takes only little."""
    host, _, port = web.removeprefix("http://").partition(":")
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.settimeout(60)
        wire.connect((host, int(port)))
        path = f"/api/sync/events?resources={','.join(names)}"
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        yield frames_of(wire)


def frames_of(wire: socket.socket) -> Iterator[Frame]:
    fields: dict[str, str] = {}
    for line in wire.makefile("r", encoding="utf-8", newline="\n"):
        name, colon, value = line.rstrip("\n").partition(": ")
        if colon and name in ("id", "event", "data"):
            fields[name] = value
        elif line == "\n" and fields:
            yield Frame(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


def test_a_reader_that_stalls_until_its_queue_is_full(category: Category, web: str, token: str) -> None:
    """More is written than its queue and the sockets hold: it leaves the fan-out, and later reads the log."""
    names, bulk, count_ = ("category", "product"), 3000, 200
    Product.objects.bulk_create(
        Product(name=f"p{n}", price="1", category=category, description="x" * bulk) for n in range(count_)
    )
    recorder = Recorder(names)
    holds = feed.QUEUE_BYTES + int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2]) + 1024 * 1024
    with stalled(web, token, names) as slow, Terminal(web, token, resources=",".join(names)) as quick:
        quick.until("hello")
        hello = next(slow)
        for place in range(holds // (count_ * bulk) + 1):
            Product.objects.update(position=place + 1)
            recorder.note()
            Category.objects.update(position=place + 1)
            heads = recorder.note().versions
        versions = {name: heads[name] for name in names}
        for name in names:
            quick.until("sync", resource=name, version=versions[name], seconds=60)
        written = sum(len(frame.data["data"].get("description", "")) for frame in quick.frames if frame.event == "sync")
        assert written > holds, "the fault fired: no queue and no socket holds that much"

        frames = [hello]
        while Cursor.parse(frames[-1].id).versions != versions:
            frames.append(next(slow))

        for carried in (quick.frames, frames):
            assert faults(History([Recorded(carried)], recorder.truth, until=versions)) == {}
