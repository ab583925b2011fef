"""Four bugs that etcd's watches had, each with its schedule: here nothing is missed, and nothing false is said."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from catalog.models import Zone
from syncing import epochs, feed, log
from syncing.models import SyncedResource
from syncing.retention import delete_below_horizon
from tests.syncing.histories import History, Recorded, faults
from tests.syncing.recorder import Recorder
from tests.syncing.simulation import Process, Turnstile, Wire, alone, read_through

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("zone",)


@dataclass
class Scene:
    """A process whose reads wait at ``turnstile`` when told to, and what was committed."""

    process: Process
    turnstile: Turnstile
    recorder: Recorder

    def listen(self, cursor: str | None = None) -> Wire:
        return self.process.connect(NAMES, cursor)

    def write(self, zone: Zone) -> int:
        zone.position += 1
        zone.save()
        return self.recorder.note().versions["zone"]

    def versions(self, wire: Wire) -> list[int]:
        return [frame.data["version"] for frame in wire.frames if frame.event == "sync"]

    def prune_to(self, horizon: int) -> None:
        SyncedResource.objects.filter(name="zone").update(horizon=horizon)
        delete_below_horizon("zone")

    def is_true(self, *wires: Wire) -> bool:
        """No validator finds a fault in what these, one terminal's streams in order, were sent."""
        streams = [Recorded(wire.frames, wire.cursor) for wire in wires]
        found = faults(History(streams, self.recorder.truth, until={"zone": log.heads().versions["zone"]}))
        assert found == {}
        return True


@pytest.fixture
def scene(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Scene]]:
    """Makes the scene, in the thread of the test."""
    turnstile, processes = Turnstile(), list[Process]()
    read_through(turnstile, monkeypatch)

    def make() -> Scene:
        epochs.begin()
        processes.append(Process(turnstile))
        return Scene(processes[0], turnstile, Recorder(NAMES))

    yield make
    for process in processes:
        process.loop.close()


def subscriptions(process: Process) -> list[feed.Subscription]:
    return [subscription for group in process.hub.groups.values() for subscription in group.members]


@alone
def test_a_reader_that_starves_loses_no_event(
    scene: Callable[[], Scene], monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    """etcd #17529: a slow watcher that was moved aside and caught up later never got what came in between."""
    monkeypatch.setattr(feed, "QUEUE_BYTES", 800)
    at, zone = scene(), Zone.objects.create(name="Bar")
    wire = at.listen()
    first = wire.frames[0].data["versions"]["zone"]
    wire.stall(stalled=True)
    for _ in range(8):
        at.write(zone)
        at.process.ring()
    assert [one.overflowed for one in subscriptions(at.process)] == [True], "the fault fired: its queue was full"

    at.turnstile.is_open = False
    wire.stall(stalled=False)
    at.process.until_idle()
    at.turnstile.let_one_read()  # it looks at the log, and before it joins the others again more is committed
    at.write(zone)
    at.process.ring()
    at.turnstile.is_open = True
    at.process.until_idle()
    last = at.write(zone)
    at.process.ring()

    assert at.versions(wire) == list(range(first + 1, last + 1))
    assert at.is_true(wire)
    at.process.stop(gracefully=False)


@alone
def test_a_deletion_survives_a_prune_that_ends_right_before_it(
    scene: Callable[[], Scene], transactional_db: None
) -> None:
    """etcd #18089: a watch from the compacted revision on lost the deletion that stood there."""
    at, zone = scene(), Zone.objects.create(name="Bar")
    key, wire = str(zone.pk), at.listen()
    stands = at.write(zone)
    at.process.ring()
    left = wire.frames[-1].id
    at.process.disconnect(wire)
    zone.delete()
    at.recorder.note()
    at.prune_to(stands)

    again = at.listen(left)

    assert [frame.event for frame in again.frames] == ["hello", "sync"]
    assert (again.frames[1].data["action"], again.frames[1].data["id"]) == ("deleted", key)
    assert at.is_true(wire, again)
    epoch = log.heads().epoch
    assert [entry.action for entry in log.delta(name="zone", since=stands, epoch=epoch, limit=9).changes] == ["deleted"]
    at.process.stop(gracefully=False)


@pytest.mark.parametrize("where", ["away", "behind a slow hub"])
@alone
def test_a_deletion_that_was_pruned_is_a_resync_and_never_silence(
    scene: Callable[[], Scene], transactional_db: None, where: str
) -> None:
    """etcd #19179: a watch that met a compaction on its way went on, without the deletion and without an error."""
    at, zone = scene(), Zone.objects.create(name="Bar")
    wire = at.listen()
    stands = at.write(zone)
    at.process.ring()
    if where == "away":
        at.process.disconnect(wire)
    zone.delete()
    head = at.recorder.note().versions["zone"]
    assert head == stands + 1
    at.prune_to(head)
    at.process.ring()

    streams = [wire] if where != "away" else [wire, at.listen(wire.frames[-1].id)]

    resync = streams[-1].frames[-1]
    assert (resync.event, resync.data["reason"], resync.data["resources"]) == ("resync", "horizon", ["zone"])
    assert resync.data["versions"] == {"zone": head}
    assert at.is_true(*streams)
    with pytest.raises(log.ResyncRequired) as refusal:
        log.delta(name="zone", since=stands, epoch=log.heads().epoch, limit=9)
    assert refusal.value.members["reason"] == "horizon"
    at.process.stop(gracefully=False)


@alone
def test_a_cursor_ahead_of_the_head_is_told_so_and_hears_what_comes(
    scene: Callable[[], Scene], transactional_db: None
) -> None:
    """etcd #20221: a watch from a future revision got old events, or none until the head had passed it."""
    at, zone = scene(), Zone.objects.create(name="Bar")
    at.write(zone)
    heads = at.recorder.note()
    head = heads.versions["zone"]
    ahead = f"{heads.epoch.hex}:zone.{head + 5}"

    wire = at.listen(ahead)
    last = [at.write(zone) for _ in range(7)][-1]  # past where the cursor was
    at.process.ring()

    assert [frame.event for frame in wire.frames[:2]] == ["hello", "resync"]
    assert wire.frames[1].data["reason"] == "ahead"
    assert wire.frames[0].data["versions"] == wire.frames[1].data["versions"] == {"zone": head}
    assert at.versions(wire) == list(range(head + 1, last + 1))
    with pytest.raises(log.ResyncRequired) as refusal:
        log.delta(name="zone", since=last + 1, epoch=heads.epoch, limit=9)
    assert refusal.value.members["reason"] == "ahead"
    at.process.stop(gracefully=False)


@pytest.mark.parametrize("where", ["in the queue", "on its way from the database", "unread"])
@alone
def test_a_bookmark_never_overtakes_a_change(scene: Callable[[], Scene], transactional_db: None, where: str) -> None:
    """etcd #15220: a progress mark named a revision whose events were still on their way."""
    at, zone = scene(), Zone.objects.create(name="Bar")
    wire = at.listen()
    first = wire.frames[0].data["versions"]["zone"]
    at.process.hub.bookmark_the_idle()  # what came with the connection is behind us
    at.process.until_idle()
    if where == "in the queue":
        wire.stall(stalled=True)
        for _ in range(3):
            at.write(zone)
            at.process.ring()
        at.process.hub.bookmark_the_idle()  # once for what was busy, once as an idle one
    else:
        at.write(zone)
    if where == "on its way from the database":
        at.turnstile.is_open = False
        at.process.ring()
        assert at.turnstile.let_one_read(), "the fault fired: the hub has looked and hasn't heard"
    at.process.hub.bookmark_the_idle()
    at.process.until_idle()
    wire.stall(stalled=False)
    at.turnstile.is_open = True
    at.process.ring()

    events = [(frame.event, frame.data.get("version", frame.data.get("versions"))) for frame in wire.frames[2:]]
    if where == "in the queue":
        assert events == [*(("sync", first + n) for n in (1, 2, 3)), ("bookmark", {"zone": first + 3})]
    else:
        assert events == [("bookmark", {"zone": first}), ("sync", first + 1)]
    assert at.is_true(wire)
    at.process.stop(gracefully=False)
