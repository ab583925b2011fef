"""A device has a few streams; one that opens more loses its oldest, and takes nothing from the others."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest

from catalog.models import Category, Product
from devices.services import enroll
from syncing import log
from tests.parts import wait_until
from tests.syncing.conftest import web_process
from tests.syncing.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_oldest_ends_with_a_bookmark(web: str, listen: Callable[..., Terminal]) -> None:
    with Terminal(web, enroll(name="another till").token) as other:
        other.until("hello")
        mine = []
        for _ in range(4):
            mine.append(listen())
            mine[-1].until("hello")

        fifth = listen()

        fifth.until("hello")
        mine[0].until("bookmark")
        assert mine[0].ended.wait(10)
        product = Product.objects.create(name="Tea", price=1, category=Category.objects.create(name="Drinks"))
        for terminal in (*mine[1:], fifth, other):
            assert terminal.until("sync", resource="product").data["id"] == str(product.pk)


def test_of_streams_that_come_at_once_as_many_stay(listen: Callable[..., Terminal]) -> None:
    mine = [listen() for _ in range(7)]
    wait_until(lambda: sum(one.ended.is_set() for one in mine) >= 3, what="the end of those that are too many")

    stay = [one for one in mine if not one.ended.is_set()]
    assert len(stay) == 4
    for terminal in mine:
        terminal.until("hello" if terminal in stay else "bookmark")
    product = Product.objects.create(name="Tea", price=1, category=Category.objects.create(name="Drinks"))
    for terminal in stay:
        assert terminal.until("sync", resource="product").data["id"] == str(product.pk)


def test_streams_that_nobody_reads_are_not_replaced_for_ever(token: str) -> None:
    with web_process(STREAMS_PER_DEVICE="1") as (address, _), ExitStack() as stack:
        category = Category.objects.create(name="Drinks")
        Product.objects.bulk_create(
            Product(name=f"p{number}", price=1, category=category, description="x" * 20_000) for number in range(400)
        )
        host, _, port = address.removeprefix("http://").partition(":")
        request = f"GET /api/sync/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

        def open_and_never_read() -> socket.socket:
            wire = stack.enter_context(socket.socket())
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.settimeout(20)
            wire.connect((host, int(port)))
            wire.sendall(request)
            return wire

        first = open_and_never_read()
        assert first.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"
        with Terminal(address, enroll(name="another till").token, resources="product") as other:
            other.until("hello")
            Product.objects.update(position=1)  # 8 MB that the first doesn't read: it can't end
            other.until("sync", version=log.heads().versions["product"])
        second = open_and_never_read()
        assert second.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"

        mine = {"Authorization": f"Bearer {token}"}
        with httpx.stream("GET", f"{address}/api/sync/events", headers=mine, timeout=20) as third:
            assert third.status_code == 503
            assert third.headers["Retry-After"] == "5"
            assert b'"code":"over_capacity"' in third.read()
        stranger = {"Authorization": f"Bearer {enroll(name='another till').token}"}
        with httpx.stream("GET", f"{address}/api/sync/events", headers=stranger, timeout=20) as its:
            assert its.status_code == 200
