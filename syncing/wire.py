"""What carries a stream to its client: ASGI's ``send``, and past it the transport itself where the server is uvicorn.

``send`` is for a task that has its turn, and frames what it is given. For a change that goes to thousands of streams
the turns and the framing are nearly all of the work. A direct wire takes bytes that were framed once for all of them,
and takes them at once, as long as its client keeps up; one that doesn't is sent the rest by its task, at its own pace.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Scope = Mapping[str, Any]
Send = Callable[[Any], Awaitable[None]]


class Piece(Protocol):
    """Bytes for many clients: as they are, and as a chunk of HTTP/1.1."""

    @property
    def data(self) -> bytes: ...

    @property
    def chunked(self) -> bytes: ...


class Wire:
    """The way to one client, through ``send``."""

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
    """The way past ``send``, to the transport of ``cycle``. What it is to do it does as ``cycle`` would."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        super().__init__(cycle.send)
        self._cycle, self._flow, self._write = cycle, cycle.flow, cycle.transport.write

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        if self._cycle.scope["http_version"] == "1.0":
            # Such a client knows no chunks, which uvicorn would send: the answer ends with the connection.
            self._cycle.chunked_encoding, self._cycle.expected_content_length = False, sys.maxsize
        await super().start(status, headers)

    async def send(self, data: bytes, *, more: bool = True) -> None:
        if not more and not self._cycle.chunked_encoding:
            self._cycle.expected_content_length = len(data)  # this is all that is left
        await super().send(data, more=more)

    def offer(self, piece: Piece) -> bool:
        if self._flow.write_paused or self._cycle.disconnected:
            return False
        self._write(piece.chunked if self._cycle.chunked_encoding else piece.data)
        return True


def wire_of(send: Send) -> Wire:
    """The shortest way to who gets what ``send`` is given."""
    cycle = getattr(send, "__self__", None)
    return DirectWire(cycle) if isinstance(cycle, RequestResponseCycle) else Wire(send)
