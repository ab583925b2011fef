"""The applications that the servers import by the four functions below: Django's two, bare streams, and the front.

No more is imported than all of them need: what a server weighs is measured.
"""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

THREADS = 8  # in every bounded pool: gunicorn, granian WSGI, the a2wsgi front
BARE = "/bare"
QUERY = "/products/1234"
KEPT = "/kept/products/1234"
_PRODUCT = b'{"id": 1234, "name": "Product 1234"}'
ANSWERS = {BARE: b"ok", QUERY: _PRODUCT, KEPT: _PRODUCT}

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Hub:
    """The streams that are open in this process. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self.queues: set[asyncio.Queue[bytes]] = set()

    @contextlib.contextmanager
    def subscription(self) -> Iterator[asyncio.Queue[bytes]]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=100)
        self.queues.add(queue)
        try:
            yield queue
        finally:
            self.queues.discard(queue)

    def broadcast(self) -> None:
        """Send every stream an event whose data is the time of this call in monotonic nanoseconds."""
        # Linux's monotonic clock is one for all processes, so the reader can subtract.
        event = b"data: %d\n\n" % time.monotonic_ns()
        for queue in self.queues:
            queue.put_nowait(event)


def _configured_urls() -> None:
    """Configure Django with the views of the benchmark; no middleware, so only the way in is measured."""
    import django
    from django.conf import settings

    # As the edge server has it: WAL (set in the file), IMMEDIATE, a long time-out.
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCHMARK_DATABASE"],
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30},
    }
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY=secrets.token_urlsafe(),
        USE_TZ=True,
        MIDDLEWARE=[],
        # The same file twice: a connection per request, and one that its thread keeps.
        DATABASES={"default": {**database, "CONN_MAX_AGE": 0}, "kept": {**database, "CONN_MAX_AGE": None}},
    )
    django.setup()

    from django.db import models
    from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
    from django.urls import path

    hub = Hub()

    class Product(models.Model):
        name: Any = models.TextField()

        class Meta:
            app_label = "benchmark"
            db_table = "product"

        def __str__(self) -> str:
            return str(self.name)

    # Requests are synchronous views, because those of REST framework and the admin are.
    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"ok")

    def product(request: HttpRequest, pk: int, using: str) -> HttpResponse:
        # The manager's full name: mypy's plugin adds `objects` only to models of installed apps.
        found = Product._default_manager.using(using).get(pk=pk)
        return JsonResponse({"id": found.pk, "name": found.name})

    async def events(request: HttpRequest) -> StreamingHttpResponse:
        async def body() -> AsyncIterator[bytes]:
            with hub.subscription() as queue:
                yield b": open\n\n"
                while True:
                    yield await queue.get()

        return StreamingHttpResponse(body(), content_type="text/event-stream")

    async def broadcast(request: HttpRequest) -> HttpResponse:
        hub.broadcast()
        return HttpResponse(b"ok")

    async def streams(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"%d" % len(hub.queues))

    # A tuple, because Django caches its resolver by the URL configuration, which must therefore be hashable.
    settings.ROOT_URLCONF = (
        path("bare", bare),
        path("products/<int:pk>", product, {"using": "default"}),
        path("kept/products/<int:pk>", product, {"using": "kept"}),
        path("events", events),
        path("broadcast", broadcast),
        path("streams", streams),
    )


def django_wsgi() -> Any:
    """Django's WSGI application: requests only."""
    _configured_urls()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def django_asgi() -> Any:
    """Django's ASGI application: requests, and `/events` as an asynchronous StreamingHttpResponse."""
    _configured_urls()
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


def bare_streams() -> AsgiApp:
    """`/events`, `/broadcast` and `/streams` as one ASGI callable, without Django."""
    hub = Hub()

    async def answer(send: Send, body: bytes) -> None:
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def deliver(queue: asyncio.Queue[bytes], send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b": open\n\n", "more_body": True})
        while True:
            await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})

    async def events(receive: Receive, send: Send) -> None:
        with hub.subscription() as queue:
            delivery = asyncio.create_task(deliver(queue, send))
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                delivery.cancel()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/broadcast":
            hub.broadcast()
            await answer(send, b"ok")
        elif scope["path"] == "/streams":
            await answer(send, b"%d" % len(hub.queues))
        else:
            await events(receive, send)

    return app


def front() -> AsgiApp:
    """Streams on the event loop, everything else in Django's WSGI application in a bounded pool."""
    from a2wsgi import WSGIMiddleware

    streams = bare_streams()
    requests: Any = WSGIMiddleware(django_wsgi(), workers=THREADS)
    streaming = {"/events", "/broadcast", "/streams"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (streams if scope["path"] in streaming else requests)(scope, receive, send)

    return app
