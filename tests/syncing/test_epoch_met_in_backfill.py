"""A stream that meets a new history in its backfill, and then hears of it from the hub too."""

from uuid import UUID, uuid4

import pytest

from syncing.cursors import Cursor
from syncing.feed import Chunk, Hub
from syncing.frames import Encoded, bookmark, resyncs
from syncing.log import Batch, Entry, Heads, Reason
from syncing.stream import Asked, Stream
from syncing.wire import Wire
from tests.parts import run_to_end

OLD, NEW = uuid4(), uuid4()


@pytest.fixture
def sent() -> list[bytes]:
    return []


@pytest.fixture
def stream(sent: list[bytes]) -> Stream:
    """One that has read the new history up to version 7 of products."""

    async def send(message: object) -> None:
        sent.append(message["body"])  # type: ignore[index]

    stream = Stream(Hub(), Asked(("product",), None), Wire(send))
    stream.epoch, stream.at = NEW, {"product": 7}
    return stream


def beginning(version: int) -> Chunk:
    to = {"product": version}
    return Chunk({}, to, resyncs(Cursor(NEW, to), {"product": Reason.EPOCH}), NEW, begins_epoch=True)


def change(version: int, epoch: UUID) -> Chunk:
    heads = Heads(epoch, {"product": version}, {"product": 0})
    batch = Batch(heads, {"product": version}, [Entry("product", version, "updated", str(uuid4()), None)])
    encoded = Encoded.of(batch)
    data, to = encoded.frames({"product": version - 1}, {})
    return Chunk({"product": version - 1}, to, data, epoch, encoded)


def hand_on(stream: Stream, *chunks: Chunk) -> None:
    async def all_of_them() -> None:
        for chunk in chunks:
            await stream.hand_on(chunk)

    run_to_end(all_of_them())


def test_a_hub_that_sees_the_epoch_later_than_the_stream_leaves_no_gap(stream: Stream, sent: list[bytes]) -> None:
    hand_on(stream, beginning(9), change(10, NEW))  # 8 and 9 were committed between the stream's look and the hub's

    assert stream.at == {"product": 10}
    assert [frame.split(b"\n")[1] for frame in sent] == [b"event: resync", b"event: sync"]
    assert b'"versions":{"product":9}' in sent[0]


def test_a_hub_that_sees_the_epoch_earlier_tells_the_stream_nothing_twice(stream: Stream, sent: list[bytes]) -> None:
    hand_on(stream, beginning(6), change(7, NEW), change(8, NEW))

    assert stream.at == {"product": 8}
    assert [b'"version":8' in frame for frame in sent] == [True]


def test_what_was_queued_of_the_old_history_is_not_handed_on(stream: Stream, sent: list[bytes]) -> None:
    at = {"product": 7}
    hand_on(stream, Chunk(at, at, bookmark(Cursor(OLD, at)), OLD), change(8, OLD), beginning(7))

    assert sent == []
    assert (stream.epoch, stream.at) == (NEW, at)
