"""A server that answers what a script says, for terminals that speak HTTP: ``play(scenario, OverHttp(client))``.

A client, whatever it is written in, gets an address and is otherwise left alone. It reads the stream and asks for
what it needs; each request waits here until the script answers it.
"""

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self

from tests.contracts.sync_protocol import Answer, Request, State

LONGEST_WAIT_SECONDS = 60.0  # of a request for its answer; longer than any script
Page = tuple[str, bytes]


class Client(Protocol):
    """A terminal that is started with an address. Its disk is its own business, and is there again after ``kill``."""

    @property
    def abilities(self) -> Collection[str]:
        """See sync_protocol.py."""

    def start(self, address: str, resources: Sequence[str], *, stream: bool) -> None: ...

    def kill(self) -> None:
        """End it without a chance to write anything more; returns when nothing of it runs."""

    def state(self) -> State: ...


@dataclass
class _Asked:
    """A request that waits, and its answer. For a stream ``pieces`` are what is sent; None ends it."""

    request: Request
    answer: "queue.Queue[Answer | None]" = field(default_factory=queue.Queue)  # None: the stream is open
    pieces: "queue.Queue[bytes | None]" = field(default_factory=queue.Queue)


class OverHttp:
    """A scripted server and the client that it is the whole world of; a ``Terminal`` of sync_protocol.py.

    ``pages`` answers what isn't scripted (a path → content type and bytes), for a client that lives in a page.
    """

    def __init__(self, client: Client, *, pages: Callable[[str], Page | None] = lambda path: None) -> None:
        self.client, self.pages = client, pages
        self.abilities = client.abilities
        self.asked: queue.Queue[_Asked] = queue.Queue()
        self.waiting: dict[int, _Asked] = {}
        self.stream: _Asked | None = None
        self.seen = 0
        self.lock = threading.Lock()
        self.life = 1  # of the client; 0 while it is being killed

    def __enter__(self) -> Self:
        self.server = _Server(self)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_error: object) -> None:
        self.crash()
        self.server.shutdown()
        self.server.server_close()

    def arrived(self, target: str, cursor: str | None, life: int) -> _Asked | None:
        """None when it comes from a client that was killed: its last request may still be on the wire."""
        with self.lock:
            if life != self.life:
                return None
            self.seen += 1
            asked = _Asked(Request.of(target, last_event_id=cursor, at=self.now(), number=self.seen))
            self.waiting[self.seen] = asked
            self.asked.put(asked)
        return asked

    def _begin_a_life(self, number: int) -> None:
        """Whatever was on the wire until now breaks."""
        with self.lock:
            self.life = number
            for asked in self.waiting.values():
                asked.answer.put(Answer(0))
                asked.pieces.put(None)
            self.waiting = {}
            with suppress(queue.Empty):
                while True:
                    self.asked.get_nowait()

    # --- What a script does -------------------------------------------------------------------------------------
    def start(self, resources: Sequence[str], *, stream: bool) -> None:
        self.client.start(self.address, resources, stream=stream)

    def crash(self) -> None:
        ended = self.life
        self._begin_a_life(0)  # before the kill, which may wait for what is on the wire
        self.client.kill()
        # Connections are accepted in order: when this one is, the killed client's are.
        with socket.create_connection(("127.0.0.1", self.server.server_port)) as probe:
            self.wait_for(lambda: probe.getsockname() in self.server.lives, LONGEST_WAIT_SECONDS)
        self._begin_a_life(ended + 1)

    def next_request(self, seconds: float) -> Request | None:
        try:
            return self.asked.get(timeout=seconds).request if seconds else self.asked.get_nowait().request
        except queue.Empty:
            return None

    def answer(self, request: Request, answer: Answer) -> None:
        with self.lock:
            asked = self.waiting.pop(request.number, None)
        if asked is not None:
            asked.answer.put(answer)

    def open_stream(self, request: Request) -> None:
        self.stream = self.waiting[request.number]
        self.stream.answer.put(None)

    def send(self, data: bytes) -> None:
        assert self.stream is not None
        self.stream.pieces.put(data)

    def end_stream(self) -> None:
        assert self.stream is not None
        self.stream.pieces.put(None)

    def pass_time(self, seconds: float) -> None:
        raise AssertionError("over HTTP time goes as it goes: the client has no ability 'clock'")

    def wait_for(self, true: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def state(self) -> State:
        return self.client.state()

    def now(self) -> float:
        return time.monotonic()


class _Server(ThreadingHTTPServer):
    """Remembers of each connection in which life of the client it began."""

    daemon_threads = True

    def __init__(self, script: OverHttp) -> None:
        self.script = script
        self.lives: dict[Any, int] = {}
        super().__init__(("127.0.0.1", 0), _handler(script, self))

    def process_request(self, request: Any, client_address: Any) -> None:
        self.lives[client_address] = self.script.life
        super().process_request(request, client_address)


def _handler(script: OverHttp, server: _Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.path.startswith("/api/sync/"):
                self._page()
                return
            asked = script.arrived(self.path, self.headers["Last-Event-ID"], server.lives[self.client_address])
            try:
                if asked is None:
                    self.close_connection = True
                    return
                answer = asked.answer.get(timeout=LONGEST_WAIT_SECONDS)
                if answer is None:
                    self._stream(asked)
                elif answer.status == 0:
                    self.close_connection = True
                else:
                    self._send(answer.status, answer.body, answer.headers)
            except (OSError, queue.Empty):
                self.close_connection = True  # the client has left

        def _page(self) -> None:
            page = script.pages(self.path)
            if page is None:
                self._send(404, {"code": "not_found", "status": 404}, {})
                return
            kind, body = page
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _send(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            kind = "application/json" if status < 400 else "application/problem+json"
            given = {"Content-Type": kind, "Content-Length": str(len(data)), **headers}
            for name, value in given.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, asked: _Asked) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while (piece := asked.pieces.get()) is not None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: what was asked is in the script's own messages."""

    return Handler
