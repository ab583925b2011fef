"""The validators of recorded streams find what they are for: each fails on a history that breaks its rule."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from syncing.cursors import Cursor
from tests.syncing import histories
from tests.syncing.histories import History, Recorded, Truth, faults
from tests.syncing.terminal import Frame

EPOCH, NEXT = UUID(int=1), UUID(int=2)
NAMES = ("table", "zone")


def at(zone: int, table: int, epoch: UUID = EPOCH) -> str:
    return str(Cursor(epoch, {"table": table, "zone": zone}))


def hello(zone: int, table: int, epoch: UUID = EPOCH) -> Frame:
    data = {"epoch": str(epoch), "versions": {"table": table, "zone": zone}}
    return Frame(at(zone, table, epoch), "hello", data)


def bookmark(zone: int, table: int, epoch: UUID = EPOCH) -> Frame:
    return replace(hello(zone, table, epoch), event="bookmark")


def resync(zone: int, table: int, *, reason: str, of: tuple[str, ...] = NAMES, epoch: UUID = EPOCH) -> Frame:
    frame = hello(zone, table, epoch)
    return replace(frame, event="resync", data={**frame.data, "resources": list(of), "reason": reason})


def sync(cursor: str, resource: str, action: str, name: str, *, cut: bool) -> Frame:
    version = Cursor.parse(cursor).versions[resource]
    data = None if action == "deleted" else {"id": name}
    fields = {"resource": resource, "action": action, "id": name, "version": version, "data": data, "cut": cut}
    return Frame(cursor, "sync", fields)


def truth() -> Truth:
    """Three commits of one history: a zone with its table; another zone; the table goes. Then a new history begins."""
    bar, yard, table = ({"id": name} for name in ("bar", "yard", "t1"))
    epoch = str(EPOCH)
    return Truth(
        log={
            (epoch, "zone", 1): ("created", "bar"),
            (epoch, "table", 1): ("created", "t1"),
            (epoch, "zone", 2): ("created", "yard"),
            (epoch, "table", 2): ("deleted", "t1"),
        },
        heads={
            epoch: [{"zone": z, "table": t} for z, t in ((0, 0), (1, 1), (2, 1), (2, 2))],
            str(NEXT): [{"zone": 2, "table": 2}],
        },
        objects={
            (epoch, "zone", 0): {},
            (epoch, "table", 0): {},
            (epoch, "zone", 1): {"bar": bar},
            (epoch, "table", 1): {"t1": table},
            (epoch, "zone", 2): {"bar": bar, "yard": yard},
            (epoch, "table", 2): {},
            (str(NEXT), "zone", 2): {"bar": bar, "yard": yard},
            (str(NEXT), "table", 2): {},
        },
    )


TABLE = sync(at(0, 1), "table", "created", "t1", cut=False)
BAR = sync(at(1, 1), "zone", "created", "bar", cut=True)
YARD = sync(at(2, 1), "zone", "created", "yard", cut=True)
GONE = sync(at(2, 2), "table", "deleted", "t1", cut=True)


def history(*streams: Recorded) -> History:
    return History(streams, truth(), until={"zone": 2, "table": 2})


def stream(*frames: Frame, resumed_from: str | None = None) -> Recorded:
    return Recorded(frames, resumed_from)


GOOD = {
    "one stream": history(stream(hello(0, 0), TABLE, BAR, bookmark(1, 1), YARD, GONE, bookmark(2, 2))),
    "resumed": history(
        stream(hello(0, 0), TABLE, BAR),
        stream(hello(1, 1), YARD, bookmark(2, 1), resumed_from=BAR.id),
        stream(hello(2, 1), GONE, resumed_from=YARD.id),
    ),
    "resumed between two cuts": history(
        stream(hello(0, 0), TABLE), stream(hello(0, 1), BAR, YARD, GONE, resumed_from=TABLE.id)
    ),
    "below the horizon": history(
        stream(hello(0, 0), TABLE, BAR),
        stream(hello(2, 1), resync(2, 1, reason="horizon", of=("zone",)), GONE, resumed_from=BAR.id),
    ),
    "below the horizon, and a new history right after": history(
        stream(hello(0, 0), TABLE, BAR),
        stream(
            hello(2, 1),
            resync(2, 1, reason="horizon", of=("zone",)),
            resync(2, 2, reason="epoch", epoch=NEXT),
            resumed_from=BAR.id,
        ),
    ),
    "a new history": history(
        stream(hello(0, 0), TABLE, BAR, resync(2, 2, reason="epoch", epoch=NEXT), bookmark(2, 2, NEXT)),
        stream(hello(2, 2, NEXT), resumed_from=at(2, 2, NEXT)),
    ),
    "a cursor of an old history": history(
        stream(hello(0, 0), TABLE, BAR),
        stream(hello(2, 2, NEXT), resync(2, 2, reason="epoch", epoch=NEXT), resumed_from=BAR.id),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_has_no_faults(name: str) -> None:
    assert faults(GOOD[name]) == {}


BAD: list[tuple[str, Callable[[History], list[str]], History]] = [
    ("a later change first", histories.ordered, history(stream(hello(0, 0), TABLE, YARD, BAR, GONE))),
    ("no hello", histories.ordered, history(stream(TABLE, BAR, YARD, GONE))),
    ("a change twice in a stream", histories.unique, history(stream(hello(0, 0), TABLE, BAR, BAR, YARD, GONE))),
    (
        "a change again that the cursor names",
        histories.unique,
        history(stream(hello(0, 0), TABLE, BAR), stream(hello(0, 1), BAR, YARD, GONE, resumed_from=BAR.id)),
    ),
    ("a hole", histories.dense, history(stream(hello(0, 0), TABLE, YARD, GONE))),
    ("an end too early", histories.reliable, history(stream(hello(0, 0), TABLE, BAR, YARD))),
    (
        "a change lost between two streams",
        histories.reliable,
        history(stream(hello(0, 0), TABLE, BAR), stream(hello(2, 1), GONE, resumed_from=BAR.id)),
    ),
    (
        "a deletion that comes as another change",
        histories.reliable,
        history(stream(hello(0, 0), TABLE, BAR, YARD, sync(at(2, 2), "table", "updated", "t1", cut=True))),
    ),
    (
        "a stream that goes on further ahead than its cursor",
        histories.resumable,
        history(stream(hello(0, 0), TABLE, BAR), stream(hello(2, 1), GONE, resumed_from=BAR.id)),
    ),
    (
        "a stream that goes on from another history and doesn't say so",
        histories.resumable,
        history(stream(hello(0, 0), TABLE, BAR), stream(hello(2, 2, NEXT), resumed_from=BAR.id)),
    ),
    (
        "a stream that goes on from elsewhere, just before a new history",
        histories.resumable,
        history(
            stream(hello(0, 0), TABLE, BAR),
            stream(hello(2, 1), resync(2, 2, reason="epoch", epoch=NEXT), resumed_from=BAR.id),
        ),
    ),
    (
        "a terminal called ahead that isn't",
        histories.resumable,
        history(
            stream(hello(0, 0), TABLE, BAR),
            stream(hello(2, 1), resync(2, 1, reason="ahead"), GONE, resumed_from=BAR.id),
        ),
    ),
    (
        "a bookmark that overtakes a change",
        histories.bookmark_true,
        history(stream(hello(0, 0), TABLE, BAR, bookmark(2, 1), YARD, GONE)),
    ),
    (
        "a bookmark that falls behind",
        histories.bookmark_true,
        history(stream(hello(0, 0), TABLE, BAR, YARD, bookmark(1, 1), GONE)),
    ),
    (
        "a cursor that overtakes its change",
        histories.bookmark_true,
        history(stream(hello(0, 0), replace(TABLE, id=at(1, 1)), BAR, YARD, GONE)),
    ),
    (
        "a cursor ahead of the log",
        histories.bookmark_true,
        history(stream(hello(0, 0), TABLE, BAR, YARD, GONE), stream(hello(2, 3), resumed_from=at(2, 3))),
    ),
    (
        "a resync that skips what it doesn't name",
        histories.bookmark_true,
        history(stream(hello(0, 0), TABLE, BAR, resync(2, 2, reason="horizon", of=("zone",)))),
    ),
    (
        "a cut inside a transaction",
        histories.cut_true,
        history(stream(hello(0, 0), sync(at(0, 1), "table", "created", "t1", cut=True), BAR, YARD, GONE)),
    ),
    (
        "a cut with an object of another moment",
        histories.cut_true,
        history(
            stream(hello(0, 0), TABLE, replace(BAR, data={**BAR.data, "data": {"id": "bar", "open": 1}}), YARD, GONE)
        ),
    ),
]


@pytest.mark.parametrize(("name", "validator", "bad"), BAD, ids=[name for name, _, _ in BAD])
def test_a_bad_history_is_found_by_the_validator_of_its_rule(
    name: str, validator: Callable[[History], list[str]], bad: History
) -> None:
    assert validator(bad), name
    assert validator.__name__ in faults(bad)


def test_every_validator_has_a_history_that_breaks_its_rule() -> None:
    assert {validator for _, validator, _ in BAD} == set(histories.VALIDATORS)
