"""The bodies of requests and answers, so that no client, however slow, keeps one of Django's threads.

A request's body is read whole before a thread is taken. An answer is taken from its thread whole, and handed out as
fast as its client reads. What lies here meanwhile is bounded, for one client and for all of them.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from django.utils.translation import gettext_lazy as _

from refusals import Refusal
from syncing.wire import STALLED_SECONDS, cut_off

from .limits import LARGEST_OF_STRANGERS, largest_body

logger = logging.getLogger(__name__)

IN_MEMORY = 64 * 1024  # bytes of a body; what is longer goes to the disk
BODIES_IN_ALL = 256 * 1024 * 1024  # bytes
ANSWERS_IN_ALL = 64 * 1024 * 1024
SECONDS_WITHOUT_A_BYTE = 30.0
SLOWEST = 16 * 1024  # bytes a second, from those seconds on
PATIENCE_SECONDS = 5.0  # with a client that doesn't read while others wait for room
PIECE = 64 * 1024  # bytes
BODY = "redcoral.body"  # in a scope

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class BodyTooLarge(Refusal):
    status, code = 413, "too_large"
    detail = _("The body is larger than this address takes: 25 MB for a picture, 2 MiB elsewhere, none to read.")


class BodyTimeout(Refusal):
    status, code = 408, "body_timeout"
    detail = _("The body stopped arriving, or came too slowly.")


class NoRoom(Refusal):
    status, code, retry_after = 503, "over_capacity", 5
    detail = _("There is no room for this just now; try again.")


class ClientLeft(Exception):
    """The client left before its body or answer was complete, so there is no one to answer."""


class Room:
    """So many bytes, for all of this process. What is larger than all of it comes in when nothing else is there."""

    def __init__(self, size: int) -> None:
        self.size, self.taken = size, 0

    def take(self, size: int) -> bool:
        """False when there isn't so much left, and nothing was taken."""
        if self.taken and self.taken + size > self.size:
            return False
        self.taken += size
        return True

    def give_back(self, size: int) -> None:
        self.taken -= size


bodies = Room(BODIES_IN_ALL)


@asynccontextmanager
async def spooled(scope: Any, receive: Receive, may_send: Callable[[Any], Awaitable[None]]) -> AsyncIterator[Any]:
    """The scope, which has the whole body as a file in ``BODY``. Raises BodyTooLarge, BodyTimeout, NoRoom, ClientLeft.

    ``may_send`` is asked before more than ``LARGEST_OF_STRANGERS`` is taken in, and raises what it has against that.
    The length in the scope is exact, also for a chunked body, and an upload that was cut off never looks complete.
    Header names with ``_`` are dropped: as WSGI variables they would pass for the ones with ``-`` that a proxy sets.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    declared = next((value for name, value in headers if name == b"content-length"), None)
    expected = int(declared) if declared is not None and declared.isdigit() else 0
    largest, begun = largest_body(scope["path"]), time.monotonic()
    is_asked = False
    size = 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
        try:
            more = True
            while more:
                if max(size, expected) > largest:
                    raise BodyTooLarge
                if max(size, expected) > LARGEST_OF_STRANGERS and not is_asked:
                    await may_send(scope)
                    is_asked = True
                message = await _next_part(receive, late_at=begun + SECONDS_WITHOUT_A_BYTE + size / SLOWEST)
                data = message.get("body", b"")
                if not bodies.take(len(data)):
                    raise NoRoom
                size += len(data)
                try:
                    body.write(data)
                except OSError as error:  # the disk is full, say
                    logger.warning("A body can't be kept: %s", error)
                    raise NoRoom from error
                more = message.get("more_body", False)
            if size > largest:
                raise BodyTooLarge
            body.seek(0)
            framing = (b"content-length", b"transfer-encoding")
            headers = [(name, value) for name, value in headers if name not in framing]
            if size or declared is not None:
                headers.append((b"content-length", str(size).encode()))
            yield {**scope, "headers": headers, BODY: body}
        finally:
            bodies.give_back(size)


async def _next_part(receive: Receive, *, late_at: float) -> Any:
    """A message with a part of the body. ``late_at`` is by when it has to come, by ``time.monotonic``."""
    seconds = min(SECONDS_WITHOUT_A_BYTE, late_at - time.monotonic())
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
    except TimeoutError:
        raise BodyTimeout from None
    if message["type"] == "http.disconnect":
        raise ClientLeft
    return message


class Answer:
    """An answer on its way to its client. ``room`` is what it has of ``answers``; ``read_at``: when some of it went."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.room = self.announced = 0  # bytes
        self.read_at = time.monotonic()
        self.has_begun = self.is_dropped = False
        self.kept: asyncio.Queue[Any] = asyncio.Queue()
        self.handing = asyncio.create_task(self._hand_out())

    async def keep(self, message: Any) -> None:
        """Never waits and never fails: the thread that made the answer would wait for ever."""
        if self.is_dropped:
            return
        if message["type"] == "http.response.start":
            self.announced = _length(message["headers"])
            wanted = self.announced if self.announced > PIECE else 0  # a small answer always finds room
        else:
            size = len(message.get("body", b""))
            wanted = max(0, size - self.announced)
            self.announced = max(0, self.announced - size)
        if wanted and not self._make_room(wanted):
            self.drop()
            return
        self.has_begun = True
        for piece in pieces(message):
            self.kept.put_nowait(piece)

    async def _hand_out(self) -> None:
        more = True
        while more:
            message = await self.kept.get()
            more = message["type"] == "http.response.start" or message.get("more_body", False)
            async with asyncio.timeout(STALLED_SECONDS):
                await self.send(message)
            self.read_at = time.monotonic()
            self.give_back(len(message.get("body", b"")))

    def _make_room(self, size: int) -> bool:
        """Take so many bytes; those whose clients don't read give way."""
        while not answers.take(size):
            stalest = min(waiting, key=lambda one: one.read_at)
            if stalest is self or time.monotonic() - stalest.read_at < PATIENCE_SECONDS:
                return False
            stalest.drop()
        self.room += size
        waiting[self] = None
        return True

    def give_back(self, size: int) -> None:
        size = min(size, self.room)
        self.room -= size
        answers.give_back(size)
        if not self.room:
            waiting.pop(self, None)

    def drop(self) -> None:
        """Keep nothing of it, and take no more."""
        self.is_dropped = True
        self.handing.cancel()
        self.kept = asyncio.Queue()
        self.give_back(self.room)


answers = Room(ANSWERS_IN_ALL)
waiting: dict[Answer, None] = {}  # those that have room


def _length(headers: list[tuple[bytes, bytes]]) -> int:
    return next((int(value) for name, value in headers if name == b"content-length"), 0)


@asynccontextmanager
async def handed_out(send: Send) -> AsyncIterator[Send]:
    """A ``send`` that keeps what Django says and never waits; the client gets it as fast as it reads. Raises NoRoom.

    Django's thread is free as soon as the answer is made: a client that doesn't read holds memory, no thread. And when
    the server's own ``send`` fails, because the client has left, no thread waits for ever to hand over the rest.
    """
    answer = Answer(send)
    try:
        yield answer.keep
        if answer.is_dropped and not answer.has_begun:
            raise NoRoom
        await asyncio.wait([answer.handing])
        if answer.handing.cancelled():
            logger.info("A client didn't read its answer, and gave way to others")
            await cut_off(send)
        elif error := answer.handing.exception():
            if not isinstance(
                error, OSError | RuntimeError
            ):  # a TimeoutError is one; RuntimeError: uvloop's for closed
                raise error
            logger.info("A client left before it had its whole answer: %r", error)
            await cut_off(send)
    finally:
        answer.drop()


def pieces(message: Any) -> Iterator[Any]:
    """``message``, as several when its body is long: a slow client then shows by each that it still reads."""
    body = message.get("body", b"")
    if len(body) <= PIECE:
        yield message
        return
    view = memoryview(body)  # nothing is copied
    last = (len(body) - 1) // PIECE * PIECE
    for start in range(0, last, PIECE):
        yield {**message, "body": view[start : start + PIECE], "more_body": True}
    yield {**message, "body": view[last:]}
