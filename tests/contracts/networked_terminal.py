"""The reference terminal with a network: a thread, httpx, and a disk that outlives it."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache

import httpx

from tests.contracts.reference_terminal import Disk, ReferenceTerminal, read, state_of
from tests.contracts.sync_protocol import STREAM, State

TURN_SECONDS = 0.02
KILL_SECONDS = 20.0
Event = Callable[[ReferenceTerminal], None]


@cache
def no_tls() -> ssl.SSLContext:
    """Making one takes longer than most scenarios, and nobody here speaks TLS."""
    return ssl.create_default_context()


class NetworkedTerminal:
    """Follows a server until it is killed; may then be started again on the same disk."""

    abilities = ("polling",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.disk, self.headers = Disk(), dict(headers or {})
        self.lock = threading.Lock()
        self.life: threading.Event | None = None
        self.threads: list[threading.Thread] = []
        self.wires: list[socket.socket] = []  # of open streams
        self.fetched: list[str] = []  # what it asked for, but streams

    def start(self, address: str, resources: Sequence[str], *, stream: bool = True) -> None:
        self.life = threading.Event()
        terminal = ReferenceTerminal(self.disk, resources, now=time.monotonic, stream=stream)
        self._in_a_thread(self._live, terminal, address, self.life)

    def kill(self) -> None:
        """Nothing is written from here on; returns when its threads are over."""
        with self.lock:
            if self.life is not None:
                self.life.set()
            wires, self.wires = self.wires, []
        for wire in wires:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)  # or its reader would wait for the next byte
        while self.threads:  # the first of them starts the others
            self.threads.pop(0).join(KILL_SECONDS)

    def _in_a_thread(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def state(self) -> State:
        with self.lock:
            return state_of(self.disk)

    def _live(self, terminal: ReferenceTerminal, address: str, dead: threading.Event) -> None:
        events: queue.Queue[Event] = queue.Queue()
        patience = httpx.Timeout(10, read=40)
        with httpx.Client(base_url=address, headers=self.headers, timeout=patience, verify=no_tls()) as client:
            event: Event | None = ReferenceTerminal.start
            while True:
                with self.lock:
                    if dead.is_set():
                        return
                    if event is not None:
                        event(terminal)
                    terminal.tick()
                    asked = list(terminal.asked)
                    terminal.asked.clear()
                for target, cursor in asked:
                    ask = self._listen if target.startswith(STREAM) else self._fetch
                    self._in_a_thread(ask, client, target, cursor, events, dead)
                try:
                    event = events.get(timeout=TURN_SECONDS)
                except queue.Empty:
                    event = None

    def _fetch(
        self,
        client: httpx.Client,
        target: str,
        _cursor: str | None,
        events: "queue.Queue[Event]",
        dead: threading.Event,
    ) -> None:
        self.fetched.append(target)
        status, body = 0, None
        with suppress(httpx.HTTPError, RuntimeError):  # RuntimeError: it was killed, and its client is closed
            answer = client.get(target)
            status, body = answer.status_code, answer.json()
        events.put(lambda terminal: terminal.answered(target, status, body))

    def _listen(
        self, client: httpx.Client, target: str, cursor: str | None, events: "queue.Queue[Event]", dead: threading.Event
    ) -> None:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": cursor} if cursor else {})}
        try:
            with client.stream("GET", target, headers=headers) as answer:
                if answer.status_code != 200:
                    wait = answer.headers.get("Retry-After")
                    status, after = answer.status_code, float(wait) if wait else None
                    events.put(lambda terminal: terminal.refused(status, retry_after=after))
                    return
                with self.lock:
                    if dead.is_set():
                        return
                    self.wires = [answer.extensions["network_stream"].get_extra_info("socket")]
                events.put(ReferenceTerminal.opened)
                text = ""
                for piece in answer.iter_text():
                    whole, end, text = (text + piece).replace("\r\n", "\n").rpartition("\n\n")
                    for frame, retry in read((whole + end).encode()):
                        events.put(lambda terminal, frame=frame, retry=retry: terminal.frame(frame, retry_ms=retry))  # type: ignore[misc]
            events.put(ReferenceTerminal.ended)
        except (httpx.HTTPError, RuntimeError):
            events.put(lambda terminal: terminal.ended() if terminal.last_byte else terminal.refused(0))
