"""What clients send is bounded before anybody spends anything on it: by address, by sender, in time and in all."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.core.management import call_command

from serving import bodies, limits
from tests.parts import wait_until
from tests.serving.attacks import Web, connected, problem_on, web_process

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]

MB = 1024 * 1024
HASTE = (
    "from serving import bodies",
    "bodies.SECONDS_WITHOUT_A_BYTE = 1.5",
    "bodies.SLOWEST = 1000",
    "from serving import connections",
    "connections.HEAD_SECONDS = 3",
)
IN_ALL = 60 * MB


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    changes = (*HASTE, f"bodies.bodies.size = {IN_ALL}")
    with web_process(tmp_path_factory.mktemp("web") / "log", changes=changes) as web:
        yield web


@pytest.fixture
def uploader() -> str:
    return enrolled("--upload")


def enrolled(*scopes: str) -> str:
    said = StringIO()
    call_command("enroll_device", "till", *scopes, stdout=said)
    return said.getvalue().split()[-1]


def spooled(web: Web) -> int:
    """Bytes in files that have no name, which is where bodies lie."""
    size = 0
    for fd in Path(f"/proc/{web.process.pid}/fd").iterdir():
        with suppress(OSError):
            if "(deleted)" in os.readlink(fd):
                size += fd.stat().st_size
    return size


def head(path: str, *, size: int | None, token: str = "") -> bytes:
    framing = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n{bearer}{framing}\r\n\r\n".encode()


def send(wire: socket.socket, size: int, *, chunked: bool = False) -> int:
    """How many of so many bytes were sent before the other side had enough."""
    piece, sent = bytes(65536), 0
    with suppress(OSError):
        while sent < size:
            wire.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece[: size - sent])
            sent += len(piece)
    return sent


@pytest.mark.parametrize("size", [26 * MB, None], ids=["announced", "chunked"])
def test_strangers_are_asked_who_they_are_before_a_megabyte(web: Web, size: int | None) -> None:
    most = []
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(web.port)) for _ in range(20)]
        for wire in wires:
            wire.sendall(head("/api/images", size=size))
        senders = [
            threading.Thread(target=send, args=(wire, MB + 65536), kwargs={"chunked": size is None}) for wire in wires
        ]
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders):
            most.append(spooled(web))
            time.sleep(0.01)
        answers = [problem_on(wire) for wire in wires]

    assert all(said.startswith(b"HTTP/1.1 401 ") for said in answers)
    assert max(most, default=0) <= 20 * limits.LARGEST_OF_STRANGERS + 20 * 65536
    wait_until(lambda: spooled(web) == 0, what="the end of what was kept")


def test_an_upload_address_is_looked_at_before_the_bytes(web: Web) -> None:
    with connected(web.port) as wire:
        wire.sendall(head("/api/uploads/made-up:token", size=26 * MB).replace(b"POST", b"PUT"))
        said = problem_on(wire)

    assert said.startswith(b"HTTP/1.1 403 ")
    assert b'"code":"upload_denied"' in said


def test_a_device_that_only_reads_sends_nothing_large(web: Web) -> None:
    with connected(web.port) as wire:
        wire.sendall(head("/api/images", size=26 * MB, token=enrolled()))
        assert problem_on(wire).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/livez", 1),
        ("/api/sync/status", 1),
        ("/api/products", limits.LARGEST_REST + 1),
        ("/admin/login/", limits.LARGEST_REST + 1),
        ("/api/images", limits.LARGEST_PICTURE + 1),
    ],
)
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_is_no_larger_than_its_address_takes(
    web: Web, uploader: str, path: str, size: int, is_announced: bool
) -> None:
    with connected(web.port) as wire:
        wire.sendall(head(path, size=size if is_announced else None, token=uploader))
        if not is_announced:
            send(wire, size, chunked=True)
        said = problem_on(wire)

    assert said.startswith(b"HTTP/1.1 413 "), said[:200]
    assert b'"code":"too_large"' in said


def test_a_body_within_the_limit_arrives_whole(web: Web, uploader: str) -> None:
    """It is no picture, so somebody has looked at it."""
    headers = {"Authorization": f"Bearer {uploader}", "Content-Type": "image/jpeg"}
    answer = httpx.post(f"{web.url}/api/images", content=bytes(20 * MB), headers=headers, timeout=30)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_image")


def test_what_lies_here_in_all_is_bounded(web: Web, uploader: str) -> None:
    seen = []
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(web.port)) for _ in range(6)]
        for wire in wires:
            wire.sendall(head("/api/images", size=25 * MB, token=uploader))
        pool = stack.enter_context(ThreadPoolExecutor(6))
        sending = [pool.submit(send, wire, 20 * MB) for wire in wires]
        while not all(one.done() for one in sending):
            seen.append(spooled(web))
            time.sleep(0.01)
        assert sum(one.result() for one in sending) > IN_ALL  # more was sent than may lie here
        answers = [problem_on(wire) for wire in wires]
        assert httpx.get(f"{web.url}/readyz", timeout=20).text.startswith("database: ok")

    refused = [said for said in answers if said.startswith(b"HTTP/1.1 503 ")]
    assert refused
    assert all(b'"code":"over_capacity"' in said and b"retry-after: " in said for said in refused)
    assert 0 < max(seen) <= IN_ALL
    wait_until(lambda: spooled(web) == 0, what="the end of what was kept")


@pytest.mark.parametrize("every", [None, 0.2], ids=["silent", "byte by byte"])
def test_a_body_that_comes_too_slowly_is_given_up(web: Web, every: float | None) -> None:
    began = time.monotonic()
    with connected(web.port) as wire:
        wire.sendall(head("/api/devices/enroll", size=1000))
        if every:
            with suppress(OSError):
                while time.monotonic() < began + 8 and not is_answered(wire):
                    wire.sendall(b"x")
                    time.sleep(every)
        said = problem_on(wire)

    assert 1 < time.monotonic() - began < 6
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_timeout"' in said


def is_answered(wire: socket.socket) -> bool:
    wire.setblocking(False)
    try:
        return bool(wire.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        wire.settimeout(20)


def test_the_rest_of_a_refused_body_is_read_for_a_moment_only(web: Web) -> None:
    """Else whoever is refused would still be read, for ever."""
    with connected(web.port) as wire:
        wire.sendall(head("/livez", size=10**12))
        assert problem_on(wire).startswith(b"HTTP/1.1 413 ")
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 30:
                wire.sendall(b"x" * 100)
                time.sleep(0.1)
    assert time.monotonic() - began < 10


def test_the_limits_are_those_of_the_issue() -> None:
    assert limits.LARGEST_PICTURE == 27 * MB
    assert (limits.LARGEST_REST, limits.LARGEST_OF_STRANGERS) == (2 * MB, MB)
    assert bodies.BODIES_IN_ALL < 512 * MB
