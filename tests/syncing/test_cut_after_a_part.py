"""A stream that read a part of the log, with objects newer than what waits in its queue, and is then handed that."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection

from catalog.models import Category, Product
from syncing import log, readers
from syncing.feed import ROWS_PER_READ, Hub, Subscription
from syncing.stream import Asked, Stream
from syncing.wire import Wire
from tests.parts import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("category", "product")
BEHIND = 10


@pytest.fixture(autouse=True)
def the_hub_lets_go() -> Iterator[None]:
    yield
    readers.hub_thread.submit(lambda: connection.close()).result()


def test_what_was_queued_before_is_no_cut(category: Category) -> None:
    other = Category.objects.create(name="Other")
    Product.objects.bulk_create(Product(name=f"p{n}", price="1", category=other) for n in range(ROWS_PER_READ))
    hub, sent = Hub(), list[bytes]()

    async def send(message: object) -> None:
        sent.append(message["body"])  # type: ignore[index]

    run_to_end(hub._read())
    stream = Stream(hub, Asked(NAMES, None), Wire(send))
    place = hub.subscribe(NAMES, lambda chunk: False)
    stream.epoch = place.epoch
    stream.at = place.joined | {"product": place.joined["product"] - BEHIND}

    Product.objects.update(position=1)
    queue_what_is_new(hub, place)
    queued = log.heads().versions
    Product.objects.update(category=category)
    other.delete()
    newest = log.heads().versions

    run_to_end(stream._catch_up(place))
    assert place.joined["product"] < stream.at["product"] < queued["product"]  # a part, of the newest state
    hand_on(stream, place)
    assert stream.at["product"] == queued["product"]
    assert cuts(sent) == []

    queue_what_is_new(hub, place)
    hand_on(stream, place)
    assert stream.at == {name: newest[name] for name in NAMES}
    assert len(cuts(sent)) == 1
    assert cuts(sent) == synced(sent)[-1:]

    Product.objects.filter(name="p1").update(position=2)
    queue_what_is_new(hub, place)
    hand_on(stream, place)
    assert cuts(sent)[1:] == synced(sent)[-1:]


def queue_what_is_new(hub: Hub, place: Subscription) -> None:
    before = len(place.queue)
    while not run_to_end(hub._read()):
        pass
    assert len(place.queue) > before


def hand_on(stream: Stream, place: Subscription) -> None:
    while place.queue:
        run_to_end(stream._hand_on(place.queue.popleft()))


def synced(sent: list[bytes]) -> list[dict[str, object]]:
    lines = b"".join(sent).splitlines()
    return [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b'data: {"resource"')]


def cuts(sent: list[bytes]) -> list[dict[str, object]]:
    return [frame for frame in synced(sent) if frame["cut"]]
