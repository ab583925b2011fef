"""How fast, and with how many threads, can Django be served? Requests, open streams, and both in one process.

Starts each server as a child on a free loopback port, loads it from another process, and prints Markdown
tables of medians. `README.md` beside this file says how to run and read it; the findings are in
`docs/adr/0004-two-kinds-of-web-process.md`.

The file plays three parts: the benchmark (`main`), the applications that the servers import (the four
functions under "Applications"), and the loader for where `wrk` isn't installed (`load` as first argument).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import resource
import secrets
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

THREADS = 8  # in every bounded pool: gunicorn, granian WSGI, the a2wsgi front
CONNECTIONS = 16  # twice the pool, so that a request sometimes waits for a thread, as it does in a shop
MIXED_STREAMS = 200
MIXED_BROADCAST_EVERY = 0.5  # seconds; an "idle" stream in a shop still hears about an edit now and then
DEADLINE = 20.0  # seconds, for anything that is waited for
BARE = "/bare"
QUERY = "/products/1234"
KEPT = "/kept/products/1234"
VIEWS = {"bare": BARE, "query": QUERY, "query, kept connection": KEPT}
_PRODUCT = b'{"id": 1234, "name": "Product 1234"}'
ANSWERS = {BARE: b"ok", QUERY: _PRODUCT, KEPT: _PRODUCT}

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


# -- Applications: what the servers import -------------------------------------------------------------------


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


# -- Servers -------------------------------------------------------------------------------------------------


class CaseFailed(RuntimeError):
    """A server didn't start, answered wrongly, ended, or kept us waiting: the case has no valid number."""


_UVICORN = (
    "uvicorn --factory --host 127.0.0.1 --port {port} --loop uvloop --http httptools --lifespan off"
    " --no-access-log --log-level warning --timeout-graceful-shutdown 2"
)
_GRANIAN = "granian --factory --host 127.0.0.1 --port {port} --workers 1 --workers-kill-timeout 2 --log-level warning"
_GUNICORN = (
    "gunicorn --bind 127.0.0.1:{port} --worker-class gthread --workers 1 --no-control-socket --log-level warning"
)

# One serving process each, so that what is compared is the server and not the number of cores.
REQUEST_SERVERS = {
    "gunicorn gthread (WSGI)": f"{_GUNICORN} --threads {THREADS} web_servers:django_wsgi()",
    "granian WSGI": f"{_GRANIAN} --interface wsgi --blocking-threads {THREADS} web_servers:django_wsgi",
    "uvicorn, Django ASGI": f"{_UVICORN} web_servers:django_asgi",
    "granian, Django ASGI": f"{_GRANIAN} --interface asginl --loop uvloop web_servers:django_asgi",
    "uvicorn, a2wsgi front": f"{_UVICORN} web_servers:front",
}
BASELINE = "gunicorn gthread (WSGI)"
STREAM_SERVERS = {
    "Django ASGI view": f"{_UVICORN} web_servers:django_asgi",
    "bare ASGI callable": f"{_UVICORN} web_servers:bare_streams",
}
MIXED_SERVERS = {name: REQUEST_SERVERS[name] for name in ("uvicorn, a2wsgi front", "uvicorn, Django ASGI")}


@dataclass(frozen=True)
class Usage:
    """Threads and resident memory of a server, all its processes together."""

    threads: int
    rss_kb: int


@dataclass(frozen=True)
class Server:
    """A running child and the port it listens on."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def family(self) -> list[int]:
        """The child's pid and those of its descendants."""
        pids = [self.process.pid]
        for pid in pids:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                # A process or thread may end between the listing and the reading.
                with contextlib.suppress(OSError):
                    pids.extend(int(child) for child in children.read_text().split())
        return pids

    def usage(self) -> Usage:
        threads = rss_kb = 0
        for pid in self.family():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                values = dict(re.findall(r"^(Threads|VmRSS):\s+(\d+)", status, re.MULTILINE))
                threads += int(values.get("Threads", 0))
                rss_kb += int(values.get("VmRSS", 0))
        return Usage(threads=threads, rss_kb=rss_kb)

    def stop(self) -> None:
        """End the child and whatever it left behind, by pid."""
        family = self.family()
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def fetch(port: int, path: str, method: str = "GET") -> bytes:
    """The body of a 200 answer. Raises CaseFailed on any other, OSError when nobody listens."""
    async with asyncio.timeout(DEADLINE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            status, body = await read_response(reader)
        finally:
            writer.close()
    if status != 200:
        raise CaseFailed(f"{method} {path} answered {status}")
    return body


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next response. Raises IncompleteReadError when the connection ends first."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if length := re.search(rb"\ncontent-length: *(\d+)", head):
        return status, await reader.readexactly(int(length[1]))
    if b"transfer-encoding: chunked" not in head:
        return status, await reader.read()
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return status, body


async def until(condition: Callable[[], Awaitable[bool]], *, what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not await condition():
        if time.monotonic() > deadline:
            raise CaseFailed(f"waited {DEADLINE:.0f} s for {what}")
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(command: str, *, workspace: Path, ready: str) -> AsyncIterator[Server]:
    """A server that has answered `ready`; it is stopped on leaving, however one leaves."""
    port = free_port()
    log = workspace / "server.log"
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BENCHMARK_DATABASE": str(workspace / "benchmark.sqlite3"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.format(port=port).split()],
            cwd=workspace,
            env=environment,
            stdout=output,
            stderr=output,
        )
    server = Server(process, port, log)

    async def answers() -> bool:
        if process.poll() is not None:
            raise CaseFailed(f"ended with {process.returncode}: {log.read_text()[-500:]}")
        try:
            await fetch(port, ready)
        except OSError:
            return False
        return True

    try:
        await until(answers, what=f"{command.split()[0]} to answer")
        yield server
    finally:
        server.stop()


# -- Loaders -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """What a loader saw. `errors` counts failed connections, time-outs and answers that aren't successes."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


_WRK_REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def loader_command(port: int, path: str, *, seconds: float, workspace: Path) -> list[str]:
    if wrk := shutil.which("wrk"):
        report = workspace / "report.lua"
        report.write_text(_WRK_REPORT)
        # wrk takes whole seconds only.
        limits = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
        return [wrk, *limits, "-s", str(report), f"http://127.0.0.1:{port}{path}"]
    return [sys.executable, str(Path(__file__).resolve()), "load", str(port), path, str(seconds)]


async def load(server: Server, path: str, *, seconds: float, workspace: Path) -> tuple[Load, Usage]:
    """Load one path with `CONNECTIONS` connections. Returns its report and the server's peak usage."""
    if await fetch(server.port, path) != ANSWERS[path]:
        raise CaseFailed(f"{path} answered something else")
    process = await asyncio.create_subprocess_exec(
        *loader_command(server.port, path, seconds=seconds, workspace=workspace), stdout=subprocess.PIPE
    )
    report = asyncio.create_task(process.communicate())
    peak = Usage(0, 0)
    deadline = time.monotonic() + seconds + DEADLINE
    try:
        while not (await asyncio.wait({report}, timeout=0.2))[0]:
            now = server.usage()
            peak = Usage(max(peak.threads, now.threads), max(peak.rss_kb, now.rss_kb))
            if time.monotonic() > deadline:
                raise CaseFailed("the loader didn't end")
    finally:
        if process.returncode is None:
            process.kill()
    output = (await report)[0].decode()
    if process.returncode or "{" not in output:
        raise CaseFailed(f"the loader ended with {process.returncode}: {output[-300:]}")
    result = Load(**json.loads(output[output.index("{") :]))
    if not result.requests:
        raise CaseFailed("no request succeeded")
    return result, peak


async def load_here(port: int, path: str, seconds: float) -> Load:
    """The loader for machines without wrk. Slower, so it hides differences between the fastest servers."""
    latencies: list[int] = []
    errors = 0
    started = time.monotonic()
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    async def client() -> None:
        nonlocal errors
        while time.monotonic() < started + seconds:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                while (begin := time.monotonic_ns()) < (started + seconds) * 1e9:
                    writer.write(request)
                    async with asyncio.timeout(10):
                        status, _ = await read_response(reader)
                    latencies.append(time.monotonic_ns() - begin)
                    errors += status != 200
            except (OSError, EOFError, TimeoutError):
                errors += 1
            finally:
                if writer:
                    writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    elapsed = time.monotonic() - started
    return Load(len(latencies), elapsed, percentile(latencies, 50), percentile(latencies, 99), errors)


def percentile(nanoseconds: Sequence[int], percent: int) -> float:
    """In milliseconds; 0 of nothing."""
    ordered = sorted(nanoseconds)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1e6 if ordered else 0.0


# -- Streams -------------------------------------------------------------------------------------------------


@dataclass
class Audience:
    """The reading ends of many streams, and what the broadcast in flight has brought them."""

    server: Server
    readers: list[Reader] = field(default_factory=list)
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


# -- Cases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    warm_up: float
    streams: tuple[int, ...]
    broadcasts: int
    workspace: Path


Sample = dict[str, float]


class Results:
    """Samples by table and row, in the order in which they first came, and what went wrong."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[tuple[str, ...], list[Sample]]] = {}
        self.failures: list[str] = []

    def add(self, table: str, row: tuple[str, ...], sample: Sample, *, progress: str) -> None:
        self.samples.setdefault(table, {}).setdefault(row, []).append(sample)
        say(f"{progress}  {', '.join(row)}: " + ", ".join(f"{k} {v:,.4g}" for k, v in sample.items()))
        if sample.get("errors"):
            self.failures.append(f"{table}, {', '.join(row)}: {sample['errors']:.0f} errors")


def load_sample(result: Load, peak: Usage) -> Sample:
    return {
        "r/s": result.rate,
        "p50 ms": result.p50_ms,
        "p99 ms": result.p99_ms,
        "threads": peak.threads,
        "RSS MB": peak.rss_kb / 1024,
        "errors": result.errors,
    }


async def measure_requests(name: str, plan: Plan, results: Results, progress: str) -> None:
    """One server under load, on each view."""
    async with running(REQUEST_SERVERS[name], workspace=plan.workspace, ready=BARE) as server:
        for view, path in VIEWS.items():
            await load(server, path, seconds=plan.warm_up, workspace=plan.workspace)
            result, peak = await load(server, path, seconds=plan.seconds, workspace=plan.workspace)
            results.add("requests", (view, name), load_sample(result, peak), progress=progress)


async def measure_streams(name: str, size: int, plan: Plan, results: Results, progress: str) -> None:
    """What `size` idle streams cost a server, and how long an event takes to reach them."""
    async with running(STREAM_SERVERS[name], workspace=plan.workspace, ready="/streams") as server:
        audience = Audience(server)
        await audience.grow(min(size, 20))
        await audience.broadcast()
        await audience.leave()
        before = server.usage()
        await audience.grow(size)
        after = server.usage()
        await audience.broadcast()  # the first one finds cold paths; terminals hear thousands
        delays = [delay for _ in range(plan.broadcasts) for delay in await audience.broadcast()]
        await audience.leave()
        sample = {
            "p50 ms": percentile(delays, 50),
            "p99 ms": percentile(delays, 99),
            "threads": float(after.threads),
            "RSS MB": after.rss_kb / 1024,
            "kB/stream": (after.rss_kb - before.rss_kb) / size,
        }
        results.add("streams", (str(size), name), sample, progress=progress)


async def measure_mixed(name: str, plan: Plan, results: Results, progress: str) -> None:
    """Requests beside open streams in one process, and how long an event takes meanwhile."""
    async with running(MIXED_SERVERS[name], workspace=plan.workspace, ready=BARE) as server:
        audience = Audience(server)
        await audience.grow(MIXED_STREAMS)
        for view, path in VIEWS.items():
            await load(server, path, seconds=plan.warm_up, workspace=plan.workspace)
            loading = asyncio.create_task(load(server, path, seconds=plan.seconds, workspace=plan.workspace))
            delays: list[int] = []
            try:
                while not (await asyncio.wait({loading}, timeout=MIXED_BROADCAST_EVERY))[0]:
                    delays += await audience.broadcast()
            finally:
                loading.cancel()  # nothing, unless a broadcast failed
            sample = load_sample(*await loading)
            sample |= {"event p50 ms": percentile(delays, 50), "event p99 ms": percentile(delays, 99)}
            results.add("mixed", (view, name), sample, progress=progress)
        await audience.leave()


async def measure(plan: Plan) -> Results:
    """Run every case once per round, so that a busy minute of the machine touches all of them."""
    results = Results()
    cases: list[tuple[str, Callable[[str], Awaitable[None]]]] = [
        *((f"requests, {n}", partial(measure_requests, n, plan, results)) for n in REQUEST_SERVERS),
        *(
            (f"{size} streams, {n}", partial(measure_streams, n, size, plan, results))
            for size in plan.streams
            for n in STREAM_SERVERS
        ),
        *((f"mixed, {n}", partial(measure_mixed, n, plan, results)) for n in MIXED_SERVERS),
    ]
    for number in range(1, plan.rounds + 1):
        for name, case in cases:
            try:
                await case(f"{number}/{plan.rounds}")
            except (CaseFailed, OSError, TimeoutError, EOFError) as error:
                results.failures.append(f"round {number}, {name}: {error!r}")
                say(f"{number}/{plan.rounds}  {name}: FAILED, {error!r}")
    return results


# -- Report --------------------------------------------------------------------------------------------------


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def medians(samples: Sequence[Sample]) -> Sample:
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, aligned to be read as plain text too."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def tenths(samples: Sequence[Sample], *keys: str) -> list[str]:
    middle = medians(samples)
    return [f"{middle[key]:.1f}" for key in keys]


def load_cells(samples: Sequence[Sample], baseline: float | None) -> list[str]:
    middle = medians(samples)
    rates = [sample["r/s"] for sample in samples]
    return [
        f"{middle['r/s']:,.0f}",
        f"{min(rates):,.0f}-{max(rates):,.0f}",
        f"{middle['r/s'] / baseline:.2f}" if baseline else "?",
        *tenths(samples, "p50 ms", "p99 ms"),
        f"{middle['threads']:.0f}",
        f"{middle['RSS MB']:.0f}",
    ]


def report(results: Results, plan: Plan) -> str:
    loads = ["r/s", "range", "ratio", "p50 ms", "p99 ms", "threads", "RSS MB"]
    events = ["event p50 ms", "event p99 ms"]
    requests = results.samples.get("requests", {})
    mixed = results.samples.get("mixed", {})
    baselines = {v: medians(s)["r/s"] for (v, name), s in requests.items() if name == BASELINE}
    request_rows = [
        [view, name, *load_cells(samples, baselines.get(view))]
        # By view first; the rounds brought them by server.
        for (view, name), samples in sorted(requests.items(), key=lambda item: item[0][0])
    ]
    stream_rows = [
        [size, name, f"{medians(samples)['threads']:.0f}", *tenths(samples, "kB/stream", "p50 ms", "p99 ms")]
        for (size, name), samples in results.samples.get("streams", {}).items()
    ]
    mixed_rows = [
        [view, name, *load_cells(samples, baselines.get(view)), *tenths(samples, *events)]
        for (view, name), samples in sorted(mixed.items(), key=lambda item: item[0][0])
    ]
    packages = ("Django", "gunicorn", "granian", "uvicorn", "uvloop", "httptools", "a2wsgi")
    return "\n\n".join(
        [
            f"Python {platform.python_version()}, {', '.join(f'{p} {version(p)}' for p in packages)}.",
            (
                f"{os.cpu_count()} CPUs; loader {'wrk' if shutil.which('wrk') else 'asyncio'}, "
                f"{CONNECTIONS} connections, {THREADS} threads in every pool; "
                f"medians of {plan.rounds} rounds of {plan.seconds:g} s."
            ),
            f"Requests; ratio to {BASELINE}.",
            table(["view", "server", *loads], request_rows),
            f"Streams, open and idle; then {plan.broadcasts} broadcasts, latency over all streams.",
            table(["streams", "endpoint", "threads", "kB/stream", "p50 ms", "p99 ms"], stream_rows),
            f"Requests beside {MIXED_STREAMS} streams that get an event every {MIXED_BROADCAST_EVERY:g} s.",
            table(["view", "server", *loads, *events], mixed_rows),
        ]
    )


# -- Command line --------------------------------------------------------------------------------------------


def stream_count(text: str) -> int:
    if not 1 <= (number := int(text)) <= 2000:
        raise argparse.ArgumentTypeError("between 1 and 2000")
    return number


def make_database(file: Path) -> sqlite3.Connection:
    """2,000 products in a WAL database. Keep the connection open while measuring.

    Django closes its connection after each request. If that is the last one, SQLite checkpoints and deletes
    the WAL; the edge server never sees that, because its hub keeps a connection.
    """
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    with connection:
        connection.execute("CREATE TABLE product (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL)")
        products = ((n, f"Product {n}") for n in range(1, 2001))
        connection.executemany("INSERT INTO product VALUES (?, ?)", products)
    return connection


async def benchmark(arguments: argparse.Namespace) -> int:
    # The runner turns SIGINT into a cancellation; SIGTERM must be one too, or the child would outlive us.
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="web-servers-") as folder:
        plan = Plan(
            rounds=arguments.rounds or (1 if arguments.quick else 5),
            seconds=1 if arguments.quick else 3,
            warm_up=1,
            streams=tuple(arguments.streams or ([50] if arguments.quick else [500])),
            broadcasts=5 if arguments.quick else 20,
            workspace=Path(folder),
        )
        with contextlib.closing(make_database(plan.workspace / "benchmark.sqlite3")):
            results = await measure(plan)
    say("\n" + report(results, plan))
    for failure in results.failures:
        say(f"FAILED  {failure}")
    return 1 if results.failures else 0


def main() -> int:
    if sys.argv[1:2] == ["load"]:
        port, path, seconds = sys.argv[2:]
        result = asyncio.run(load_here(int(port), path, float(seconds)))
        say(json.dumps(result.__dict__))
        return 0
    parser = argparse.ArgumentParser(description="Ways to serve Django, side by side.")
    parser.add_argument("--quick", action="store_true", help="one short round, 50 streams")
    parser.add_argument("--rounds", type=int, help="how often each case runs (5)")
    parser.add_argument("--streams", type=stream_count, nargs="+", metavar="N", help="up to 2000 (500)")
    arguments = parser.parse_args()
    # Streams are file descriptors, here and in the children, which inherit the limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    import uvloop  # late, because the servers import this file and not all of them run on uvloop

    return int(uvloop.run(benchmark(arguments)))


if __name__ == "__main__":
    sys.exit(main())
