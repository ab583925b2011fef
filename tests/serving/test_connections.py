"""Nobody takes the connections of ``make run`` away from the others, and none is taken that says nothing."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from serving import connections
from tests.parts import wait_until
from tests.serving.attacks import ATTACKER, Web, answer_on, connected, is_closed, slowest, web_process

pytestmark = pytest.mark.any_database

CROWD = 1100  # more than a soft limit of 1,024 has room for
HASTE = ("from serving import connections", "connections.HEAD_SECONDS = 3", "connections.LINGER_SECONDS = 1")


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CROWD:
        pytest.skip(f"no more than {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * CROWD), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """It starts with the usual soft limit of open files, and is in a hurry."""
    changes = ("import resource", f"resource.setrlimit(resource.RLIMIT_NOFILE, (1024, {2 * CROWD}))", *HASTE)
    with web_process(tmp_path_factory.mktemp("web") / "log", changes=changes) as web:
        yield web


@pytest.fixture
def crowd() -> Iterator[list[socket.socket]]:
    wires: list[socket.socket] = []
    yield wires
    for wire in wires:
        wire.close()


def test_silent_connections_leave_room_for_others_and_are_ended(web: Web, crowd: list[socket.socket]) -> None:
    crowd += [connected(web.port) for _ in range(CROWD)]
    assert slowest(web) < 2
    wait_until(lambda: web.connections() <= connections.MOST_QUIET + 5, what="the end of those that are too many")
    wait_until(lambda: web.connections() <= 2, what="the end of all")

    assert all(map(is_closed, crowd))
    assert resource.prlimit(web.process.pid, resource.RLIMIT_NOFILE)[0] == 2 * CROWD


def test_no_more_descriptors_than_there_are_and_still_there_is_room(
    tmp_path: Path, django_db_setup: None, crowd: list[socket.socket]
) -> None:
    """The hard limit is the usual soft one: nothing can be raised."""
    changes = ("import resource", "resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))", *HASTE)
    with web_process(tmp_path / "log", changes=changes) as web:
        crowd += [connected(web.port) for _ in range(600)]
        assert slowest(web) < 2
        assert sum(map(is_closed, crowd)) > 200


@pytest.mark.parametrize("line", [b"X-Long: " + b"x" * 65536, b"X-Many: x\r\n" * 8000], ids=["one", "many"])
def test_a_head_has_at_most_64_kilobytes(web: Web, line: bytes) -> None:
    with connected(web.port) as wire:
        wire.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + line)
        said = answer_on(wire)

    assert said.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"head_too_large"' in said
    told = f"redcoral.refused: GET /livez 431 head_too_large who=- from={ATTACKER}"
    wait_until(lambda: told in web.log.read_text(), what="its line in the log")


def test_a_head_that_never_ends_is_not_kept(web: Web) -> None:
    assert web.answers()
    before, sent = web.megabytes(), 0
    with connected(web.port) as wire:
        wire.sendall(b"GET /livez HTTP/1.1\r\nX-Long: ")
        try:
            while sent < 64 * 1024 * 1024:
                sent += wire.send(b"x" * 65536)
        except OSError:
            pass

    assert sent > connections.LONGEST_HEAD
    assert web.megabytes() - before < 16


@pytest.mark.parametrize("path", ["/livez", "/" + "x" * 70_000], ids=["trailers", "address"])
def test_trailers_and_addresses_count(web: Web, path: str) -> None:
    with connected(web.port) as wire:
        wire.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".encode())
        wire.sendall(b"X-Trailer: x\r\n" * 8000)
        said = answer_on(wire)

    assert said.count(b"HTTP/1.1 ") == said.count(b"HTTP/1.1 431 ") == 1


def test_a_head_of_60_kilobytes_is_taken(web: Web) -> None:
    assert httpx.get(f"{web.url}/livez", headers={"X-Long": "x" * 60_000}).text == "ok\n"


def test_a_head_that_comes_byte_by_byte_is_given_up(web: Web) -> None:
    began = time.monotonic()
    with connected(web.port) as wire:
        try:
            for letter in b"GET /livez HTTP/1.1\r\nX-Slow: " + b"x" * 200:
                wire.sendall(bytes([letter]))
                time.sleep(0.1)
        except OSError:
            pass
        said = answer_on(wire)

    assert 2 < time.monotonic() - began < 8
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"head_timeout"' in said


def test_the_head_of_a_second_request_has_a_deadline_too(web: Web) -> None:
    with connected(web.port) as wire:
        wire.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire.sendall(b"GET /livez HT")
        first, _, second = answer_on(wire).partition(b"ok\n")

    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 408 ")


def test_requests_sent_without_waiting_are_limited(web: Web) -> None:
    with connected(web.port) as wire:
        wire.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
        said = answer_on(wire)

    assert said.count(b"HTTP/1.1 200 ") <= connections.MOST_IN_LINE + 1


def test_one_address_keeps_only_so_many_requests_open(web: Web) -> None:
    head = b"POST /api/tags HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(web.port)) for _ in range(connections.MOST_BUSY)]
        for wire in wires:
            wire.sendall(head)
        time.sleep(0.5)
        assert not any(map(is_closed, wires))  # each waits for its body
        with connected(web.port) as one_more:
            one_more.sendall(head)
            said = answer_on(one_more)
        assert httpx.get(f"{web.url}/livez", timeout=5).is_success  # from another address

    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in said
    assert b'"code":"over_capacity"' in said


def test_a_trusted_proxy_is_not_limited(tmp_path: Path, django_db_setup: None, crowd: list[socket.socket]) -> None:
    with web_process(tmp_path / "log", TRUSTED_PROXIES=ATTACKER) as web:
        crowd += [connected(web.port) for _ in range(connections.MOST_QUIET + 20)]
        time.sleep(connections.QUIET_SECONDS + 0.5)
        assert not any(map(is_closed, crowd))
