"""A reader too slow for its queue is neither dropped nor told less: it reads the log from its own cursor."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from catalog.models import Category, Product
from syncing import log
from tests.syncing.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, PRODUCTS = 8, 400


@contextmanager
def stalled(web: str, token: str) -> Iterator[socket.socket]:
    """A connection that has asked for the stream and reads nothing; its socket takes only little."""
    host, _, port = web.removeprefix("http://").partition(":")
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.settimeout(20)
        wire.connect((host, int(port)))
        wire.sendall(
            f"GET /api/sync/events?resources=product HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        yield wire


def read_versions(wire: socket.socket, until: int) -> list[int]:
    """The versions of the sync frames that come, until that of ``until``."""
    versions: list[int] = []
    for line in wire.makefile("rb"):
        if line.startswith(b'data: {"resource"'):
            versions.append(json.loads(line[6:])["version"])
            if versions[-1] >= until:
                break
    return versions


def test_a_stalled_reader_gets_every_version_once_and_holds_nobody_up(web: str, token: str, category: Category) -> None:
    Product.objects.bulk_create(
        Product(name=f"p{n}", price="1", category=category, description="x" * 3000) for n in range(PRODUCTS)
    )
    with stalled(web, token) as slow, Terminal(web, token, resources="product") as quick:
        first = quick.until("hello").data["versions"]["product"]
        for place in range(1, ROUNDS + 1):
            Product.objects.update(position=place)
        head = log.heads().versions["product"]
        assert head == first + ROUNDS * PRODUCTS
        quick.until("sync", version=head, seconds=60)
        assert [frame["version"] for frame in quick.synced()] == list(range(first + 1, head + 1))
        assert read_versions(slow, until=head) == list(range(first + 1, head + 1))
