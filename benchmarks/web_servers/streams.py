"""Open streams of one server, read here, and how long an event takes to reach them."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .servers import DEADLINE, CaseFailed, Server, fetch, until


@dataclass
class Audience:
    """The reading ends of many streams, and what the broadcast in flight has brought them."""

    server: Server
    readers: list["Reader"] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    everybody: asyncio.Event = field(default_factory=asyncio.Event)

    async def grow(self, size: int) -> None:
        """Open streams until `size` are open and the server counts as many."""
        loop = asyncio.get_running_loop()

        async def open_one() -> None:
            _, reader = await loop.create_connection(partial(Reader, self), "127.0.0.1", self.server.port)
            self.readers.append(reader)
            await reader.opened

        async with asyncio.timeout(DEADLINE * 3):
            while missing := size - len(self.readers):
                await asyncio.gather(*(open_one() for _ in range(min(missing, 50))))
        await self.counted(size)

    async def counted(self, size: int) -> None:
        async def equal() -> bool:
            return int(await fetch(self.server.port, "/streams")) == size

        await until(equal, what=f"{size} streams on the server")

    async def leave(self) -> None:
        for reader in self.readers:
            reader.leave()
        self.readers.clear()
        await self.counted(0)

    async def broadcast(self) -> list[int]:
        """Delay of one event to each stream, in nanoseconds from the server's stamp to our reading."""
        self.delays = []
        self.everybody.clear()
        await fetch(self.server.port, "/broadcast", "POST")
        try:
            async with asyncio.timeout(DEADLINE):
                await self.everybody.wait()
        except TimeoutError:
            raise CaseFailed(f"an event reached {len(self.delays)} of {len(self.readers)} streams") from None
        return self.delays

    def heard(self, delay: int) -> None:
        self.delays.append(delay)
        if len(self.delays) == len(self.readers):
            self.everybody.set()


class Reader(asyncio.Protocol):
    """One stream's reading end. Not a StreamReader, to keep our own share of the delay small."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = b""
        self.leaving = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.transport.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.received += data
        if not self.opened.done():
            if b": open\n\n" not in self.received:
                return
            if self.received.startswith(b"HTTP/1.1 200 "):
                self.opened.set_result(None)
            else:
                self.opened.set_exception(CaseFailed("a stream was refused"))
        while event := re.search(rb"data: (\d+)\n\n", self.received):
            self.received = self.received[event.end() :]
            self.audience.heard(now - int(event[1]))

    def connection_lost(self, error: Exception | None) -> None:
        # A stream that ends later is missed by the next broadcast, which then fails at its deadline.
        if not self.opened.done() and not self.leaving:
            self.opened.set_exception(CaseFailed("a stream ended before it began"))

    def leave(self) -> None:
        self.leaving = True
        self.transport.close()
