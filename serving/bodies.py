"""The bodies of requests and answers, so that no client, however slow, keeps one of Django's threads.

A request's body is read whole before a thread is taken. An answer is taken from its thread whole, and handed out as
fast as its client reads.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from django.utils.translation import gettext_lazy as _

from normalform import MAX_BYTES
from refusals import Refusal
from syncing.wire import STALLED_SECONDS

logger = logging.getLogger(__name__)

LARGEST_BODY = MAX_BYTES + 2 * 1024 * 1024  # a photo and what multipart adds
IN_MEMORY = 1024 * 1024  # bytes; what is longer goes to the disk
SECONDS_WITHOUT_A_BYTE = 30.0
PIECE = 64 * 1024  # bytes

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class BodyTooLarge(Refusal):
    status, code = 413, "too_large"
    detail = _("The body is larger than anything this server takes (25 MB for a picture).")


class BodyTimeout(Refusal):
    status, code = 408, "body_timeout"
    detail = _("The body stopped arriving.")


class ClientLeft(Exception):
    """The client left before its body was complete, so there is no one to answer."""


@asynccontextmanager
async def spooled(scope: Any, receive: Receive) -> AsyncIterator[tuple[Any, Receive]]:
    """The scope, and a ``receive`` over the whole body. Raises BodyTooLarge, BodyTimeout, ClientLeft.

    The length in the scope is exact, also for a chunked body, and an upload that was cut off never looks complete.
    Header names with ``_`` are dropped: as WSGI variables they would pass for the ones with ``-`` that a proxy sets.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    declared = next((value for name, value in headers if name == b"content-length"), None)
    if declared is not None and declared.isdigit() and int(declared) > LARGEST_BODY:
        raise BodyTooLarge
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
        size, more = 0, True
        while more:
            try:
                async with asyncio.timeout(SECONDS_WITHOUT_A_BYTE):
                    message = await receive()
            except TimeoutError:
                raise BodyTimeout from None
            if message["type"] == "http.disconnect":
                raise ClientLeft
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise BodyTooLarge
            body.write(message.get("body", b""))
            more = message.get("more_body", False)
        body.seek(0)
        framing = (b"content-length", b"transfer-encoding")
        headers = [(name, value) for name, value in headers if name not in framing]
        if size or declared is not None:
            headers.append((b"content-length", str(size).encode()))

        async def replay() -> Any:
            data = body.read(PIECE)
            return {"type": "http.request", "body": data, "more_body": body.tell() < size}

        yield {**scope, "headers": headers}, replay


@asynccontextmanager
async def handed_out(send: Send) -> AsyncIterator[Send]:
    """A ``send`` that keeps what Django says and never waits; the client gets it as fast as it reads.

    Django's thread is free as soon as the answer is made: a client that doesn't read holds memory, no thread. And when
    the server's own ``send`` fails, because the client has left, no thread waits for ever to hand over the rest.
    """
    kept: asyncio.Queue[Any] = asyncio.Queue()

    async def keep(message: Any) -> None:
        for piece in pieces(message):
            kept.put_nowait(piece)

    async def hand_out() -> None:
        more = True
        while more:
            message = await kept.get()
            more = message["type"] == "http.response.start" or message.get("more_body", False)
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

    handing = asyncio.create_task(hand_out())
    try:
        yield keep
        await handing
    except (OSError, RuntimeError) as error:  # a TimeoutError is an OSError; RuntimeError is what uvloop has for closed
        if not handing.done() or handing.exception() is not error:
            raise
        logger.info("A client left before it had its whole answer: %r", error)
    finally:
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)


def pieces(message: Any) -> Iterator[Any]:
    """``message``, as several when its body is long: a slow client then shows by each that it still reads."""
    body = message.get("body", b"")
    if len(body) <= PIECE:
        yield message
        return
    last = (len(body) - 1) // PIECE * PIECE
    for start in range(0, last, PIECE):
        yield {**message, "body": body[start : start + PIECE], "more_body": True}
    yield {**message, "body": body[last:]}
