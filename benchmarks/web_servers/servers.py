"""The servers that are compared, each a child on a free loopback port: how it starts, answers, weighs and ends."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from . import applications
from .applications import THREADS

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 20.0  # seconds, for anything that is waited for

_UVICORN = (
    "uvicorn --factory --host 127.0.0.1 --port {port} --loop uvloop --http httptools --lifespan off"
    " --no-access-log --log-level warning --timeout-graceful-shutdown 2"
)
_GRANIAN = "granian --factory --host 127.0.0.1 --port {port} --workers 1 --workers-kill-timeout 2 --log-level warning"
_GUNICORN = (
    "gunicorn --bind 127.0.0.1:{port} --worker-class gthread --workers 1 --no-control-socket --log-level warning"
)
_APPLICATIONS = applications.__name__

# One serving process each, so that what is compared is the server and not the number of cores.
REQUEST_SERVERS = {
    "gunicorn gthread (WSGI)": f"{_GUNICORN} --threads {THREADS} {_APPLICATIONS}:django_wsgi()",
    "granian WSGI": f"{_GRANIAN} --interface wsgi --blocking-threads {THREADS} {_APPLICATIONS}:django_wsgi",
    "uvicorn, Django ASGI": f"{_UVICORN} {_APPLICATIONS}:django_asgi",
    "granian, Django ASGI": f"{_GRANIAN} --interface asginl --loop uvloop {_APPLICATIONS}:django_asgi",
    "uvicorn, a2wsgi front": f"{_UVICORN} {_APPLICATIONS}:front",
}
BASELINE = "gunicorn gthread (WSGI)"
STREAM_SERVERS = {
    "Django ASGI view": f"{_UVICORN} {_APPLICATIONS}:django_asgi",
    "bare ASGI callable": f"{_UVICORN} {_APPLICATIONS}:bare_streams",
}
MIXED_SERVERS = {name: REQUEST_SERVERS[name] for name in ("uvicorn, a2wsgi front", "uvicorn, Django ASGI")}


class CaseFailed(RuntimeError):
    """A server didn't start, answered wrongly, ended, or kept us waiting: the case has no valid number."""


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
        "PYTHONPATH": str(ROOT),
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
    server = Server(process, port)

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
