"""The ASGI front: the stream beside Django, and Django's WSGI application in a bounded thread pool.

``make run`` serves everything with this one process; in production nginx sends only ``/api/sync/events`` here and the
rest to WSGI workers. See docs/adr/0004.
"""

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from .wsgi import application as wsgi_application  # isort: skip - sets Django up before anything of it is imported

from a2wsgi import WSGIMiddleware
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _

from devices import contacts
from devices.identity import request_from_scope
from syncing import registry
from syncing.stream import Refused, Streams

from .problems import Problem
from .settling import settle

log = logging.getLogger(__name__)

EVENTS = "/api/sync/events"
SNAPSHOTS = frozenset(f"/api/sync/{name}" for name in registry.names())
THREADS = 16
THREADS_FOR_SNAPSHOTS = THREADS // 2
LARGEST_BODY = 27 * 1024 * 1024  # a photo of 25 MB and what multipart adds
IN_MEMORY = 1024 * 1024
SECONDS_WITHOUT_A_BYTE = 30.0
PIECE = 64 * 1024  # of an answer, on its way out
STALLED_SECONDS = 60.0  # a client that takes no byte for so long is gone; its socket just doesn't know

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

streams = Streams()
django = WSGIMiddleware(cast(Any, wsgi_application), workers=THREADS)
snapshots = asyncio.Semaphore(THREADS_FOR_SNAPSHOTS)


class BodyRefused(Exception):
    """The request's body is too long, too slow or was cut off; ``problem`` makes the answer, None when nobody waits."""

    def __init__(self, problem: Callable[[], Problem] | None) -> None:
        super().__init__()
        self.problem = problem


async def application(scope: Any, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
    elif scope["path"] == EVENTS:
        try:
            await streams(scope, receive, send)
        except Refused as no:
            with override(language_of(scope)):
                problem = Problem(no.status, no.code, no.detail, headers=no.headers)
            await answer(problem, send)
    else:
        try:
            async with spooled(scope, receive) as (whole_scope, replay), handed_out(send) as keep, turn(scope["path"]):
                await django(whole_scope, replay, keep)
        except BodyRefused as refused:
            if refused.problem is not None:
                with override(language_of(scope)):
                    problem = refused.problem()
                await answer(problem, send)


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                close_streams_first(number, loop)
            settle()
            await send({"type": "lifespan.startup.complete"})
        else:
            await streams.stop()
            await asyncio.to_thread(contacts.write_what_is_left)
            await send({"type": "lifespan.shutdown.complete"})
            return


def close_streams_first(number: int, loop: asyncio.AbstractEventLoop) -> None:
    """The server waits for open responses when it is told to stop; ours would not end by themselves."""
    before = signal.getsignal(number)

    def handle(signum: int, stack: Any) -> None:
        loop.call_soon_threadsafe(streams.close)
        if callable(before):
            before(signum, stack)

    with suppress(ValueError):  # not the main thread: somebody embeds us and stops us himself
        signal.signal(number, handle)


def turn(path: str) -> AbstractAsyncContextManager[Any]:
    """A turn at the threads. Whoever asks for a snapshot may wait for its builder: a herd must not wait in all of them.

    Its rest waits here, where waiting costs nothing.
    """
    return snapshots if path in SNAPSHOTS else nullcontext()


@asynccontextmanager
async def spooled(scope: Any, receive: Receive) -> AsyncIterator[tuple[Any, Receive]]:
    """The scope and a ``receive`` over the whole body, read before a thread is taken: a slow upload occupies none.

    The length is then exact, also for a chunked body, and an upload that was cut off never looks complete. Header names
    with ``_`` are dropped: as WSGI variables they would pass for the ones with ``-`` that a proxy sets.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    declared = next((value for name, value in headers if name == b"content-length"), None)
    if declared is not None and declared.isdigit() and int(declared) > LARGEST_BODY:
        raise BodyRefused(too_large)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
        size, more = 0, True
        while more:
            try:
                async with asyncio.timeout(SECONDS_WITHOUT_A_BYTE):
                    message = await receive()
            except TimeoutError:
                raise BodyRefused(too_slow) from None
            if message["type"] == "http.disconnect":
                raise BodyRefused(None)
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise BodyRefused(too_large)
            body.write(message.get("body", b""))
            more = message.get("more_body", False)
        body.seek(0)
        framing = (b"content-length", b"transfer-encoding")
        headers = [(name, value) for name, value in headers if name not in framing]
        if size or declared is not None:
            headers.append((b"content-length", str(size).encode()))
        left = size

        async def replay() -> Any:
            nonlocal left
            if left <= 0:
                return {"type": "http.request", "body": b"", "more_body": False}
            data = body.read(64 * 1024)
            left -= len(data)
            return {"type": "http.request", "body": data, "more_body": left > 0}

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
        log.info("A client left before it had its whole answer: %r", error)
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


def too_large() -> Problem:
    return Problem(413, "too_large", _("The body is larger than anything this server takes (25 MB for a picture)."))


def too_slow() -> Problem:
    return Problem(408, "body_timeout", _("The body stopped arriving."))


def language_of(scope: Any) -> str:
    """The language of an answer that Django's middleware doesn't see."""
    return get_language_from_request(request_from_scope(scope))


async def answer(problem: Problem, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.items()]
    await send({"type": "http.response.start", "status": problem.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": problem.content})
