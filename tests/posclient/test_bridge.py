"""The three ways to a server, and what its answers mean."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from posclient import (
    Bridge,
    Disconnected,
    Mode,
    NotAllowed,
    NotEnrolled,
    Refused,
    ServerUnavailable,
    Terminal,
    Timeouts,
    UnexpectedAnswer,
)
from tests.posclient.conftest import Shop
from tests.posclient.proxy import Proxy

pytestmark = pytest.mark.any_database


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Something on the network that isn't our server: it says ``answer`` to everything."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


PORTAL = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 7\r\nConnection: close\r\n\r\nWelcome"


def test_a_client_says_so_and_reads_over_http(shop: Shop) -> None:
    hash, data = shop.image()
    with Bridge.client(shop.url, token=shop.token) as bridge:
        assert bridge.current_mode is Mode.CLIENT
        assert bridge.is_network_available()
        assert bridge.get_bytes(f"/api/image/{hash}.jpg") == data
        assert set(bridge.get_json("/api/sync/status")) == {"epoch", "versions"}
        assert abs(bridge.clock_offset) < 60


def test_a_disconnected_bridge_asks_nobody() -> None:
    bridge = Bridge.disconnected()

    assert str(bridge.current_mode) == "disconnected"
    assert not bridge.is_network_available()
    with pytest.raises(Disconnected):
        bridge.get_bytes("/api/sync/status")


def test_disconnecting_keeps_what_is_on_the_disk(shop: Shop, terminal: Terminal) -> None:
    hash, data = shop.image()
    terminal.images.get_image_path(hash)

    terminal.bridge.disconnect()

    assert terminal.bridge.current_mode is Mode.DISCONNECTED
    assert terminal.images.get_image_path(hash).read_bytes() == data
    with pytest.raises(Disconnected):
        terminal.images.get_image_path("0" * 64)


def test_what_the_server_refuses_says_why(shop: Shop) -> None:
    with Bridge.client(shop.url, token="wrong") as bridge, pytest.raises(NotEnrolled) as refused:
        bridge.get_json("/api/sync/status")
    assert (refused.value.status, refused.value.code) == (401, "invalid_token")

    with Bridge.client(shop.url, token=shop.token) as bridge:
        with pytest.raises(NotAllowed) as not_allowed:
            bridge.post_json("/api/tags", {"name": "No"})
        assert not_allowed.value.status == 403
        with pytest.raises(Refused) as unknown:
            bridge.get_json("/api/sync/nothing")
        assert (unknown.value.status, unknown.value.code) == (404, "unknown_resource")


def test_a_connection_that_the_server_closed_meanwhile_is_no_error(shop: Shop) -> None:
    """uvicorn closes a kept connection after five seconds; here the proxy does, after each answer."""
    with Proxy(shop.server.port) as proxy, Bridge.client(proxy.url, token=shop.token) as bridge:
        bridge.get_json("/api/sync/status")
        proxy.once("reset", path="/api/sync/status")

        assert bridge.get_json("/api/sync/status")
        assert proxy.fired["reset"] == 1


def test_a_captive_portal_is_not_our_server() -> None:
    with answering(PORTAL) as url, Bridge.client(url, token="t") as bridge:
        assert not bridge.is_network_available()
        with pytest.raises(UnexpectedAnswer):
            bridge.get_json("/api/sync/status")


@pytest.mark.parametrize(
    "items", ["null", "7", "[1]", "[{}]", '["x"]', '{"a": 1}'], ids=["null", "7", "numbers", "empty", "texts", "object"]
)
def test_a_snapshot_of_nonsense_is_not_our_servers_and_changes_nothing(tmp_path: Path, items: str) -> None:
    """The same answer to both questions, for the status and for the snapshot."""
    body = f'{{"epoch": "e", "versions": {{"product": 3}}, "resource": "product", "version": 3, "items": {items}}}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    answer = f"{head}\r\n\r\n{body}".encode()
    with answering(answer) as url, Terminal(Bridge.client(url), tmp_path) as terminal:
        with pytest.raises(UnexpectedAnswer):
            terminal.replica.catch_up()
        assert terminal.replica.all("product") == []


def test_a_foreign_404_does_not_mean_that_a_picture_is_missing() -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer) as url, Bridge.client(url) as bridge, pytest.raises(UnexpectedAnswer):
        bridge.download_image("0" * 64)


def test_retry_after_is_passed_on() -> None:
    answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer) as url, Bridge.client(url) as bridge, pytest.raises(ServerUnavailable) as busy:
        bridge.get_json("/api/sync/status")
    assert busy.value.retry_after == 7


def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Bridge.client(url, timeouts=Timeouts(read=0.3, probe=0.3)) as bridge:
            began = time.monotonic()
            assert not bridge.is_network_available()
            with pytest.raises(ServerUnavailable):
                bridge.get_json("/api/sync/status")
            assert time.monotonic() - began < 30  # a machine that is busy, not a clock


@pytest.mark.parametrize("url", ["http://a..b", "http://127.0.0.1:port"])
def test_an_address_that_can_not_be_one_is_an_unavailable_server(url: str) -> None:
    with Bridge.client(url) as bridge:
        assert not bridge.is_network_available()
        with pytest.raises(ServerUnavailable):
            bridge.get_json("/api/sync/status")


def test_a_body_without_end_is_given_up() -> None:
    flood = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n" + b"x" * (5 * 1024 * 1024)
    with answering(flood) as url, Bridge.client(url) as bridge, pytest.raises(UnexpectedAnswer, match="more bytes"):
        bridge.download_image("0" * 64)


def test_terminals_of_several_servers_and_tenants_keep_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from posclient import default_folder

    monkeypatch.setenv("POSCLIENT_DATA", str(tmp_path))
    folders = {
        default_folder("http://shop.local:8000"),
        default_folder("https://shop.local:8000"),
        default_folder("http://shop.local:8000", "bar"),
        default_folder("http://other.local:8000"),
    }

    assert len(folders) == 4
    assert default_folder("http://shop.local:8000/") in folders
    assert {folder.parent for folder in folders} == {tmp_path}
    assert default_folder("http://shop.local:8000", "../../x").parent == tmp_path


def test_a_bridge_that_is_closed_while_a_thread_connects_leaves_no_socket_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[socket.socket] = []
    has_connected, is_closed = threading.Event(), threading.Event()

    def connect_slowly(*arguments: Any, **options: Any) -> socket.socket:
        made.append(connect(*arguments, **options))
        has_connected.set()
        assert is_closed.wait(20)
        return made[0]

    connect = socket.create_connection
    bridge = Bridge.client(shop.url, token=shop.token)
    monkeypatch.setattr(socket, "create_connection", connect_slowly)
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(bridge.get_json, "/api/sync/status")
        assert has_connected.wait(20)
        bridge.close()
        is_closed.set()
        with pytest.raises(Disconnected):
            asking.result(20)

    assert [connection.fileno() for connection in made] == [-1]
