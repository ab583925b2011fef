"""`rules.js` is posclient's `_rules`: whatever is heard and answered, both want the same fetches and the same steps."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posclient import UnexpectedAnswer
from posclient._rules import Change, Fetch, Rules, Step
from tests.browser.library.conftest import Node

HISTORIES = 5000
EPOCHS = ("0a5e1f6e-0000-4000-8000-000000000001", "0a5e1f6e-0000-4000-8000-000000000002")
NAMES = ("tag", "zone", "robot")  # the terminal may follow the first two only


class Choices:
    """Bytes as a row of choices: hypothesis draws them at once and shrinks them well. Then comes the first of each."""

    def __init__(self, data: bytes) -> None:
        self.left = iter(data)
        self.is_over = False

    def number(self, below: int) -> int:
        number = next(self.left, None)
        self.is_over = number is None
        return (number or 0) % below

    def one(self, *of: Any) -> Any:
        return of[self.number(len(of))]

    def epoch(self) -> str:
        return self.one(EPOCHS[0], EPOCHS[0], EPOCHS[1])

    def cursor(self) -> str | None:
        return self.one(None, "a", "b", "c")

    def heads(self) -> dict[str, int]:
        return {name: self.number(7) for name in NAMES if self.number(4)}

    def row(self) -> dict[str, Any]:
        return {"id": self.one(*"xyz"), "value": self.number(7)}

    def change(self) -> dict[str, Any]:
        action, row = self.one("created", "updated", "deleted"), self.row()
        data = None if action == "deleted" or not self.number(5) else row
        version = self.number(7)
        return {"resource": self.one(*NAMES), "action": action, "id": row["id"], "version": version, "data": data}

    def held(self) -> dict[str, Any]:
        return {
            "epoch": self.one(None, *EPOCHS),
            "versions": {name: self.one(None, 0, 1, 2, 3) for name in NAMES if self.number(2)},
            "cursor": self.cursor(),
            "resources": self.one(None, ["tag", "zone"]),
        }

    def event(self) -> tuple[Any, ...]:
        """Something heard, or an answer: from a well-behaved server, or from one that is out of its mind."""
        match self.number(13):
            case 0 | 1 | 2:
                return "sync", self.change(), bool(self.number(2)), self.cursor()
            case 3:
                return "hello", self.epoch(), self.heads(), self.cursor(), bool(self.number(2))
            case 4:
                return "status", self.epoch(), self.heads()
            case 5:
                return "bookmark", self.epoch(), self.heads(), self.cursor()
            case 6:
                named = [name for name in NAMES if self.number(2)]
                return "resync", self.epoch(), self.heads(), named, self.cursor()
            case 7:
                return self.one(("forget",), ("unknown",))
            case 8 | 9:
                rows = [self.row() for _ in range(self.number(3))]
                return "snapshot", self.one(None, None, *EPOCHS), self.number(5), rows
            case 10 | 11:
                changes = [self.change() for _ in range(self.number(3))]
                return "delta", self.one(None, None, *EPOCHS), self.number(5) - 1, self.number(7), changes
            case _:
                return "gone", self.one(None, *EPOCHS), self.one(None, 0, 3)


class Played:
    """Both sides of one history: the calls that were made of `_rules`, and what each came to."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.rules = Rules(held["epoch"], dict(held["versions"]), held["cursor"], held["resources"])
        self.wanted: Fetch | None = None
        self.calls: list[list[Any]] = []
        self.outcomes: list[Any] = []

    def happen(self, event: tuple[Any, ...]) -> None:
        for call in self.calls_of(*event):
            self.call(*call)
        for _ in range(10):  # and then what is left to do, until something has to be fetched
            wanted = self.call("next")
            self.wanted = wanted if isinstance(wanted, Fetch) else None
            if not isinstance(wanted, Step):
                break

    def calls_of(self, name: str, *of: Any) -> Iterator[tuple[Any, ...]]:
        """What an event is for the rules; an answer is one to what they want."""
        if name not in ("snapshot", "delta", "gone", "unknown"):
            yield (name, *of)
        elif self.wanted is not None:
            resource, epoch = self.wanted.resource, (of[0] if of else None) or self.rules.epoch
            match name:
                case "snapshot" if epoch and self.wanted.since is not None:  # it asked for changes: these are none
                    yield "delta", resource, epoch, self.wanted.since, self.wanted.since + of[1], of[1] + 2, []
                case "snapshot" if epoch:
                    yield name, resource, epoch, of[1] + self.rules._known.get(resource, 0) - 1, of[2]
                case "delta" if epoch and self.wanted.since is not None:
                    to = self.wanted.since + of[1]
                    yield name, resource, epoch, self.wanted.since, to, max(to, of[2]), of[3]
                case "gone":
                    yield name, resource, *of
                case "unknown":
                    yield name, resource

    def call(self, name: str, *of: Any) -> Any:
        self.calls.append([name, *of])
        came: Any
        try:
            came = self.made(name, *of)
        except UnexpectedAnswer:
            came = "unexpected"
        rules = self.rules
        self.outcomes.append([as_json(came), rules.is_current, sorted(rules._lost | rules._behind)])
        return came

    def made(self, name: str, *of: Any) -> Any:
        match name, of:
            case "sync", (change, cut, cursor):
                return self.rules.sync(Change(**change), cut=cut, cursor=cursor)
            case "hello", (*first, resumed):
                return self.rules.hello(*first, resumed=resumed)
            case "delta", (resource, epoch, since, to, head, changes):
                told = [Change(**change) for change in changes]
                return self.rules.delta(resource, epoch, since, to, head, told)
        return getattr(self.rules, name)(*of)


def as_json(came: Any) -> Any:
    match came:
        case Fetch():
            return {"kind": "fetch", **asdict(came)}
        case Step():
            plain = asdict(came)
            return {"kind": "step", **plain, "changes": list(plain["changes"]), "items": list(plain["items"])}
    return came


@pytest.fixture(scope="module")
def rules_js(node: Callable[[str], Node]) -> Node:
    return node("rules_over_pipes.js")


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=160))
def test_both_want_the_same_in_every_history(rules_js: Node, data: bytes) -> None:
    choices = Choices(data)
    held = choices.held()
    played = Played(held)
    while not choices.is_over:
        played.happen(choices.event())

    assert rules_js({"held": held, "calls": played.calls}) == played.outcomes
