"""The ASGI front: the stream beside Django, and Django's WSGI application in a bounded pool of threads.

``make run`` serves everything with this one process; in production nginx sends only ``/api/sync/events`` here and the
rest to WSGI workers. See docs/adr/0004.
"""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from .wsgi import application as wsgi_application  # isort: skip - sets Django up before anything of it is imported

from a2wsgi import WSGIMiddleware
from django.db import InterfaceError, OperationalError
from django.utils.translation import get_language_from_request, override

from devices import writebehind
from devices.identity import request_from_scope
from refusals import DatabaseUnavailable, Refusal
from serving import limits
from serving.bodies import BODY, ClientLeft, Receive, Send, handed_out, spooled
from serving.connections import guard_connections
from serving.descriptors import room_for_streams
from serving.garbage_collection import freeze_loaded
from serving.heartbeats import tell_streams
from serving.reserve import database_held_open
from serving.strangers import may_send
from serving.turns import PROBE_THREADS, THREADS, turn_of
from syncing.events import Streams
from telemetry import counters, refused
from telemetry.requests import IN_SCOPE, current, taken

from . import problems

EVENTS = "/api/sync/events"

streams = Streams()


async def application(scope: Any, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
    else:
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        scope[IN_SCOPE] = taken(given)
        current.set(scope[IN_SCOPE])  # each request is a task of its own
        try:
            await (streams if scope["path"] == EVENTS else requests)(scope, receive, send)
        except Refusal as refusal:
            await answer(refusal, scope, send)
        except (OperationalError, InterfaceError):
            await answer(DatabaseUnavailable(), scope, send)


async def requests(scope: Any, receive: Receive, send: Send) -> None:
    """What Django answers, in a thread that waits neither for the client's bytes nor for the client to take ours."""
    by = probes if scope["path"] in limits.PROBES else django
    with suppress(ClientLeft):
        async with spooled(scope, receive, may_send) as whole, handed_out(send) as keep, turn_of(scope):
            await by(whole, receive, keep)


def wsgi(environ: Any, start_response: Any) -> Any:
    """Reads the body from its file: a2wsgi would fetch it piece by piece from the loop, and keep it in memory twice."""
    environ["wsgi.input"] = environ["asgi.scope"][BODY]
    environ["HTTP_X_REQUEST_ID"] = environ["asgi.scope"][IN_SCOPE]
    return wsgi_application(environ, start_response)


django = WSGIMiddleware(wsgi, workers=THREADS)
probes = WSGIMiddleware(wsgi, workers=PROBE_THREADS)


async def answer(refusal: Refusal, scope: Any, send: Send) -> None:
    """The answer to what never reached Django, in the language that its middleware would have chosen."""
    request = request_from_scope(scope)
    with override(get_language_from_request(request)):
        page = problems.refused(request, refusal)
    page.headers["Content-Length"] = str(len(page.content))
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in page.items()]
    headers.append((b"x-request-id", current.get().encode()))
    refused.tell(
        method=scope["method"],
        path=scope["path"],
        status=refusal.status,
        code=refusal.code,
        who="",
        address=request.META.get("REMOTE_ADDR", ""),
        reason=refusal.reason,
    )
    if scope["path"] == EVENTS:
        counters.add("streams_refused", code=refusal.code)
    await send({"type": "http.response.start", "status": page.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": page.content})


async def lifespan(receive: Receive, send: Send) -> None:
    with database_held_open():
        await live(receive, send)


async def live(receive: Receive, send: Send) -> None:
    guard_connections(receive)
    streams.capacity = min(streams.capacity, room_for_streams())
    telling = asyncio.create_task(tell_streams(lambda: len(streams.open)))
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                close_streams_first(number, loop)
            freeze_loaded()
            await send({"type": "lifespan.startup.complete"})
        else:
            telling.cancel()
            await streams.stop()
            await asyncio.to_thread(writebehind.write_what_is_left)
            await send({"type": "lifespan.shutdown.complete"})
            return


def close_streams_first(number: int, loop: asyncio.AbstractEventLoop) -> None:
    """Have signal ``number`` end the streams, then do what it did: the server waits for open responses to end."""
    before = signal.getsignal(number)

    def handle(signum: int, stack: Any) -> None:
        loop.call_soon_threadsafe(streams.close)
        if callable(before):
            before(signum, stack)

    with suppress(ValueError):  # not the main thread: some program embeds this one, and stops it by other means
        signal.signal(number, handle)
