"""deploy/nginx.conf: an address has its share, and streams never take all connections of nginx."""

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.parts import wait_until
from tests.running import RunningServer
from tests.serving.conftest import NewServer
from tests.serving.deployed import DEPLOY, answers, start_nginx, start_processes, without_tls

pytestmark = [pytest.mark.timeout(240), pytest.mark.any_database]

DEBIAN = 768  # connections of a worker of nginx
TOKENS = """
from devices.services import enroll
print(*(enroll(name=f"till {number}").token for number in range(110)))
"""
CONF = (DEPLOY / "nginx.conf").read_text()
OF_AN_ADDRESS, OF_STREAMS = (
    int(re.findall(rf"limit_conn redcoral_{zone} (\d+);", CONF)[0]) for zone in ("address", "streams")
)


@pytest.fixture(scope="module")
def front(new_server: NewServer, nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose ``url`` is nginx, with as many connections as Debian gives it."""
    with ExitStack() as stack:
        server = start_processes(new_server, stack=stack)
        conf = without_tls(CONF, port=server.port)
        folder = tmp_path_factory.mktemp("nginx")
        start_nginx(nginx, server, conf, stack=stack, folder=folder, connections=DEBIAN)
        wait_until(lambda: answers(f"{server.url}/livez"), what="nginx")
        yield server


@pytest.fixture(scope="module")
def tokens(front: RunningServer) -> list[str]:
    return front.manage("shell", "-c", TOKENS).split()[-110:]


def stream(front: RunningServer, token: str, *, source: str, stack: ExitStack) -> bytes:
    """The head of the answer to a request for a stream, which stays open."""
    wire = stack.enter_context(socket.socket())
    wire.bind((source, 0))
    wire.settimeout(20)
    wire.connect(("127.0.0.1", front.port))
    request = f"GET /api/sync/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    wire.sendall(request.encode())
    said = wire.recv(65536)
    while b"\r\n\r\n" not in said:
        said += wire.recv(65536)
    return said


def test_one_address_takes_its_share_and_no_more(front: RunningServer, tokens: list[str]) -> None:
    with ExitStack() as stack:
        heads = [
            stream(front, tokens[number // 4], source="127.0.0.2", stack=stack) for number in range(OF_AN_ADDRESS + 20)
        ]

        let_in = [head for head in heads if head.startswith(b"HTTP/1.1 200 ")]
        refused = [head for head in heads if head.startswith(b"HTTP/1.1 503 ")]
        assert (len(let_in), len(refused)) == (OF_AN_ADDRESS, 20)
        assert all(b"Retry-After: 5\r\n" in head and b"application/problem+json" in head for head in refused)
        with ExitStack() as others:
            assert stream(front, tokens[-1], source="127.0.0.3", stack=others).startswith(b"HTTP/1.1 200 ")
        assert httpx.get(f"{front.url}/livez").is_success


def test_all_addresses_together_leave_room_for_requests(front: RunningServer, tokens: list[str]) -> None:
    asked = DEBIAN // 2 + 20  # with two connections for each there would be none left
    assert 2 * OF_STREAMS < DEBIAN - 100
    with ExitStack() as stack:
        heads = [
            stream(front, tokens[number // 4], source=f"127.0.1.{number // 50 + 1}", stack=stack)
            for number in range(asked)
        ]

        assert sum(head.startswith(b"HTTP/1.1 200 ") for head in heads) == OF_STREAMS
        assert sum(head.startswith(b"HTTP/1.1 503 ") for head in heads) == asked - OF_STREAMS
        for _ in range(20):
            assert httpx.get(f"{front.url}/livez", timeout=5).is_success


def test_the_words_beside_it_are_what_nginx_takes(nginx: str, tmp_path: Path) -> None:
    found = {name: re.search(rf"#\s+({name} \d+;)", CONF) for name in ("worker_rlimit_nofile", "worker_connections")}
    assert all(found.values())
    (tmp_path / "nginx.conf").write_text(
        f"{found['worker_rlimit_nofile'][1]} pid {tmp_path}/pid; error_log stderr;"  # type: ignore[index]
        f"events {{ {found['worker_connections'][1]} }} http {{ access_log off; }}"  # type: ignore[index]
    )
    asked = subprocess.run([nginx, "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)
    assert "is successful" in asked.stderr, asked.stderr
