"""The way of bytes to a client: ASGI's ``send``, or past it the transport itself where the server is uvicorn.

To call ``send`` a stream's task has to be woken, and ``send`` frames what it is given. For a change that goes to
thousands of streams, waking and framing are nearly all of the work. A direct wire takes bytes that were framed once for
all streams, and takes them at once, as long as its client keeps up. The task of a stream whose client doesn't keep up
sends the rest, at the client's own pace.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

STALLED_SECONDS = 60.0  # a client that takes no byte for so long is gone; its socket just doesn't know

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Piece(Protocol):
    """Bytes for many clients: as they are, and as a chunk of HTTP/1.1."""

    @property
    def data(self) -> bytes: ...

    @property
    def chunked(self) -> bytes: ...


class Wire:
    """The way to one client, through ``send``."""

    __slots__ = ("_send",)

    def __init__(self, send: Send) -> None:
        self._send = send

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, data: bytes, *, more: bool = True) -> None:
        """Hand over ``data`` when the client has taken what came before; ``more`` is False at the end."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    def offer(self, piece: Piece) -> bool:
        """Hand over ``piece`` at once; False when that can't be, and nothing was handed over."""
        return False


class DirectWire(Wire):
    """Writes to the transport of ``cycle`` directly, in the framing of uvicorn's own cycle."""

    __slots__ = ("_cycle", "_flow", "_is_chunked", "_is_closing", "_write")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        super().__init__(cycle.send)
        self._cycle, self._flow = cycle, cycle.flow
        self._write, self._is_closing = cycle.transport.write, cycle.transport.is_closing
        # uvicorn would send chunks, which HTTP/1.0 doesn't know: the answer ends with the connection.
        self._is_chunked = cycle.scope["http_version"] != "1.0"

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        if not self._is_chunked:
            self._cycle.chunked_encoding, self._cycle.expected_content_length = False, sys.maxsize
        await super().start(status, headers)

    async def send(self, data: bytes, *, more: bool = True) -> None:
        if not more and not self._is_chunked:
            self._cycle.expected_content_length = len(data)  # this is all that is left
        await super().send(data, more=more)

    def offer(self, piece: Piece) -> bool:
        if self._flow.write_paused or self._is_closing():
            return False
        self._write(piece.chunked if self._is_chunked else piece.data)
        return True


def wire_of(send: Send) -> Wire:
    """The shortest way to the client of ``send``."""
    cycle = getattr(send, "__self__", None)
    return DirectWire(cycle) if isinstance(cycle, RequestResponseCycle) else Wire(send)


async def cut_off(send: Send) -> None:
    """End the connection of ``send`` now. Just closed, it would wait for a client that doesn't read what is left."""
    cycle = getattr(send, "__self__", None)
    if isinstance(cycle, RequestResponseCycle):
        cycle.transport.abort()
        while (await cycle.receive())["type"] != "http.disconnect":
            pass
