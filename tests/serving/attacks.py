"""Clients that take what they can get: real sockets, from an address of their own, against a real server."""

import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.parts import ROOT, free_port, shared_environment, start

ATTACKER = "127.0.0.2"  # all of 127/8 is this machine


@dataclass(frozen=True)
class Web:
    """A web process that answers at a port of loopback."""

    port: int
    process: psutil.Process
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/livez", timeout=5).is_success
        except httpx.TransportError:
            return False

    def connections(self) -> int:
        """How many of its connections are open."""
        found = self.process.net_connections("tcp")
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in found)

    def megabytes(self) -> float:
        return self.process.memory_info().rss / 1024 / 1024


@contextmanager
def web_process(log: Path, *, changes: Sequence[str] = (), **settings: str) -> Iterator[Web]:
    """The web process of ``make run`` on the test database. ``changes``: statements that it runs before it serves."""
    port = free_port()
    code = [*changes, "import sys; from uvicorn.main import main", "main(['config.asgi:application', *sys.argv[1:]])"]
    with ExitStack() as stack:
        process = start(
            [sys.executable, "-c", "\n".join(code), f"--port={port}", "--lifespan=on", "--no-proxy-headers"],
            ready=lambda: _listens(port),
            log=log,
            on=stack,
            cwd=ROOT,
            env={**shared_environment(), **settings},
        )
        yield Web(port, psutil.Process(process.pid), log)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def connected(port: int, *, source: str = ATTACKER, buffer: int = 0) -> socket.socket:
    """A connection; with ``buffer`` one that takes hardly more than so many bytes without reading them."""
    wire = socket.socket()
    wire.bind((source, 0))
    if buffer:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    wire.settimeout(20)
    wire.connect(("127.0.0.1", port))
    return wire


def is_closed(wire: socket.socket) -> bool:
    """Whether the server has ended it; what it has said before is thrown away."""
    wire.setblocking(False)
    try:
        while wire.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def answer_on(wire: socket.socket, *, seconds: float = 20) -> bytes:
    """All that comes until the server ends the connection."""
    wire.settimeout(seconds)
    said = b""
    try:
        while data := wire.recv(65536):
            said += data
    except ConnectionError:
        pass
    return said


def problem_on(wire: socket.socket) -> bytes:
    """The answer that comes, which is a problem; or what of it comes before the connection breaks."""
    said = b""
    try:
        while not said.endswith(b"}") and (data := wire.recv(65536)):
            said += data
    except ConnectionError:
        pass
    return said


def slowest(web: Web, path: str = "/livez", *, times: int = 5) -> float:
    """Seconds of the slowest of some requests one after the other, each on a connection of its own."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        assert httpx.get(web.url + path, timeout=20).status_code == 200
        took.append(time.monotonic() - began)
    return max(took)
