"""An address that a provider names is fetched from the public internet only, or from the provider's own origin."""

import ipaddress
import socket
import time
from typing import Any

import pytest
from urllib3.connection import HTTPConnection

from studio import transport
from studio.fetching import Forbidden, Gone, NotFetched, fetch, is_public
from tests.studio.provider import Running, picture


def fetched(url: str, *, trusted: str = "") -> bytes:
    return fetch(url, deadline=time.monotonic() + 10, trusted=trusted)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.1.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "192.0.2.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::808:808",
        "2001:db8::1", "2002:7f00:1::", "fc00::1", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_what_is_not_the_public_internet(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_the_public_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.jpg", "file:///etc/passwd", "https://127.0.0.1/a.jpg", "https://localhost/a.jpg",
        "https://[::1]/a.jpg", "https://user:word@8.8.8.8/", "https://0x7f000001/", "https:///a.jpg", "https://[/a.jpg",
    ],
)  # fmt: skip
def test_nobody_is_sent_anywhere_else(url: str) -> None:
    with pytest.raises(Forbidden):
        fetched(url)


@pytest.mark.parametrize("found", [["8.8.8.8", "10.0.0.1"], ["2606:4700::1111", "fe80::1%1"], []])
def test_every_address_of_a_name_has_to_be_public(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolved(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append((host, port))
        return [(0, 0, 0, "", (address, port)) for address in found]

    monkeypatch.setattr("studio.fetching.socket.getaddrinfo", resolved)
    with pytest.raises(Forbidden):
        fetched("https://pictures.example.com/a.jpg")
    assert asked == [("pictures.example.com", 443)], "once: another answer a moment later finds nobody asking"


def test_the_providers_own_origin_is_trusted_and_no_other(remote: Running) -> None:
    url = f"{remote.origin}/picture.jpg"

    assert fetched(url, trusted=remote.openai) == picture()
    with pytest.raises(Forbidden):
        fetched(url)
    with pytest.raises(Forbidden):
        fetched(url.replace("127.0.0.1", "localhost"), trusted=remote.openai)


def test_a_redirect_is_judged_anew(remote: Running) -> None:
    with pytest.raises(Forbidden):
        fetched(f"{remote.origin}/away", trusted=remote.openai)


def test_the_socket_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[HTTPConnection]()

    def exchange(connection: HTTPConnection, *_arguments: Any, **_options: Any) -> transport.Reply:
        opened.append(connection)
        return transport.Reply(200, {}, b"a picture")

    ips = ["8.8.8.8", "2606:4700::1111"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (ip, 443)) for ip in ips])
    monkeypatch.setattr(transport, "exchange", exchange)
    assert fetched("https://pictures.example/a.jpg") == b"a picture"
    (connection,) = opened
    assert (connection.host, getattr(connection, "server_hostname", None)) == ("8.8.8.8", "pictures.example")


@pytest.mark.parametrize(("times", "arrives"), [(3, True), (4, False)])
def test_at_most_three_redirects_are_followed(remote: Running, times: int, arrives: bool) -> None:
    url = f"{remote.origin}/away/{times}"
    if arrives:
        assert fetched(url, trusted=remote.openai) == picture()
        return
    with pytest.raises(Gone):
        fetched(url, trusted=remote.openai)


@pytest.mark.parametrize("path", ["/nothing-here", "/large"])
def test_what_is_not_there_or_too_large_is_gone(remote: Running, path: str) -> None:
    with pytest.raises(Gone):
        fetched(remote.origin + path, trusted=remote.openai)


def test_a_network_that_fails_is_not_gone() -> None:
    with pytest.raises(NotFetched) as raised:
        fetched("http://127.0.0.1:9/a.jpg", trusted="http://127.0.0.1:9/v1")

    assert type(raised.value) is NotFetched
