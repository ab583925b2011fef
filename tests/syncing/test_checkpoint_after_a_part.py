"""A stream that read a part of the log, with objects newer than what waits in its queue, and is then handed that."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection

from catalog.models import Category, Product
from syncing import log, readers
from syncing.feed import Hub, Subscription
from syncing.frames import ROWS_PER_READ
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


def test_what_was_queued_before_is_no_checkpoint(category: Category) -> None:
    other = Category.objects.create(name="Other")
    Product.objects.bulk_create(Product(name=f"p{n}", price="1", category=other) for n in range(ROWS_PER_READ))
    hub, sent = Hub(), list[bytes]()

    async def send(message: object) -> None:
        sent.append(message["body"])  # type: ignore[index]

    run_to_end(hub.read())
    stream = Stream(hub, Asked(NAMES, None), Wire(send))
    subscription = hub.subscribe(NAMES)
    stream.epoch = subscription.epoch
    stream.at = subscription.joined | {"product": subscription.joined["product"] - BEHIND}

    Product.objects.update(position=1)
    queue_what_is_new(hub, subscription)
    queued = log.heads().versions
    Product.objects.update(category=category)
    other.delete()
    newest = log.heads().versions

    run_to_end(stream.backfill(subscription))
    assert subscription.joined["product"] < stream.at["product"] < queued["product"]  # a part, of the newest state
    hand_on(stream, subscription)
    assert stream.at["product"] == queued["product"]
    assert checkpoints(sent) == []

    queue_what_is_new(hub, subscription)
    hand_on(stream, subscription)
    assert stream.at == {name: newest[name] for name in NAMES}
    assert len(checkpoints(sent)) == 1
    assert checkpoints(sent) == synced(sent)[-1:]

    Product.objects.filter(name="p1").update(position=2)
    queue_what_is_new(hub, subscription)
    hand_on(stream, subscription)
    assert checkpoints(sent)[1:] == synced(sent)[-1:]


def queue_what_is_new(hub: Hub, subscription: Subscription) -> None:
    before = len(subscription.queue)
    while not run_to_end(hub.read()):
        pass
    assert len(subscription.queue) > before


def hand_on(stream: Stream, subscription: Subscription) -> None:
    while (chunk := subscription.take()) is not None:
        run_to_end(stream.hand_on(chunk))


def synced(sent: list[bytes]) -> list[dict[str, object]]:
    lines = b"".join(sent).splitlines()
    return [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b'data: {"resource"')]


def checkpoints(sent: list[bytes]) -> list[dict[str, object]]:
    return [frame for frame in synced(sent) if frame["cut"]]
