"""A front before the S3 server of the tests: it checks what S3 checks and moto doesn't, and fails when told to.

moto itself answers whatever passes, so conditional writes, listings and errors are its own.
"""

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from tests.parts import Bucket
from tests.sigv4 import Refused, Request, verify

LARGEST = 64 * 1024 * 1024
SILENCE = 30.0  # seconds; a client that waits longer has no time-out
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}

Failure = Literal["500", "429", "403", "time-out", "lost response"]
CODES = {"500": "InternalError", "429": "TooManyRequests", "403": "AccessDenied"}


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Fault:
    """The next ``times`` requests with this method and a key that begins so fail; ``struck`` have."""

    failure: Failure
    method: str
    prefix: str
    times: int = 1
    struck: int = 0


@dataclass(frozen=True)
class Seen:
    """One request and how it ended: S3's status, or 0 when the connection ended without an answer."""

    method: str
    key: str
    status: int
    code: str = ""
    stored: bool = False  # a PUT that moto took, whether its answer came through or not


@dataclass
class Front:
    """An S3 endpoint at ``url`` over the bucket ``behind``."""

    behind: Bucket
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    clock: Callable[[], datetime] = utc_now  # at which signatures are looked at

    @property
    def bucket(self) -> Bucket:
        """The bucket as clients of the front know it."""
        return replace(self.behind, endpoint_url=self.url)

    def begin(self, behind: Bucket) -> "Front":
        """Anew, with another bucket of the same server."""
        with self.lock:
            self.behind, self.seen, self.faults, self.clock = behind, [], [], utc_now
        return self

    def fail(self, failure: Failure, method: str, prefix: str, *, times: int = 1) -> Fault:
        """From now on, until it has struck so often."""
        fault = Fault(failure, method, prefix, times)
        with self.lock:
            self.faults.append(fault)
        return fault

    def due(self, method: str, key: str) -> Failure | None:
        with self.lock:
            for fault in self.faults:
                if fault.struck < fault.times and fault.method == method and key.startswith(fault.prefix):
                    fault.struck += 1
                    return fault.failure
        return None

    def note(self, seen: Seen) -> None:
        with self.lock:
            self.seen.append(seen)


@contextmanager
def front_of(behind: Bucket) -> Iterator[Front]:
    """A front that listens on loopback until the block ends."""
    front = Front(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            length = self.headers.get("Content-Length", "0")
            try:
                if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST:
                    raise Refused(411, "MissingContentLength")
                body = self.rfile.read(int(length))
                if len(body) < int(length):
                    raise Refused(400, "IncompleteBody")
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                verify(request, keys={behind.access_key: behind.secret_key}, now=front.clock())
            except Refused as refused:
                self.refuse(refused)
                return
            self.act(request)

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = handle_request

        @property
        def key(self) -> str:
            return urlsplit(self.path).path.partition("/")[2].partition("/")[2]

        def act(self, request: Request) -> None:
            """Passes the request on, unless a fault is due for it."""
            failure = front.due(request.method, self.key)
            if failure in CODES:
                self.refuse(Refused(int(failure), CODES[failure]))
                return
            if failure == "time-out":
                select.select([self.connection], [], [], SILENCE)  # until the client closes
                self.end()
                return
            status, headers, body = forward(request)
            stored = request.method == "PUT" and status == 200
            if failure == "lost response":
                self.end(stored=stored)
                return
            front.note(Seen(request.method, self.key, status, stored=stored))
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            if not any(name.lower() == "content-length" for name, _ in headers):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def refuse(self, refused: Refused) -> None:
            front.note(Seen(self.command, self.key, refused.status, refused.code))
            self.close_connection = True
            body = f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>".encode()
            with suppress(OSError):
                self.send_response_only(refused.status)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        def end(self, *, stored: bool = False) -> None:
            """Nothing is answered."""
            front.note(Seen(self.command, self.key, 0, stored=stored))
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Silent."""

    def forward(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection(urlsplit(behind.endpoint_url).netloc, timeout=SILENCE)
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        try:
            connection.request(request.method, request.target, request.body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed says nothing; everything else shows in what the client gets."""

    with Server(("127.0.0.1", 0), Handler) as server:
        front.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
