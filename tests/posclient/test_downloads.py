"""The connections that images come over, against servers that do what ours would never do."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import pytest

from posclient import Bridge, Disconnected, ServerUnavailable, Timeouts, UnexpectedAnswer
from posclient._downloads import ImageConnections, Origin, place_of
from tests.parts import wait_until

HASH = "0" * 64
PICTURE = b"\xff\xd8" + bytes(200_000) + b"\xff\xd9"


def whole(body: bytes = PICTURE, *headers: str, status: str = "200 OK") -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


def moved(to: str) -> bytes:
    return whole(b"", f"Location: {to}", status="302 Found")


@dataclass
class Scripted:
    """Answers the requests of each connection with ``answers``, one after the other, and hangs up after the last.

    ``asked`` are the heads of all requests, each with the number of its connection.
    """

    answers: list[list[bytes]]
    asked: list[tuple[int, str]] = field(default_factory=list)
    waits: threading.Event = field(default_factory=threading.Event)  # with a request that it doesn't answer

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(20)

    def _serve(self) -> None:
        for number, answers in enumerate(self.answers):
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            with connection:
                for answer in answers:
                    head = b""
                    while not head.endswith(b"\r\n\r\n") and (more := connection.recv(65536)):
                        head += more
                    if not head:
                        break
                    self.asked.append((number, head.decode()))
                    if answer:
                        connection.sendall(answer)
                    else:
                        self.waits.set()
                        connection.recv(1)  # until the other side hangs up


@contextmanager
def bridge_to(server: Scripted, **timeouts: float) -> Iterator[Bridge]:
    with Bridge.client(server.url, token="secret", timeouts=Timeouts(**timeouts)) as bridge:
        yield bridge


def test_pictures_come_one_after_the_other_over_one_connection() -> None:
    with Scripted([[whole(), whole(b"another")]]) as server, bridge_to(server) as bridge:
        assert bridge.download_image(HASH) == PICTURE
        assert bridge.download_image(HASH) == b"another"
        assert [number for number, _head in server.asked] == [0, 0]
        assert "Authorization: Bearer secret\r\n" in server.asked[0][1]


def test_a_kept_connection_that_the_server_closed_meanwhile_is_no_error() -> None:
    with Scripted([[whole()], [whole(b"another")]]) as server, bridge_to(server) as bridge:
        bridge.download_image(HASH)

        assert bridge.download_image(HASH) == b"another"
        assert [number for number, _head in server.asked] == [0, 1]


def test_a_new_connection_that_breaks_is_an_error() -> None:
    with Scripted([[]]) as server, bridge_to(server) as bridge, pytest.raises(ServerUnavailable):
        bridge.download_image(HASH)


def test_a_picture_that_ends_too_early_is_none_and_its_connection_is_not_used_again() -> None:
    with Scripted([[whole()[:-1]], [whole()]]) as server, bridge_to(server) as bridge:
        with pytest.raises(ServerUnavailable, match="1 bytes too early"):
            bridge.download_image(HASH)

        assert bridge.download_image(HASH) == PICTURE
        assert [number for number, _head in server.asked] == [0, 1]


def test_a_picture_may_come_in_chunks() -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (PICTURE[:70_000], PICTURE[70_000:], b""))
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with Scripted([[chunked, chunked]]) as server, bridge_to(server) as bridge:
        assert [bridge.download_image(HASH), bridge.download_image(HASH)] == [PICTURE, PICTURE]
        assert [number for number, _head in server.asked] == [0, 0]


def test_a_picture_that_drips_is_given_up_after_its_whole_time() -> None:
    """Each byte comes well within the time-out of a read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        given_up = threading.Event()

        def drip() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(whole()[:100])
                while not given_up.wait(0.05):
                    connection.sendall(b"x")

        with ThreadPoolExecutor(1) as thread:
            dripping = thread.submit(drip)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with Bridge.client(url, timeouts=Timeouts(whole=0.5)) as bridge:
                with pytest.raises(ServerUnavailable, match="took longer"):
                    bridge.download_image(HASH)
                given_up.set()
            dripping.result(20)


def test_the_token_is_for_the_server_and_not_for_the_bucket_that_it_names() -> None:
    with Scripted([[whole()]]) as bucket, Scripted([[moved(f"{bucket.url}/a%20key?X-Signature=1")]]) as server:
        with bridge_to(server) as bridge:
            assert bridge.download_image(HASH) == PICTURE
        (_number, head) = bucket.asked[0]
        assert head.startswith("GET /a%20key?X-Signature=1 HTTP/1.1\r\n")
        assert "secret" not in head
        assert "secret" in server.asked[0][1]


@pytest.mark.parametrize(
    "to",
    ["/round/and/round", "ftp://127.0.0.1/picture", "http://127.0.0.1:port/", "http:///", "http://[/", "http://a b/"],
)
def test_a_redirect_to_nowhere_is_given_up(to: str) -> None:
    with Scripted([[moved(to)] * 10]) as server, bridge_to(server) as bridge, pytest.raises(UnexpectedAnswer):
        bridge.download_image(HASH)
    assert len(server.asked) <= 6


def test_the_token_is_for_the_server_whatever_address_is_asked_for() -> None:
    with (
        Scripted([[whole(b"1")]]) as other,
        Scripted([[whole(b"2"), whole(b"3")]]) as server,
        bridge_to(server) as bridge,
    ):
        assert bridge.get_bytes(f"{other.url}/a") == b"1"
        assert [bridge.get_bytes("/a"), bridge.get_bytes(f"{server.url}/a")] == [b"2", b"3"]
    assert "secret" not in other.asked[0][1]
    assert ["Bearer secret" in head for _number, head in server.asked] == [True, True]


@pytest.mark.parametrize("to", ["http://a..b/", "/caf\xe9"])
def test_a_redirect_to_a_name_that_can_not_be_one_is_an_unavailable_server(to: str) -> None:
    with Scripted([[moved(to)]]) as server, bridge_to(server) as bridge, pytest.raises(ServerUnavailable):
        bridge.download_image(HASH)


def test_an_answer_that_comes_twice_is_not_taken_for_the_next_one() -> None:
    one = b"x" * 9000  # more than comes with the first read
    with Scripted([[whole(one) + whole(one)], [whole(b"another")]]) as server, bridge_to(server) as bridge:
        assert bridge.download_image(HASH) == one
        assert bridge.download_image(HASH) == b"another"


def test_an_address_of_ipv6_needs_no_port() -> None:
    assert place_of("http://[fe80::abcd]/a") == (("http", "fe80::abcd", 80), "/a")
    assert place_of("https://[::1]:8000") == (("https", "::1", 8000), "/")
    bridge = Bridge.client("http://[fe80::abcd]", timeouts=Timeouts(connect=1))
    with bridge, pytest.raises(ServerUnavailable):  # that network isn't here; it is no port "abcd"
        bridge.download_image(HASH)


def test_the_token_follows_from_http_to_https_of_the_same_server_only() -> None:
    def homes(url: str) -> set[Origin]:
        return ImageConnections(url, headers={}, tls=None, timeouts=Timeouts()).homes

    assert homes("http://shop") == {Origin("http", "shop", 80), Origin("https", "shop", 443)}
    assert homes("http://shop:8000") == {Origin("http", "shop", 8000)}
    assert homes("https://shop") == {Origin("https", "shop", 443)}


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01 no HTTP\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_a_server_that_can_not_be_had(nonsense: bytes) -> None:
    with Scripted([[nonsense]]) as server, bridge_to(server) as bridge, pytest.raises(ServerUnavailable):
        bridge.download_image(HASH)


def test_closing_wakes_who_waits_for_a_picture() -> None:
    with Scripted([[b""]]) as server, bridge_to(server, read=60) as bridge, ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(bridge.download_image, HASH)
        assert server.waits.wait(20)
        bridge.close()

        with pytest.raises(Disconnected):
            waiting.result(20)
    server.thread.join(20)
    assert not server.thread.is_alive(), "its connection is closed"


def test_closing_wakes_who_waits_for_the_rest_of_a_last_answer() -> None:
    """``Connection: close`` takes the socket away from the connection, before its body has come."""
    begun = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nbegun"
    with Scripted([[begun, b""]]) as server, bridge_to(server, read=60) as bridge, ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(bridge.download_image, HASH)
        wait_until(lambda: server.asked, seconds=20, what="the request")
        bridge.close()

        with pytest.raises(Disconnected):
            waiting.result(20)


@pytest.mark.parametrize("field", ["X-Shop: caf\xe9", "Date: Mon, 99999999999999 Jan 2020 00:00:00 GMT"])
def test_an_error_with_an_odd_header_is_not_our_servers(field: str) -> None:
    odd = whole(b"", field, status="404 Not Found")
    with Scripted([[odd]]) as server, bridge_to(server) as bridge, pytest.raises(UnexpectedAnswer):
        bridge.download_image(HASH)


@pytest.mark.parametrize("name", ["Date", "Retry-After"])
def test_a_time_that_can_not_be_is_none(name: str) -> None:
    busy = whole(b"", f"{name}: Mon, 99999999999999 Jan 2020 00:00:00 GMT", status="503 Busy")
    with Scripted([[busy]]) as server, bridge_to(server) as bridge, pytest.raises(ServerUnavailable) as unavailable:
        bridge.download_image(HASH)
    assert unavailable.value.retry_after is None


def test_an_error_that_can_not_be_read_is_not_our_servers() -> None:
    odd = whole(b"no gzip", "Content-Encoding: gzip", status="404 Not Found")
    with Scripted([[odd]]) as server, bridge_to(server) as bridge, pytest.raises(UnexpectedAnswer):
        bridge.download_image(HASH)
