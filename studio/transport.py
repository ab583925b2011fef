"""One HTTP request over one connection of its own: never repeated, never redirected, through no proxy.

What can cost money has to say whether it was sent. So the connection is opened by itself first: what fails until then
is `NotConnected`, all that fails later is `Lost`.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import SplitResult

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

CONNECT_SECONDS = 10.0
AGENT = "RedCoral studio"
CHUNK = 65_536
ERROR_BYTES = 65_536  # what is read of an answer that isn't a success


class NotConnected(Exception):
    """No byte of the request has left: the name, the connection or TLS failed, or there was no time left."""


class Lost(Exception):
    """The request went out, in part at least, and there is no whole answer."""


class TooLarge(Exception):
    """The answer has more bytes than are taken."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # their names are found in any case
    data: bytes = field(repr=False)  # of a success; of anything else the beginning, or nothing

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


def connection_to(address: SplitResult, *, deadline: float, ip: str = "") -> HTTPConnection:
    """A connection, not yet open, to the address's host, or to ``ip`` in its name. Raises `NotConnected`."""
    seconds = min(CONNECT_SECONDS, deadline - time.monotonic())
    if seconds <= 0:
        raise NotConnected("There was no time left.")
    host = address.hostname or ""
    if address.scheme == "http":
        return HTTPConnection(ip or host, address.port or 80, timeout=seconds)
    return HTTPSConnection(
        ip or host,
        address.port or 443,
        timeout=seconds,
        ssl_context=ssl.create_default_context(),
        server_hostname=host,
    )


def exchange(
    connection: HTTPConnection,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    deadline: float,
    most: int,
) -> Reply:
    """Sends one request and reads its answer, then closes the connection.

    ``deadline`` is a moment of ``time.monotonic()``, ``most`` a number of bytes. Raises `NotConnected`, `Lost` and
    `TooLarge`.
    """
    try:
        try:
            connection.connect()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise NotConnected(type(error).__name__) from error
        with ended_at(connection, deadline) as time_is_up:
            reply = answer_of(connection, method, target, headers, body, most)
        if time_is_up.is_set():  # an end that we made ourselves looks like the end of an answer without a length
            raise Lost("The time was up.")
        return reply
    finally:
        connection.close()


@contextmanager
def ended_at(connection: HTTPConnection, deadline: float) -> Iterator[threading.Event]:
    """Shuts the connection down at ``deadline``: a time-out of the socket knows the pause between two bytes only."""
    sock, time_is_up = connection.sock, threading.Event()

    def end() -> None:
        time_is_up.set()
        try:
            # Not the method of an SSL socket: it would take TLS off in the middle of the other thread's read.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    remaining = max(0.0, deadline - time.monotonic())
    connection.timeout = remaining + 1  # getresponse gives it to the socket
    sock.settimeout(remaining + 1)
    timer = threading.Timer(remaining, end)
    timer.daemon = True
    timer.start()
    try:
        yield time_is_up
    finally:
        timer.cancel()


def answer_of(
    connection: HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: bytes | None, most: int
) -> Reply:
    try:
        # A server may refuse before it has read everything: then its answer is there to be read.
        with suppress(ConnectionError):
            connection.request(
                method,
                target,
                body=body,
                headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers},
                preload_content=False,
                decode_content=False,
            )
    except (HTTPError, HTTPException, OSError) as error:
        raise Lost(type(error).__name__) from error
    except ValueError:  # a header that can't be sent: its message would repeat the value, which may be a key
        raise NotConnected("A header can't be sent.") from None
    try:
        response = connection.getresponse()
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise Lost(type(error).__name__) from error
    if 200 <= response.status < 300:
        return Reply(response.status, response.headers, whole(response, most))
    return Reply(response.status, response.headers, beginning(response))


def whole(response: BaseHTTPResponse, most: int) -> bytes:
    data = bytearray()
    try:
        while chunk := response.read1(CHUNK):
            data += chunk
            if len(data) > most:
                raise TooLarge
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise Lost(type(error).__name__) from error
    return bytes(data)


def beginning(response: BaseHTTPResponse) -> bytes:
    """What a refusal says, as far as it can be read: its status has decided already."""
    try:
        return response.read(ERROR_BYTES)
    except (HTTPError, HTTPException, OSError, ValueError):
        return b""
