"""What a client may do before anybody asks who it is: how long it may be silent, how much it may say, how often come.

uvicorn has a deadline for a connection that waits for its next request, and none for one that sends its first.
httptools has no limit for a head. So connections have uvicorn's protocol, and ours around it.

A connection is *quiet* while it waits for a whole head and *busy* while it is answered. One that carries a stream is
counted as neither: a stream shows a token, and a device has only a few of them (syncing/events.py).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from refusals import Refusal, type_of
from telemetry import refused

from .descriptors import room_for_streams

HEAD_SECONDS = 15.0  # for a whole head, from the end of what came before
QUIET_SECONDS = 1.0  # after these a silent connection goes, if its address has too many
LINGER_SECONDS = 2.0  # for a client that is refused, and may still be sending, to read why
LONGEST_HEAD = 64 * 1024  # bytes of the address and all headers; trailers count as well
LONGEST_PATH = 200  # signs, in a line of the log
MOST_QUIET = 128  # connections of one address
MOST_BUSY = 256
MOST_IN_LINE = 16  # requests of one connection that were sent without waiting for an answer
STREAM = b"/api/sync/events"


class HeadTooLarge(Refusal):
    status, code = 431, "head_too_large"
    detail = _("The address and the headers of a request have at most 64 kB.")


class HeadTimeout(Refusal):
    status, code = 408, "head_timeout"
    detail = _("The head of the request didn't arrive in time.")


class TooManyConnections(Refusal):
    status, code, retry_after = 503, "over_capacity", 2
    detail = _("This address asks for more at once than the server gives to one.")


@cache
def most_connections() -> int:
    """How many this process may have. Raises its limit of open files, and leaves room for other files."""
    return room_for_streams()


def guard_connections(receive: Callable[..., Any]) -> None:
    """Have uvicorn make connections of ours from now on. ``receive`` is that of its lifespan.

    Its program takes no class for this. Under another server, or with another parser, nothing changes.
    """
    config = getattr(getattr(receive, "__self__", None), "config", None)
    if isinstance(config, Config) and config.http_protocol_class is HttpToolsProtocol:
        config.http_protocol_class = Connection


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with deadlines and limits. Has slots, since a larger dictionary would cost a stream 1 kB."""

    __slots__ = ("_deadline", "_head", "_is_busy", "_refused", "_unparsed")

    quiet: "dict[str, dict[Connection, None]]" = {}  # by address, the oldest first
    busy: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._head = 0  # bytes of the message's head and trailers that were understood
        self._unparsed = 0  # bytes that came, of no complete head and no body
        self._is_busy = False
        self._refused: Refusal | None = None
        if len(self.connections) > most_connections():
            self._make_room()
        self._be_quiet(QUIET_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._count_no_more()
        super().connection_lost(exc)

    # --- What comes in ------------------------------------------------------------------------------------------
    def data_received(self, data: bytes) -> None:
        if self._refused:
            return  # it is read so that the client reads the answer: a socket that is closed unread takes it back
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > LONGEST_HEAD:
            self._refuse(HeadTooLarge())

    def on_url(self, url: bytes) -> None:
        self._add_to_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._add_to_head(len(name) + len(value) + 4)
        super().on_header(name, value)

    def _add_to_head(self, size: int) -> None:
        self._head += size
        if self._head > LONGEST_HEAD:
            raise HeadTooLarge  # the parser stops, and uvicorn calls `send_400_response`

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        if len(self.pipeline) >= MOST_IN_LINE:
            raise TooManyConnections
        if not self._is_answering:
            self._count_no_more()
            if self.url.partition(b"?")[0] != STREAM:
                self._is_busy = True
                self.busy[self._address] += 1
        if self._is_busy and self.busy[self._address] > self._most(MOST_BUSY):
            raise TooManyConnections
        super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        return False  # there are no WebSockets here, and theirs would be connections that nobody counts

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = self._head = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last:
            self._count_no_more()
            self._be_quiet(HEAD_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """What couldn't be parsed, or what a method above has refused."""
        if self._head > LONGEST_HEAD:
            self._refuse(HeadTooLarge())
        elif len(self.pipeline) >= MOST_IN_LINE or self.busy[self._address] > self._most(MOST_BUSY):
            self._refuse(TooManyConnections())
        else:
            super().send_400_response(msg)

    # --- Counting and ending ------------------------------------------------------------------------------------
    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _most(self, most: int) -> float:
        """A trusted proxy comes for everybody, and has limits of its own."""
        return float("inf") if self._address in settings.TRUSTED_PROXIES else most

    def _be_quiet(self, seconds: float) -> None:
        self.quiet.setdefault(self._address, {})[self] = None
        self._deadline = self.loop.call_later(seconds, self._look, seconds)

    def _count_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        mine = self.quiet.get(self._address, {})
        if mine.pop(self, self) is None and not mine:
            del self.quiet[self._address]
        if self._is_busy:
            self._is_busy = False
            self.busy[self._address] -= 1
            if not self.busy[self._address]:
                del self.busy[self._address]

    def _look(self, waited: float) -> None:
        """What to do with a connection that has waited for a head for so long (seconds)."""
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()  # its client doesn't read the end of the last answer
        elif waited < HEAD_SECONDS and len(self.quiet[self._address]) <= self._most(MOST_QUIET):
            self._deadline = self.loop.call_later(HEAD_SECONDS - waited, self._look, HEAD_SECONDS)
        elif self._unparsed or self._head:
            self._refuse(HeadTimeout())
        else:
            self.transport.close()

    def _make_room(self) -> None:
        """End the one that has been quiet for longest, of the address that has most of them."""
        if self.quiet:
            most = max(self.quiet, key=lambda address: len(self.quiet[address]))
            next(iter(self.quiet[most])).transport.abort()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer, and read no more. In English: whoever has sent no whole head has chosen no language."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = refusal
        self._tell(refusal)
        status = HTTPStatus(refusal.status)
        members = {"type": type_of(refusal.code), "title": status.phrase, "status": status, "code": refusal.code}
        body = orjson.dumps({**members, "detail": str(refusal)})
        headers = {**refusal.headers, "Content-Type": "application/problem+json", "Content-Length": len(body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Connection": "close"}.items())
        if not (self._is_answering and self.cycle.response_started):  # else it would stand in the middle of an answer
            self.transport.write(STATUS_LINE[status] + f"{head}\r\n".encode() + body)
            self.transport.write_eof()
        if self._is_answering:  # whoever works on it hears that nobody wants it any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _tell(self, refusal: Refusal) -> None:
        """Log it as every refusal: method and path as far as they were understood, without the query."""
        url: bytes = getattr(self, "url", b"")
        refused.tell(
            method=self.parser.get_method().decode("ascii", "replace") if url else "-",
            path=url.partition(b"?")[0][:LONGEST_PATH].decode("latin-1"),
            status=refusal.status,
            code=refusal.code,
            who="",
            address=self._address,
        )
