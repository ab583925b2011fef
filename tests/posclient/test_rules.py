"""The replica keeps every rule of docs/sync-protocol.md, as the common script has them, and whatever the order."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posclient import UnexpectedAnswer
from posclient._backoff import Backoff
from posclient._rules import Change, Fetch, Rules, Step
from tests.contracts.scripted_server import OverHttp
from tests.contracts.sync_protocol import Scenario, play, scenarios
from tests.posclient.processes import ReplicaInAProcess

E1, E2 = "0a5e1f6e-0000-4000-8000-000000000001", "0a5e1f6e-0000-4000-8000-000000000002"


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_replica_keeps_the_rules(scenario: Scenario, tmp_path: Path) -> None:
    with OverHttp(ReplicaInAProcess(tmp_path / "replica")) as terminal:
        play(scenario, terminal)


class History:
    """A server's history of one resource in memory: what it would answer, and has told."""

    def __init__(self) -> None:
        self.epoch, self.number = E1, 0
        self.log: list[Change] = []
        self.horizon = 0

    @property
    def objects(self) -> dict[str, Any]:
        held: dict[str, Any] = {}
        for change in self.log:
            if change.action == "deleted":
                held.pop(change.id, None)
            else:
                held[change.id] = change.data
        return held

    @property
    def head(self) -> int:
        return len(self.log)

    def change(self, id: str, *, delete: bool) -> None:
        self.number += 1
        data = None if delete else {"id": id, "value": self.number}
        self.log.append(Change("tag", "deleted" if delete else "updated", id, self.head + 1, data))


class Copy:
    """A terminal around the rules: answers its own questions from a history, perhaps later than it asked."""

    def __init__(self) -> None:
        self.rules = Rules(resources=("tag",))
        self.objects: dict[str, Any] = {}
        self.snapshots = 0

    def catch_up(self, server: History) -> None:
        while (wanted := self.rules.next()) is not None:
            step: Step | None
            if isinstance(wanted, Step):
                step = wanted
            elif wanted.since is None:
                self.snapshots += 1
                items = list(server.objects.values())
                step = self.rules.snapshot("tag", server.epoch, server.head, items)
            elif wanted.epoch != server.epoch or not server.horizon <= wanted.since <= server.head:
                self.rules.gone("tag", server.epoch, server.head)
                continue
            else:
                changes = server.log[wanted.since : wanted.since + 3]  # a page
                to = wanted.since + len(changes)
                step = self.rules.delta("tag", server.epoch, wanted.since, to, server.head, changes)
            if step is not None:
                self.write(step)

    def write(self, step: Step) -> None:
        if step.replaced is not None:
            self.objects = {item["id"]: item for item in step.items}
        for change in step.changes:
            if change.action == "deleted":
                self.objects.pop(change.id, None)
            elif change.data is not None:
                self.objects[change.id] = change.data


EVENTS = ["hear", "lose", "repeat", "bookmark", "reconnect", "cut", "prune", "new epoch", "crash"]
ids = st.sampled_from(["a", "b", "c"])
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("change"), ids, st.booleans()),
        st.tuples(
            st.sampled_from(["hear", "lose", "repeat", "bookmark", "reconnect", "cut", "prune", "new epoch", "crash"])
        ),
    ),
    max_size=40,
)


@given(happenings)
def test_whatever_is_lost_repeated_or_restarted_the_copy_ends_equal(events: list[tuple[Any, ...]]) -> None:
    server, copy = History(), Copy()
    heard = 0  # so much of the log went over the stream
    copy.rules.hello(server.epoch, {"tag": 0}, "0", resumed=False)
    copy.catch_up(server)
    for event in events:
        match event:
            case ("change", id, delete):
                server.change(id, delete=delete)
            case ("hear",) if heard < server.head:
                copy.rules.sync(server.log[heard], cut=True, cursor=str(heard + 1))
                heard += 1
            case ("lose",) if heard < server.head:
                heard += 1
            case ("repeat",) if heard:
                copy.rules.sync(server.log[heard - 1], cut=True, cursor=str(heard))
            case ("cut",) if heard < server.head:  # half of a batch, and then the stream breaks
                copy.rules.sync(server.log[heard], cut=False, cursor=None)
                heard = server.head
                copy.rules.hello(server.epoch, {"tag": heard}, str(heard), resumed=False)
            case ("bookmark",):
                heard = server.head
                copy.rules.bookmark(server.epoch, {"tag": heard}, str(heard))
            case ("reconnect",):
                heard = server.head
                copy.rules.hello(server.epoch, {"tag": heard}, str(heard), resumed=False)
            case ("prune",):
                server.horizon = server.head
            case ("new epoch",):
                server.epoch = E2 if server.epoch == E1 else E1
                server.log = [
                    Change("tag", "created", id, n, data) for n, (id, data) in enumerate(server.objects.items(), 1)
                ]
                server.horizon, heard = 0, server.head
                copy.rules.resync(server.epoch, {"tag": heard}, ["tag"], str(heard))
            case ("crash",):
                on_disk = copy.rules._on_disk
                copy.rules = Rules(on_disk[0], dict(on_disk[1]), on_disk[2], ("tag",))
                heard = server.head
                copy.rules.hello(server.epoch, {"tag": heard}, str(heard), resumed=False)
        copy.catch_up(server)
    copy.rules.bookmark(server.epoch, {"tag": server.head}, "end")
    copy.catch_up(server)

    assert copy.objects == server.objects
    assert copy.rules.versions == {"tag": server.head}
    assert copy.rules.is_current
    assert copy.rules.next() is None


def held(version: int = 7) -> Rules:
    return Rules(E1, {"tag": version}, "one", ("tag",))


def test_an_answer_from_before_what_was_heard_is_refused_and_asked_for_again() -> None:
    rules = held()
    rules.resync(E1, {"tag": 50}, ["tag"], "two")
    assert isinstance(rules.next(), Step)
    assert rules.next() == Fetch("tag", None, E1)

    assert rules.snapshot("tag", E1, 49, []) is None

    assert rules.next() == Fetch("tag", None, E1)
    step = rules.snapshot("tag", E1, 50, [])
    assert step is not None
    assert (step.versions, step.cursor) == ({"tag": 50}, "two")


def test_a_delta_that_does_not_begin_where_we_stand_is_refused() -> None:
    rules = held()
    rules.bookmark(E1, {"tag": 9}, "two")

    assert rules.delta("tag", E1, 5, 9, 9, []) is None
    assert rules.delta("tag", E1, 7, 7, 7, []) is None  # from before the bookmark

    assert rules.next() == Fetch("tag", 7, E1)


def test_answers_that_never_fit_end_in_a_pause() -> None:
    rules = held()
    rules.bookmark(E1, {"tag": 9}, "two")

    for _answer in range(5):
        assert rules.delta("tag", E1, 5, 9, 9, []) is None
    with pytest.raises(UnexpectedAnswer):
        rules.delta("tag", E1, 5, 9, 9, [])


def test_a_cursor_is_kept_only_once_everything_before_it_is() -> None:
    rules = Rules(E1, {"tag": 7, "zone": 3}, "one", ("tag", "zone"))
    rules.bookmark(E1, {"tag": 8, "zone": 4}, "two")

    first = rules.delta("tag", E1, 7, 8, 8, [])
    second = rules.delta("zone", E1, 3, 4, 4, [])

    assert first is not None
    assert second is not None
    assert (first.cursor, second.cursor) == ("one", "two")


def test_failures_are_spread_and_grow_and_are_forgotten_after_two_good_minutes() -> None:
    class Longest:
        def uniform(self, low: float, high: float) -> float:
            return high

    backoff = Backoff(chance=Longest())  # type: ignore[arg-type]

    waits = [backoff.failed(connected_for=0) for _failure in range(8)]

    assert waits == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]
    assert backoff.failed(connected_for=0, retry_after=5) == 35
    assert backoff.failed(connected_for=121) == 0.8
    assert backoff.failed(connected_for=119) == 1.6
    assert min(Backoff().failed(connected_for=0) for _terminal in range(200)) < 0.2  # full jitter
