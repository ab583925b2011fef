"""Loaders in plain asyncio: requests on a few connections, and many open streams."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

CONNECTIONS = 8
LARGEST_ANSWER = 2**25
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def request_of(url: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def timings(url: str, requests: Iterator[bytes], *, seconds: float, connections: int = CONNECTIONS) -> list[float]:
    """How many seconds each answer 200 took, on connections that stay open.

    A 409 isn't counted: Kinto gives it when two writers meet in a collection. Nothing else may be answered.
    """
    parts, until, took = urlsplit(url), time.perf_counter() + seconds, list[float]()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=LARGEST_ANSWER)
        while (began := time.perf_counter()) < until:
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 409")), head
            length = LENGTH.search(head)
            if length is not None:
                await reader.readexactly(int(length[1]))
            else:
                assert b"chunked" in head.lower(), head
                await reader.readuntil(b"\r\n0\r\n\r\n")
            if head.startswith(b"HTTP/1.1 200"):
                took.append(time.perf_counter() - began)
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(ask() for _ in range(connections)))

    asyncio.run(all_of_them())
    return took


class Audience:
    """Open streams of one server, and when each heard of a change (``time.perf_counter``)."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.request = request_of(url, Authorization=f"Bearer {token}", Accept="text/event-stream")
        self.readers: list[Reader] = []
        self.heard: list[float] = []
        self._everybody = asyncio.Event()

    async def grow(self, size: int) -> None:
        loop = asyncio.get_running_loop()

        async def open_one() -> None:
            make = partial(Reader, self.request, self._hear)
            _, reader = await loop.create_connection(make, self.host, self.port)
            self.readers.append(reader)
            await asyncio.wait_for(reader.opened, 60)

        while missing := size - len(self.readers):
            await asyncio.gather(*(open_one() for _ in range(min(missing, 50))))

    async def hear(self, change: Callable[[], float]) -> list[float]:
        """How many seconds after ``change`` began (what it returns) each stream had it."""
        self.heard = []
        self._everybody.clear()
        began = await asyncio.to_thread(change)
        async with asyncio.timeout(30):
            await self._everybody.wait()
        return [at - began for at in self.heard]

    def _hear(self, at: float) -> None:
        self.heard.append(at)
        if len(self.heard) >= len(self.readers):
            self._everybody.set()

    def leave(self) -> None:
        for reader in self.readers:
            reader.leave()


class Reader(asyncio.Protocol):
    """One stream's reading end; not a StreamReader, to keep our own share of the delay small."""

    def __init__(self, request: bytes, hear: Callable[[float], None]) -> None:
        self.request, self.hear = request, hear
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:

        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        for _ in range(data.count(b"event: sync\n")):
            self.hear(at)
        if not self.opened.done() and (b"event: hello\n" in data or b": hi\n" in data):  # the latter is nchan's
            self.opened.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("a stream ended before it began"))

    def leave(self) -> None:
        self.transport.close()
