"""The front that ``make run`` serves with: whatever clients do, Django's threads come free again."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.staticfiles import finders

from serving import bodies, turns
from tests.parts import ROOT, free_port, run_to_end, shared_environment, start, wait_until

LARGE = "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[int]:
    """The port of a web process as ``make run`` starts it."""
    port = free_port()

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/livez", timeout=2).is_success
        except httpx.TransportError:
            return False

    with ExitStack() as stack:
        start(
            [sys.executable, "-m", "uvicorn", "config.asgi:application", f"--port={port}"],
            ready=answers,
            log=tmp_path / "web.log",
            on=stack,
            cwd=ROOT,
            env=shared_environment(),
        )
        yield port


def ask_and_never_read(port: int, times: int) -> socket.socket:
    """A connection whose answers are more than the kernel's buffers hold."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.connect(("127.0.0.1", port))
    wire.sendall(f"GET /static/{LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * times)
    return wire


@pytest.mark.django_db(transaction=True)
def test_clients_that_never_read_stop_nobody_else_neither_while_they_stay_nor_when_they_leave(web: int) -> None:
    url = f"http://127.0.0.1:{web}"
    whole = Path(str(finders.find(LARGE))).read_bytes()
    assert len(whole) > 1_000_000  # else the kernel would take the answers from the server's hands
    slow = [ask_and_never_read(web, times=5) for _ in range(turns.THREADS + 2)]

    staying = [httpx.get(f"{url}/livez", timeout=20).status_code for _ in range(3)]
    for wire in slow:
        wire.close()

    assert staying == [200, 200, 200]
    wait_until(lambda: httpx.get(f"{url}/livez", timeout=20).status_code == 200, what="an answer after they left")
    assert httpx.get(f"{url}/static/{LARGE}", headers={"Accept-Encoding": "identity"}, timeout=20).content == whole


def test_a_client_that_stops_reading_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "STALLED_SECONDS", 0.01)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 2:
            await asyncio.Event().wait()

    async def answer() -> None:
        async with bodies.handed_out(send) as keep:
            await keep({"type": "http.response.start", "status": 200, "headers": []})
            await keep({"type": "http.response.body", "body": b"x" * bodies.PIECE * 3})

    run_to_end(asyncio.wait_for(answer(), timeout=5))

    assert [len(message.get("body", b"")) for message in sent] == [0, bodies.PIECE]


def test_an_answer_is_handed_out_as_it_was_given_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PIECE", 4)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def answer() -> None:
        async with bodies.handed_out(send) as keep:
            await keep({"type": "http.response.start", "status": 200, "headers": []})
            for body in (b"0123", b"456789ab", b"cdefg"):
                await keep({"type": "http.response.body", "body": body, "more_body": True})
            await keep({"type": "http.response.body", "body": b""})

    run_to_end(answer())

    assert b"".join(message.get("body", b"") for message in sent) == b"0123456789abcdefg"
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]


def test_a_failure_of_django_is_not_taken_for_a_client_that_left() -> None:
    async def send(message: Any) -> None:
        pass

    async def answer() -> None:
        async with bodies.handed_out(send):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run_to_end(answer())
