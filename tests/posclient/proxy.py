"""A TCP proxy between a terminal and its server that makes every fault a network knows, and counts what went through.

It understands just enough HTTP/1.1 to know where a request ends. Each request has a connection of its own to the
server; an answer is relayed byte by byte as it comes.
"""

import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from tests.parts import wait_until

Kind = Literal["stall", "reset", "cut", "double frames", "stale", "corrupt", "refuse"]
IMAGE = re.compile(r"/api/image/([0-9a-f]{64})\.jpg\Z")


@dataclass(frozen=True)
class Fault:
    """``after``: so many bytes of the answer come through first."""

    kind: Kind
    after: int = 0


@dataclass(frozen=True)
class Passed:
    """A request and the status that came back (0: none); ``whole``: the client got all of it."""

    method: str
    path: str
    query: str
    status: int
    whole: bool


class Proxy:
    """``choose(path)`` says which fault, if any, the next request for ``path`` meets.

    ``source``: the address that the server sees (all of 127.0.0.0/8 are this machine's).
    """

    def __init__(self, upstream_port: int, *, source: str = "127.0.0.1") -> None:
        self.upstream_port = upstream_port
        self.source = source
        self.choose: Callable[[str], Fault | None] = lambda path: None
        self.fired: Counter[str] = Counter()
        self.passed: list[Passed] = []
        self.down = False
        self._kept: dict[str, bytes] = {}
        self._under_way: Counter[str] = Counter()
        self._sockets: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def once(self, kind: Kind, *, path: str, after: int = 0, times: int = 1) -> None:
        """The next ``times`` requests whose path starts with ``path`` meet this fault; the others none."""
        left = [times]

        def choose(asked: str) -> Fault | None:
            with self._guard:
                if left[0] and asked.startswith(path):
                    left[0] -= 1
                    return Fault(kind, after)
            return None

        self.choose = choose

    def hang_up(self) -> None:
        """Cuts every connection there is."""
        with self._guard:
            sockets, self._sockets = self._sockets, set()
        for connection in sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def cut_network(self) -> None:
        self.down = True
        self.hang_up()
        self.fired["cut network"] += 1

    def restore_network(self) -> None:
        self.down = False

    def images_downloaded(self) -> Counter[str]:
        """How often each image came through whole; waits for those on their way."""
        self._wait_until_noted("/api/image/")
        found = (IMAGE.match(p.path) for p in list(self.passed) if p.method == "GET" and p.whole and p.status == 200)
        return Counter(match[1] for match in found if match)

    def images_broken(self) -> Counter[str]:
        """How often each image was asked of the server and did not come through whole."""
        self._wait_until_noted("/api/image/")
        found = (IMAGE.match(passed.path) for passed in list(self.passed) if not passed.whole)
        return Counter(match[1] for match in found if match)

    def asked(self, path: str) -> list[Passed]:
        """What was asked at exactly this path; waits for what is on its way."""
        return [passed for passed in self.asked_below(path) if passed.path == path]

    def asked_below(self, start: str) -> list[Passed]:
        """What was asked at every path that starts so; waits for what is on its way."""
        self._wait_until_noted(start)
        return [passed for passed in list(self.passed) if passed.path.startswith(start)]

    def _wait_until_noted(self, path: str) -> None:
        """The client has its answer a moment before we have noted it."""
        wait_until(lambda: not any(n for asked, n in list(self._under_way.items()) if asked.startswith(path)))

    # --- Underneath -------------------------------------------------------------------------------------------
    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client:
            if self.down:
                return
            with self._guard:
                self._sockets.add(client)
            try:
                with suppress(OSError):
                    self._exchange(client)
            finally:
                with self._guard:
                    self._sockets.discard(client)

    def _exchange(self, client: socket.socket) -> None:
        head, body = read_request(client)
        if not head:
            return
        method, target = head.split(b" ", 2)[:2]
        address = urlsplit(target.decode())
        fault = self.choose(address.path)
        if fault is not None and fault.kind == "refuse":
            self.fired["refuse"] += 1
            reset(client)
            return
        with self._guard:
            self._under_way[address.path] += 1
        status, whole = 0, False
        try:
            status, whole = self._forward(client, head, body, fault, method.decode(), address.path)
        finally:
            self.passed.append(Passed(method.decode(), address.path, address.query, status, whole))
            with self._guard:
                self._under_way[address.path] -= 1

    def _forward(
        self, client: socket.socket, head: bytes, body: bytes, fault: Fault | None, method: str, path: str
    ) -> tuple[int, bool]:
        with socket.create_connection(("127.0.0.1", self.upstream_port), 60, (self.source, 0)) as server:
            with self._guard:
                self._sockets.add(server)
            try:
                server.sendall(without_keeping(head) + body)
                return self._relay(server, client, fault, method, path)
            finally:
                with self._guard:
                    self._sockets.discard(server)

    def _relay(
        self, server: socket.socket, client: socket.socket, fault: Fault | None, method: str, path: str
    ) -> tuple[int, bool]:
        if fault is None:
            return relay(server, client)
        if fault.kind in ("stale", "corrupt"):
            answer = read_all(server)
            if fault.kind == "stale":
                key = f"{method} {path}"
                answer, self._kept[key] = self._kept.get(key, answer), answer
                self.fired["stale"] += answer is not self._kept[key]
            else:
                answer = answer[:-20] + bytes(byte ^ 0xFF for byte in answer[-20:])
                self.fired["corrupt"] += 1
            client.sendall(answer)
            return status_of(answer), False
        if fault.kind == "double frames":
            return self._double(server, client)
        answer = b""
        while len(answer) < fault.after and (data := server.recv(min(65536, fault.after - len(answer)))):
            client.sendall(data)
            answer += data
        status = status_of(answer)
        if len(answer) < fault.after:
            return status, is_whole(answer, len(answer))
        self.fired[fault.kind] += 1
        if fault.kind == "stall":
            with suppress(OSError):
                client.recv(1)  # until the client gives up, or we hang up
        elif fault.kind == "reset":
            reset(client)
        return status, False

    def _double(self, server: socket.socket, client: socket.socket) -> tuple[int, bool]:
        """Every frame of an event stream twice. The server sends it in chunks, which are made anew."""
        buffer, status = b"", 0
        while data := server.recv(65536):
            buffer += data
            if not status and b"\r\n\r\n" in buffer:
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                status = status_of(head)
                client.sendall(re.sub(rb"(?i)\r\ntransfer-encoding: chunked", b"", head) + b"\r\n\r\n")
            while status and (chunk := first_chunk(buffer)) is not None:
                content, buffer = chunk
                frames = [frame + b"\n\n" for frame in content.split(b"\n\n") if frame]
                self.fired["double frames"] += len(frames)
                client.sendall(b"".join(frame * 2 for frame in frames))
        return status, True


def relay(server: socket.socket, client: socket.socket) -> tuple[int, bool]:
    """The status, and whether all came that was announced: hanging up cuts the server's side as well."""
    head, size = b"", 0
    while data := server.recv(65536):
        if b"\r\n\r\n" not in head:
            head += data
        size += len(data)
        client.sendall(data)
    return status_of(head), is_whole(head, size)


def is_whole(answer: bytes, size: int) -> bool:
    """Whether an answer that begins like this and has so many bytes is all that was announced."""
    head, end, _body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and (length is None or size == len(head) + 4 + int(length[1]))


def read_request(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            return b"", b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        part = client.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n", body


def without_keeping(head: bytes) -> bytes:
    return re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def read_all(server: socket.socket) -> bytes:
    data = b""
    while part := server.recv(65536):
        data += part
    return data


def first_chunk(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The content of the first chunk and what follows it; None when it isn't whole yet, or the last."""
    size, found, rest = buffer.partition(b"\r\n")
    if not found or not size or len(rest) < int(size, 16) + 2 or int(size, 16) == 0:
        return None
    length = int(size, 16)
    return rest[:length], rest[length + 2 :]


def status_of(answer: bytes) -> int:
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def reset(client: socket.socket) -> None:
    """Closes with RST instead of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
