"""A thousand streams: they hold no database connection, they hear of a new epoch, and they end in order."""

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection

from syncing import epochs
from tests.parts import run_to_end
from tests.syncing.conftest import web_process
from tests.syncing.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")

NAME = "crowded"
CROWD = 1000
AT_ONCE = 50  # that open at the same moment; the server's backlog is finite
SECONDS = 90  # for what a busy machine has to do; nothing waits so long


@pytest.fixture(autouse=True)
def many_files() -> None:
    """Each stream is a file descriptor here and in the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * CROWD:
        if hard < 2 * CROWD:
            pytest.skip(f"no more than {hard} files may be open here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * CROWD, hard))


class Crowd:
    """``CROWD`` raw streams of one event loop; ``heard`` is all that each was sent."""

    def __init__(self, address: str, token: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self.host, self.port = host, int(port)
        self.request = (
            f"GET /api/sync/events?resources=tag HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()
        self.heard = [b""] * CROWD
        self.wires: list[asyncio.StreamWriter] = []
        self.readers: list[asyncio.Task[None]] = []

    async def come(self, stack: AsyncExitStack) -> None:
        """All of them, until each has its hello."""
        room = asyncio.Semaphore(AT_ONCE)

        async def open_one(place: int) -> None:
            async with room:
                reader, wire = await asyncio.open_connection(self.host, self.port)
                stack.callback(wire.close)
                self.wires.append(wire)
                wire.write(self.request)
                self.readers.append(asyncio.create_task(self._read(place, reader)))
                await self.until(lambda: b"event: hello" in self.heard[place], f"hello of {place}")

        await asyncio.gather(*(open_one(place) for place in range(CROWD)))

    async def _read(self, place: int, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            self.heard[place] += data

    async def until(self, true: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(SECONDS):
            while not true():
                await asyncio.sleep(0.02)
        assert true(), what

    def all_heard(self, words: bytes) -> bool:
        return all(words in heard for heard in self.heard)


def in_a_connection_of_its_own(call: Callable[[], T]) -> T:
    """For a thread beside the event loop."""
    try:
        return call()
    finally:
        connection.close()


def connections() -> int:
    """How many connections to our database the crowded process has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [NAME])
        return int(cursor.fetchone()[0])


def processor_seconds(pid: int) -> float:
    """What the process has used of the processor, which doesn't depend on who else is busy; 0 when it is over."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_thousand_streams_hold_no_connection_hear_of_a_new_epoch_and_end_in_order(
    token: str, listen: Callable[..., Terminal]
) -> None:
    """In one test, because to open them is what takes the time."""
    elsewhere = listen(resources="tag")  # at another process
    elsewhere.until("hello")

    async def a_life(address: str, server: "subprocess.Popen[bytes]") -> None:
        async with AsyncExitStack() as stack:
            crowd = Crowd(address, token)
            await crowd.come(stack)
            if connection.vendor == "postgresql":
                # The pool's of four readers and a writer, and the one that listens: whatever the number of streams.
                assert 1 <= await asyncio.to_thread(in_a_connection_of_its_own, connections) <= 8

            epoch = await asyncio.to_thread(in_a_connection_of_its_own, epochs.begin)
            await crowd.until(lambda: crowd.all_heard(b"event: resync"), "the new epoch at every stream")
            await asyncio.to_thread(elsewhere.until, "resync", epoch=str(epoch))

            before = used = processor_seconds(server.pid)
            server.terminate()
            while not all(reader.done() for reader in crowd.readers):
                used = max(used, processor_seconds(server.pid))
                await asyncio.sleep(0.02)
            for heard in crowd.heard:
                assert heard.endswith(b"\r\n0\r\n\r\n"), "its last chunk came: it was not cut off"
                assert heard.rpartition(b"event: ")[2].startswith(b"bookmark")
            assert used - before < 3

    with web_process(graceful_seconds=SECONDS, PGAPPNAME=NAME, STREAMS_PER_DEVICE=str(CROWD)) as (address, server):
        run_to_end(a_life(address, server))
        assert server.wait(SECONDS) in (0, -signal.SIGTERM)
