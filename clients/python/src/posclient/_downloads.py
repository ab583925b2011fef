"""Images are downloaded over connections of their own, by the standard library.

For 100 kB httpx takes three times the computing of ``http.client`` (1.1 and 0.35 ms), and images come by the hundred.
Everything else goes through httpx: see ``Bridge``.
"""

import select
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, InvalidURL
from threading import Lock
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from ._errors import Disconnected, ServerUnavailable, UnexpectedAnswer
from ._timeouts import Timeouts

LARGEST_IMAGE = 4 * 1024 * 1024  # bytes; normal form has 2 MiB at most
PIECE = 256 * 1024  # bytes, at most, between two looks at the time
MOST_IDLE = 8
MOST_REDIRECTS = 5  # to a bucket it is one
REDIRECTS = (301, 302, 303, 307, 308)
PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class ImageConnections:
    """Kept connections to a server, and to the bucket that it sends us to. Threads may share them.

    ``headers`` go to the server of ``base_url`` only, also where its proxy sends us from HTTP to HTTPS.
    """

    def __init__(
        self, base_url: str, *, headers: Mapping[str, str], tls: ssl.SSLContext | None, timeouts: Timeouts
    ) -> None:
        home, _target = place_of(base_url)
        self.homes = {home}
        if home == Origin("http", home.host, PORTS["http"]):
            self.homes.add(Origin("https", home.host, PORTS["https"]))
        self.headers = dict(headers)
        self.tls = tls
        self.timeouts = timeouts
        self._idle: dict[Origin, list[HTTPConnection]] = {}
        self._busy: dict[HTTPConnection, socket.socket | None] = {}  # ``Connection: close`` parts the two
        self._guard = Lock()
        self._closed = False

    def get(self, url: str) -> Answer:
        """The answer at ``url``, or at what it redirects to, whatever its status.

        Raises ServerUnavailable when it can't be had within the time-outs, UnexpectedAnswer for more bytes than any
        image has or an address that can't be, Disconnected after ``close``.
        """
        deadline = time.monotonic() + self.timeouts.whole
        for _hop in range(MOST_REDIRECTS + 1):
            origin, target = place_of(url)
            answer = self._from(origin, target, deadline)
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                return answer
            with address(answer.headers["location"]):
                url = urljoin(url, answer.headers["location"])
        raise UnexpectedAnswer("too many redirects")

    def close(self) -> None:
        """Ends every connection, also those that other threads wait for."""
        with self._guard:
            self._closed = True
            idle = [connection for each in self._idle.values() for connection in each]
            self._idle = {}
            busy = list(self._busy.values())
        for connection in idle:
            connection.close()
        for used in busy:
            hang_up(used)  # the thread that uses it closes it

    # --- Underneath -------------------------------------------------------------------------------------------
    def _from(self, origin: Origin, target: str, deadline: float) -> Answer:
        connection, is_kept = self._take(origin)
        headers = self.headers if origin in self.homes else {}
        is_whole = False
        try:
            try:
                answer = self._ask(connection, target, headers, deadline)
            except (ConnectionError, HTTPException, ssl.SSLError):
                if not is_kept:
                    raise
                connection.close()  # most likely the server closed it just then
                answer = self._ask(connection, target, headers, deadline)
            is_whole = True
        except (OSError, HTTPException, UnicodeError) as error:  # the last: a name that can't be one
            if self._closed:
                raise Disconnected("this bridge is closed") from error
            raise ServerUnavailable(f"{type(error).__name__}: {error}".removesuffix(": ")) from error
        finally:
            self._give_back(origin, connection, keep=is_whole)
        return answer

    def _ask(self, connection: HTTPConnection, target: str, headers: Mapping[str, str], deadline: float) -> Answer:
        if connection.sock is None:
            self._connect(connection)
        if self._closed:  # while we connected: ``close`` found no socket to hang up
            raise Disconnected("this bridge is closed")
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        left = response.length  # bytes; None: in chunks, or until the connection ends
        pieces: list[bytes] = []
        size = 0
        while left is None or left > 0:
            piece = response.read1(PIECE if left is None else min(PIECE, left))
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            left = None if left is None else left - len(piece)
            if size > LARGEST_IMAGE:
                raise UnexpectedAnswer("more bytes than any image has")
            if time.monotonic() > deadline:
                raise ServerUnavailable(f"an image took longer than {self.timeouts.whole:g} s")
        if self._closed:  # ``close`` hung up, so what came may not be all
            raise Disconnected("this bridge is closed")
        if left:
            raise ServerUnavailable(f"the answer ended {left} bytes too early")
        response.close()  # the connection stays
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, b"".join(pieces))

    def _connect(self, connection: HTTPConnection) -> None:
        connection.timeout = self.timeouts.connect
        connection.connect()
        connection.sock.settimeout(self.timeouts.read)
        with self._guard:
            self._busy[connection] = connection.sock

    def _take(self, origin: Origin) -> tuple[HTTPConnection, bool]:
        """A connection for this thread alone, and whether it was in use before."""
        with self._guard:
            if self._closed:
                raise Disconnected("this bridge is closed")
            idle = self._idle.get(origin)
            connection = idle.pop() if idle else self._new(origin)
            self._busy[connection] = connection.sock
        if connection.sock is not None and is_readable(connection.sock):
            connection.close()  # it has ended, or what came would be taken for the answer to the next request
        return connection, connection.sock is not None

    def _new(self, origin: Origin) -> HTTPConnection:
        with address(origin.host):
            if origin.scheme == "https":
                if self.tls is None:
                    self.tls = ssl.create_default_context()
                return HTTPSConnection(origin.host, origin.port, context=self.tls)
            return HTTPConnection(origin.host, origin.port)

    def _give_back(self, origin: Origin, connection: HTTPConnection, *, keep: bool) -> None:
        with self._guard:
            del self._busy[connection]
            idle = self._idle.setdefault(origin, [])
            if keep and connection.sock is not None and not self._closed and len(idle) < MOST_IDLE:
                idle.append(connection)
                return
        connection.close()


def place_of(url: str) -> tuple[Origin, str]:
    """The server of an address, and what to ask it for. Raises UnexpectedAnswer when it can't be an address."""
    with address(url):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(parts.scheme)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Without a port http.client would look for one in the host: ::1 is port 1 to it.
        return Origin(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]), target


@contextmanager
def address(url: str) -> Iterator[None]:
    """UnexpectedAnswer when ``url``, which is parsed within, can't be an address."""
    try:
        yield
    except (ValueError, InvalidURL) as error:
        raise UnexpectedAnswer(f"no address of an image: {url[:200]!r}") from error


def is_readable(connection: socket.socket) -> bool:
    """Whether bytes came, or the other side hung up."""
    look = select.poll()
    look.register(connection, select.POLLIN)
    return bool(look.poll(0))


def hang_up(connection: socket.socket | None) -> None:
    """Wakes whoever waits for its next byte, in whatever thread."""
    if connection is not None:
        with suppress(OSError):
            # Of a TLS socket too: it would only forget its encryption.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
