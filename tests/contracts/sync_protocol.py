"""The conformance suite of the sync protocol: plays ``sync_protocol.yaml`` against any terminal.

The file says what a server sends and what a terminal is to ask and to hold; here is who plays it. What differs between
terminals is behind ``Terminal``: one that lives in this process (reference_terminal.py), or one that speaks HTTP,
whatever it is written in (scripted_server.py).

    @pytest.mark.parametrize("scenario", scenarios(), ids=str)
    def test_our_terminal_keeps_the_rules(scenario, terminal):
        play(scenario, terminal)
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

FILE = Path(__file__).with_suffix(".yaml")
STREAM = "/api/sync/events"
SECONDS = 20.0  # for what has to come; only a terminal that fails waits so long
MOST_REQUESTS = 30  # no scenario needs half of them: a terminal that asks more asks for ever

Row = dict[str, Any]


class BrokeTheRules(AssertionError):
    """The terminal did something else than the scenario says; the message names the step."""


@dataclass(frozen=True)
class Request:
    """What the terminal asks for: ``path``, ``query`` and, for a stream, the ``cursor`` from header or query."""

    path: str
    query: Mapping[str, str]
    cursor: str | None
    at: float  # by the terminal's clock
    number: int

    @classmethod
    def of(cls, target: str, *, last_event_id: str | None, at: float, number: int) -> "Request":
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        cursor = query.pop("cursor", None) or None
        return cls(url.path, query, last_event_id or cursor, at, number)

    def __str__(self) -> str:
        more = f" from {self.cursor}" if self.path == STREAM else ""
        return f"GET {self.path} {dict(self.query) or ''}{more}"


@dataclass(frozen=True)
class Answer:
    """``status`` 0 breaks the connection instead of answering."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What the terminal holds: a resource whose version it doesn't know is left out of both."""

    epoch: str | None
    versions: Mapping[str, int]
    objects: Mapping[str, Mapping[str, Row]]


class Terminal(Protocol):
    """The terminal under test and its wire. Seconds are by the clock of ``now``, which may be a made one."""

    @property
    def abilities(self) -> Collection[str]:
        """``clock``: a minute passes at once; ``polling``: it can do without a stream."""

    def start(self, resources: Sequence[str], *, stream: bool) -> None:
        """Begin, from what is on the disk: nothing the first time."""

    def crash(self) -> None:
        """Lose everything that isn't on the disk, and every connection."""

    def next_request(self, seconds: float) -> Request | None:
        """The next request, the oldest first; None when none comes within ``seconds``."""

    def answer(self, request: Request, answer: Answer) -> None: ...

    def open_stream(self, request: Request) -> None: ...

    def send(self, data: bytes) -> None:
        """On the open stream."""

    def end_stream(self) -> None: ...

    def pass_time(self, seconds: float) -> None: ...

    def wait_for(self, true: Callable[[], bool], seconds: float) -> bool:
        """Whether ``true`` became so within ``seconds``."""

    def state(self) -> State: ...

    def now(self) -> float: ...


@dataclass(frozen=True)
class Scenario:
    name: str
    rule: str  # where docs/sync-protocol.md says so
    resources: tuple[str, ...]
    stream: bool
    needs: frozenset[str]
    steps: tuple[Mapping[str, Any], ...]

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


@cache
def scenarios() -> Sequence[Scenario]:
    """All of the file, in its order."""
    contract = yaml.safe_load(FILE.read_text())
    return [
        Scenario(
            name=each["name"],
            rule=each["rule"],
            resources=tuple(each.get("resources", ("tag", "zone"))),
            stream=each.get("stream", True),
            needs=frozenset(each.get("needs", ())),
            steps=(*(contract["given"][each["given"]] if "given" in each else ()), *each["steps"]),
        )
        for each in contract["scenarios"]
    ]


def play(scenario: Scenario, terminal: Terminal) -> None:
    """Play it to its end; raises BrokeTheRules. Skips the test of a terminal that lacks an ability it needs."""
    if lacking := scenario.needs - set(terminal.abilities):
        pytest.skip(f"this terminal can't do: {', '.join(sorted(lacking))}")
    _Play(scenario, terminal).to_the_end()


@dataclass(frozen=True)
class _Expected:
    """One request of a ``fetches`` and what answers it."""

    step: Mapping[str, Any]

    def fits(self, request: Request) -> bool:
        query = {key: value for key, value in request.query.items() if key != "limit"}
        if "snapshot" in self.step:
            return request.path == f"/api/sync/{self.step['snapshot']}" and not query
        if "changes" in self.step:
            asked = {"since": str(self.step["since"]), "epoch": str(self.step["epoch"])}
            return request.path == f"/api/sync/{self.step['changes']}/changes" and query == asked
        return "status" in self.step and request.path == "/api/sync/status"

    @property
    def answer(self) -> Answer:
        if self.step.get("broken"):
            return Answer(0)
        if "refused" in self.step:
            problem = {
                "type": "about:blank",
                "title": "Refused",
                "detail": "As the script says.",
                **self.step["refused"],
            }
            return Answer(problem["status"], problem)
        given = dict(self.step["answer"])
        if "snapshot" in self.step:
            return Answer(200, {"resource": self.step["snapshot"], **given})
        if "changes" in self.step:
            whole = {"epoch": self.step["epoch"], "resource": self.step["changes"], "from": self.step["since"]}
            return Answer(200, {**whole, **given})
        return Answer(200, given)

    @property
    def is_optional(self) -> bool:
        return bool(self.step.get("optional"))

    @property
    def is_repeatable(self) -> bool:
        return self.is_optional or bool(self.step.get("repeatable"))


class _Play:
    """One run: where it is (``place``), and what may still be asked for (``standing``)."""

    def __init__(self, scenario: Scenario, terminal: Terminal) -> None:
        self.scenario, self.terminal = scenario, terminal
        self.place, self.step = 0, ""
        self.standing: list[_Expected] = []
        self.held: Request | None = None
        self.last_word = terminal.now()
        self.replies = 0

    def to_the_end(self) -> None:
        self.terminal.start(self.scenario.resources, stream=self.scenario.stream)
        for place, step in enumerate(self.scenario.steps, start=1):
            ((verb, told),) = step.items()
            self.place, self.step = place, verb
            getattr(self, f"_{verb}")(told)
        if surplus := self._unforeseen(0):
            raise self._broke(f"asked for more than it needs: {surplus}")

    def _broke(self, how: str) -> BrokeTheRules:
        return BrokeTheRules(f"“{self.scenario.name}” ({self.scenario.rule}), step {self.place} ({self.step}): {how}")

    def _unforeseen(self, seconds: float) -> Request | None:
        """The next request that isn't answered by what may still be asked for."""
        while (request := self.terminal.next_request(seconds)) is not None:
            known = next((each for each in self.standing if each.fits(request)), None)
            if known is None:
                return request
            self._reply(request, known.answer)
        return None

    def _next(self, what: str) -> Request:
        request = self._unforeseen(SECONDS)
        if request is None:
            raise self._broke(f"did not ask for {what}")
        return request

    def _reply(self, request: Request, answer: Answer) -> None:
        self.replies += 1
        if self.replies > MOST_REQUESTS:
            raise self._broke(f"asks without end: {request}")
        self.last_word = self.terminal.now()
        self.terminal.answer(request, answer)

    # --- Verbs of the file --------------------------------------------------------------------------------------
    def _connects(self, told: Mapping[str, Any]) -> None:
        request = self._next("a stream")
        if request.path != STREAM:
            raise self._broke(f"is to open the stream now, and asked: {request}")
        if told["cursor"] != "any" and request.cursor != told["cursor"]:
            raise self._broke(f"is to continue from {told['cursor']}, not from {request.cursor}")
        names = request.query.get("resources")
        if names is None or set(names.split(",")) != set(self.scenario.resources):
            raise self._broke(f"is to name its resources {self.scenario.resources}, not {names}")
        waited = request.at - self.last_word
        if waited < told.get("not_before", 0):
            raise self._broke(f"came back after {waited:.2f} s, too early")
        if "refused" in told:
            self._reply(request, _problem(told["refused"], told.get("headers")))
        elif told.get("broken"):
            self._reply(request, Answer(0))
        else:
            self.terminal.open_stream(request)

    def _frames(self, told: Sequence[Mapping[str, Any]]) -> None:
        self.terminal.send(b"".join(map(encoded, told)))
        self.last_word = self.terminal.now()

    def _ends(self, told: Any) -> None:
        self.last_word = self.terminal.now()
        self.terminal.end_stream()

    def _fetches(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Each at least once, in whatever order; what is repeatable or optional may come later, too."""
        expected = [_Expected(each) for step in told for each in _attempts(step)]
        self.standing += [each for each in expected if each.is_optional]
        open_still = [each for each in expected if not each.is_optional]
        while open_still:
            request = self.terminal.next_request(SECONDS)
            if request is None:
                raise self._broke(f"did not ask for {[dict(each.step) for each in open_still]}")
            known = next((each for each in (*open_still, *self.standing) if each.fits(request)), None)
            if known is None:
                raise self._broke(f"is to ask for {[dict(each.step) for each in open_still]}, and asked: {request}")
            if request.at - self.last_word < known.step.get("not_before", 0):
                raise self._broke(f"asked again too early: {request}")
            if known in open_still:
                open_still.remove(known)
                if known.is_repeatable:
                    self.standing.append(known)
            self._reply(request, known.answer)

    def _asks(self, told: Mapping[str, Any]) -> None:
        """One request that stays without an answer until ``answers``."""
        self.held = self._next(str(dict(told)))
        if not _Expected(told).fits(self.held):
            raise self._broke(f"is to ask for {dict(told)}, and asked: {self.held}")

    def _answers(self, told: Mapping[str, Any]) -> None:
        assert self.held is not None
        self._reply(self.held, _Expected(told).answer)
        self.held = None

    def _holds(self, told: Mapping[str, Any]) -> None:
        """It comes to hold exactly this: an epoch, and of each resource its version and its objects."""
        wanted = State(
            epoch=told["epoch"],
            versions={name: told[name]["version"] for name in self.scenario.resources},
            objects={name: {row["id"]: row for row in told[name]["items"]} for name in self.scenario.resources},
        )
        unforeseen: list[Request] = []

        def holds_it() -> bool:
            if request := self._unforeseen(0):
                unforeseen.append(request)
            return bool(unforeseen) or self.terminal.state() == wanted

        came = self.terminal.wait_for(holds_it, SECONDS)
        if unforeseen:
            raise self._broke(f"asked for what it doesn't need: {unforeseen[0]}")
        if not came:
            raise self._broke(f"is to hold\n  {wanted}\nand holds\n  {self.terminal.state()}")

    def _crashes(self, told: Any) -> None:
        self.terminal.crash()
        self.standing = []
        self.terminal.start(self.scenario.resources, stream=self.scenario.stream)

    def _passes(self, seconds: float) -> None:
        self.terminal.pass_time(seconds)

    def _rests(self, seconds: float) -> None:
        """It asks for nothing for so long."""
        if request := self._unforeseen(seconds):
            raise self._broke(f"is to ask for nothing any more, and asked: {request}")


def _problem(refused: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    body = {"type": "about:blank", "title": "Refused", "detail": "As the script says.", **refused}
    return Answer(body["status"], body, headers or {})


def _attempts(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The requests that one line of ``fetches`` stands for."""
    return [{**step, "broken": True}, step] if step.get("fails_first") else [step]


def encoded(told: Mapping[str, Any]) -> bytes:
    """A frame of the file as bytes of the stream: ``raw`` text, or ``event``, ``id`` and ``data``."""
    if "raw" in told:
        return str(told["raw"]).encode()
    retry = f"retry: {told['retry']}\n" if "retry" in told else ""
    return f"{retry}id: {told['id']}\nevent: {told['event']}\ndata: {json.dumps(told['data'])}\n\n".encode()


def frames_of(text: str) -> Iterator[tuple[str | None, str, str, int | None]]:
    """(id, event, data, retry) of each whole event in ``text``, by the rules of server-sent events."""
    key: str | None = None
    event, retry = "message", None
    data: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield key, event, "\n".join(data), retry
            event, data, retry = "message", [], None
        elif name == "id":
            key = value
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "retry":
            retry = int(value)
