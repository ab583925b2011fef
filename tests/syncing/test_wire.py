"""The direct way to a client: past uvicorn's ``send``, and still what HTTP and the stream's rules ask for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import uvicorn

from catalog.models import Tag, Zone
from syncing import epochs
from syncing.feed import Chunk
from syncing.stream import Stream
from syncing.wire import DirectWire, Wire, wire_of
from tests.parts import free_port, run_to_end
from tests.syncing.simulation import Process, Turnstile, alone, read_through

SECONDS = 60  # for what a busy machine has to do; nothing waits so long


def chunk(data: bytes) -> Chunk:
    return Chunk({}, {}, data, uuid4())


@dataclass
class Stage:
    """An application of uvicorn's that opens its answer and leaves the rest to the test."""

    port: int = field(default_factory=free_port)
    wires: "asyncio.Queue[Wire]" = field(default_factory=asyncio.Queue)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        wire = wire_of(send)
        await wire.start(200, [(b"content-type", b"text/plain")])
        self.over = asyncio.Event()
        self.wires.put_nowait(wire)
        await self.over.wait()

    @asynccontextmanager
    async def client(self, version: str) -> AsyncIterator[tuple[Wire, asyncio.StreamReader]]:
        """A wire, and its other end, which takes little more than it is asked to."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=4096)
        writer.write(f"GET / HTTP/{version}\r\nHost: here\r\n\r\n".encode())
        try:
            yield await self.wires.get(), reader
        finally:
            writer.close()
            self.over.set()


def on_stage(test: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        stage = Stage()
        server = uvicorn.Server(uvicorn.Config(stage, port=stage.port, lifespan="off", log_level="critical"))
        serving = asyncio.create_task(server._serve())  # serve() would take the process' signals
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            async with asyncio.timeout(SECONDS):
                await test(stage)
        finally:
            server.should_exit = True
            await serving

    run_to_end(play())


def test_a_client_of_http_1_1_gets_chunks_that_were_framed_once() -> None:
    async def scene(stage: Stage) -> None:
        async with stage.client("1.1") as (wire, reader):
            assert isinstance(wire, DirectWire)
            await wire.send(b"hello")
            assert wire.offer(chunk(b"0123456789abcdef"))
            await wire.send(b"bye", more=False)

            head = await reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head.lower()
            body = await reader.readuntil(b"0\r\n\r\n")
            assert body == b"5\r\nhello\r\n10\r\n0123456789abcdef\r\n3\r\nbye\r\n0\r\n\r\n"

    on_stage(scene)


def test_a_client_of_http_1_0_gets_the_bytes_alone_and_the_end_of_the_connection() -> None:
    async def scene(stage: Stage) -> None:
        async with stage.client("1.0") as (wire, reader):
            await wire.send(b"hello")
            assert wire.offer(chunk(b"0123456789abcdef"))
            await wire.send(b"bye", more=False)

            head = await reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding" not in head.lower()
            assert await reader.read(-1) == b"hello0123456789abcdefbye"

    on_stage(scene)


def test_a_client_that_does_not_read_is_offered_nothing_until_it_has_read() -> None:
    piece = chunk(b"x" * 50_000)

    async def scene(stage: Stage) -> None:
        async with stage.client("1.0") as (wire, reader):
            taken = 0
            while wire.offer(piece):  # until kernel and transport are full
                taken += 1
                await asyncio.sleep(0)
            assert 0 < taken < 2000, "bounded"

            await reader.readuntil(b"\r\n\r\n")
            for _ in range(taken):
                await reader.readexactly(len(piece.data))
            await wire.send(b"drained")
            assert wire.offer(piece)
            assert await reader.readexactly(len(b"drained")) == b"drained"
            await reader.readexactly(len(piece.data))

    on_stage(scene)


def test_a_client_that_has_left_is_offered_nothing() -> None:
    async def scene(stage: Stage) -> None:
        async with stage.client("1.1") as (wire, _):
            pass
        while wire.offer(chunk(b"x")):  # until the server has noticed
            await asyncio.sleep(0.01)
        assert not wire.offer(chunk(b"x"))

    on_stage(scene)


def test_another_server_than_uvicorn_is_spoken_to_in_asgi() -> None:
    said: list[Any] = []

    async def send(event: Any) -> None:
        said.append(event)

    async def scene() -> None:
        wire = wire_of(send)
        await wire.start(200, [])
        assert not wire.offer(chunk(b"x"))
        await wire.send(b"y", more=False)

    run_to_end(scene())
    assert [event["type"] for event in said] == ["http.response.start", "http.response.body"]
    assert (said[1]["body"], said[1]["more_body"]) == (b"y", False)


@pytest.mark.django_db(transaction=True)
@alone
def test_a_change_is_handed_to_streams_in_step_past_their_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    turnstile = Turnstile()
    read_through(turnstile, monkeypatch)
    epochs.begin()
    zone = Zone.objects.create(name="Bar")
    process = Process(turnstile)
    fresh = process.connect(("zone",), None)
    Zone.objects.filter(pk=zone.pk).update(position=1)
    process.ring()
    resuming = process.connect(("zone",), fresh.frames[0].id)  # from before the change: it reads that by itself
    of_others = process.connect(("tag",), None)
    told = [len(wire.frames) for wire in (fresh, resuming, of_others)]
    (group,) = (group for names, group in process.hub.groups.items() if names == ("zone",))

    offered = fresh.offered
    Zone.objects.filter(pk=zone.pk).update(position=2)
    process.ring()

    assert [len(wire.frames) for wire in (fresh, resuming, of_others)] == [told[0] + 1, told[1] + 1, told[2]]
    assert (fresh.offered, resuming.offered) == (offered + 1, 1)
    assert fresh.frames[-1] == resuming.frames[-1]
    streams = [one for one in group.waiting.values() if isinstance(one, Stream)]
    assert [stream.talking for stream in streams] == [None, None], "no task of theirs was needed"
    Tag.objects.create(name="hot")
    process.ring()
    assert of_others.frames[-1].event == "sync"
    process.stop(gracefully=False)
