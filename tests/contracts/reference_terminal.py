"""The rules of docs/sync-protocol.md as a terminal without a network: what it is told goes in, what it asks comes out.

Written to be read beside the page. One thing at a time: while a fetch is under way, frames wait.
"""

import random
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.sync_protocol import STREAM, Answer, Request, Row, State, frames_of

SILENCE_SECONDS = 30.0
LONGEST_BACKOFF_SECONDS = 30.0
FIRST_BACKOFF_SECONDS = 0.8


@dataclass
class Disk:
    """What survives a crash. A resource without a version has to be fetched whole."""

    epoch: str | None = None
    cursor: str | None = None
    versions: dict[str, int] = field(default_factory=dict)
    objects: dict[str, dict[str, Row]] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    id: str | None
    event: str
    data: dict[str, Any]


ENDED = Frame(None, "the end of the stream", {})


class ReferenceTerminal:
    """``asked`` is what it wants to know, oldest first; ``disk`` is what it holds.

    Whoever drives it calls ``start``, then hands in frames and answers, and calls ``tick`` when ``timer`` is due.
    """

    def __init__(self, disk: Disk, resources: Sequence[str], *, now: Callable[[], float], stream: bool = True) -> None:
        self.disk, self.names, self.now, self.listens = disk, tuple(resources), now, stream
        self.asked: deque[tuple[str, str | None]] = deque()  # target, Last-Event-ID
        self.is_fetching = False
        self.is_welcome = True
        self.ahead: dict[str, int] = {}  # versions that somebody named, and that we may not hold yet
        self.heard = False  # hello or status: before it there is nothing to compare with
        self.waiting: deque[Frame] = deque()
        self.batch: list[Frame] = []  # since the last cut
        self.retry_seconds = 1.0
        self.failures = 0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.last_byte: float | None = None

    def start(self) -> None:
        if self.listens:
            self._connect()
        else:
            self._ask("/api/sync/status")

    # --- What it asks -------------------------------------------------------------------------------------------
    def _connect(self) -> None:
        self.asked.append((f"{STREAM}?resources={','.join(self.names)}", self.disk.cursor))

    def _ask(self, target: str) -> None:
        self.is_fetching = True
        self.asked.append((target, None))

    def _missing(self) -> str | None:
        """The next thing to fetch: what it doesn't hold at all, then what it holds too old."""
        for name in self.names:
            if name not in self.disk.versions:
                return f"/api/sync/{name}"
        for name, version in self.ahead.items():
            if name in self.names and self.disk.versions[name] < version:
                return f"/api/sync/{name}/changes?since={self.disk.versions[name]}&epoch={self.disk.epoch}"
        return None

    def _go_on(self) -> None:
        while not self.is_fetching and self.is_welcome:
            if self.heard and (missing := self._missing()):
                self._ask(missing)
            elif self.waiting:
                self._take(self.waiting.popleft())
            else:
                return

    # --- What it is told ----------------------------------------------------------------------------------------
    def opened(self) -> None:
        self.last_byte = self.now()
        self.failures = 0

    def refused(self, status: int, *, retry_after: float | None = None) -> None:
        """The stream was not opened; ``status`` 0: nobody answered."""
        if status == 401:
            self.is_welcome = False
        else:
            self._later(self._backoff() if retry_after is None else retry_after, self._connect)

    def frame(self, frame: Frame, *, retry_ms: int | None = None) -> None:
        self.last_byte = self.now()
        if retry_ms is not None:
            self.retry_seconds = retry_ms / 1000
        self.waiting.append(frame)
        self._go_on()

    def ended(self) -> None:
        self.last_byte = None
        self.waiting.append(ENDED)
        self._go_on()

    def answered(self, target: str, status: int, body: Any) -> None:
        self.is_fetching = False
        path, _, _ = target.partition("?")
        name = path.split("/")[3]
        if status == 401:
            self.is_welcome = False
        elif path.endswith("/status"):
            self._status(status, body)
        elif status == 410:
            self._refetch(body["epoch"], [name])
        elif status != 200:
            self._later(self._backoff(), self._go_on_fetching)
            self.is_fetching = True  # until then
            return
        elif path.endswith("/changes"):
            self._delta(name, body)
        else:
            self._snapshot(name, body)
        self.failures = 0
        self._go_on()

    def tick(self) -> None:
        """Do what is due by now."""
        now = self.now()  # read once: what falls due between two looks would be in neither list
        due = [act for at, act in self.timers if at <= now]
        self.timers = [(at, act) for at, act in self.timers if at > now]
        for act in due:
            act()
        if self.is_silent:
            self.ended()

    @property
    def is_silent(self) -> bool:
        return self.last_byte is not None and self.now() - self.last_byte >= SILENCE_SECONDS

    # --- The rules ----------------------------------------------------------------------------------------------
    def _take(self, frame: Frame) -> None:
        data = frame.data
        if frame is ENDED:
            self.batch = []
            self._later(self.retry_seconds, self._connect)
        elif frame.event == "sync":
            self.batch.append(frame)
            if data["cut"]:
                batch, self.batch = self.batch, []
                self._apply(batch)
        elif frame.event in ("hello", "bookmark"):
            self.heard = True
            self._enter(data["epoch"])
            self.ahead |= data["versions"]
            self._keep_cursor(frame)
        elif frame.event == "resync":
            self._refetch(data["epoch"], data["resources"])
            self._keep_cursor(frame)

    def _apply(self, batch: list[Frame]) -> None:
        """Rules 1, 2, 6: up to a cut in one transaction; after a gap not before the changes are there."""
        held = dict(self.disk.versions)
        for change in batch:
            name, version = change.data["resource"], change.data["version"]
            if name in held and version > held[name] + 1:
                self.ahead[name] = version - 1
                self.waiting.extendleft(reversed(batch))
                return
            if name in held:
                held[name] = max(held[name], version)
        with self._transaction() as disk:
            for change in batch:
                name, version = change.data["resource"], change.data["version"]
                if name in self.names and version > disk.versions[name]:
                    self._put(disk, name, change.data)
                    disk.versions[name] = version
            disk.cursor = batch[-1].id

    @staticmethod
    def _put(disk: Disk, name: str, change: dict[str, Any]) -> None:
        if change["action"] == "deleted":
            disk.objects[name].pop(change["id"], None)
        elif change["data"] is not None:
            disk.objects[name][change["id"]] = change["data"]

    def _delta(self, name: str, body: dict[str, Any]) -> None:
        """Rule 3."""
        with self._transaction() as disk:
            for change in body["changes"]:
                self._put(disk, name, change)
            disk.versions[name] = body["to"]
        self.ahead[name] = body["head"]

    def _snapshot(self, name: str, body: dict[str, Any]) -> None:
        """Rule 4."""
        self._enter(body["epoch"])
        with self._transaction() as disk:
            disk.objects[name] = {row["id"]: row for row in body["items"]}
            disk.versions[name] = body["version"]

    def _enter(self, epoch: str) -> None:
        """Rule 5: in another epoch no version means anything."""
        if epoch != self.disk.epoch:
            with self._transaction() as disk:
                disk.epoch = epoch
                disk.versions = {}
            self.ahead, self.batch = {}, []

    def _refetch(self, epoch: str, names: Collection[str]) -> None:
        self._enter(epoch)
        self.batch = [change for change in self.batch if change.data["resource"] not in names]
        with self._transaction() as disk:
            for name in names:
                disk.versions.pop(name, None)
                self.ahead.pop(name, None)

    def _status(self, status: int, body: Any) -> None:
        if status == 200:
            self.heard = True
            self._enter(body["epoch"])
            self.ahead |= body["versions"]
            lost = [name for name, version in body["versions"].items() if self.disk.versions.get(name, 0) > version]
            self._refetch(body["epoch"], lost)
        else:
            with self._transaction() as disk:
                disk.versions = {}
            self._later(self._backoff(), self.start)

    def _keep_cursor(self, frame: Frame) -> None:
        if not self.batch:  # it may stand behind frames that aren't applied yet
            with self._transaction() as disk:
                disk.cursor = frame.id

    @contextmanager
    def _transaction(self) -> Iterator[Disk]:
        draft = deepcopy(self.disk)
        yield draft
        self.disk.__dict__.update(draft.__dict__)

    # --- Time ---------------------------------------------------------------------------------------------------
    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.timers.append((self.now() + seconds, act))

    def _go_on_fetching(self) -> None:
        self.is_fetching = False
        self._go_on()

    def _backoff(self) -> float:
        """Full jitter, doubled each time."""
        self.failures += 1
        return random.uniform(0, min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (self.failures - 1)))  # noqa: S311


class InThisProcess:
    """The reference terminal, for ``play``: no network, and its clock goes on only when somebody waits."""

    abilities = ("clock", "polling")

    def __init__(self, kind: type[ReferenceTerminal] = ReferenceTerminal) -> None:
        self.kind, self.disk = kind, Disk()
        self.clock = 0.0
        self.seen = 0
        self.targets: dict[int, str] = {}

    def start(self, resources: Sequence[str], *, stream: bool) -> None:
        self.terminal = self.kind(self.disk, resources, now=self.now, stream=stream)
        self.terminal.start()

    def crash(self) -> None:
        del self.terminal

    def next_request(self, seconds: float) -> Request | None:
        deadline = self.clock + seconds
        while not self.terminal.asked:
            soon = min((at for at, _ in self.terminal.timers), default=None)
            if soon is None or soon > deadline:
                self.clock = deadline
                return None
            self.clock = max(self.clock, soon)
            self.terminal.tick()
        target, cursor = self.terminal.asked.popleft()
        self.seen += 1
        self.targets[self.seen] = target
        return Request.of(target, last_event_id=cursor, at=self.clock, number=self.seen)

    def answer(self, request: Request, answer: Answer) -> None:
        if request.path == STREAM:
            wait = answer.headers.get("Retry-After")
            self.terminal.refused(answer.status, retry_after=float(wait) if wait else None)
        else:
            self.terminal.answered(self.targets[request.number], answer.status, answer.body)

    def open_stream(self, request: Request) -> None:
        self.terminal.opened()

    def send(self, data: bytes) -> None:
        for frame, retry in read(data):
            self.terminal.frame(frame, retry_ms=retry)

    def end_stream(self) -> None:
        self.terminal.ended()

    def pass_time(self, seconds: float) -> None:
        self.clock += seconds
        self.terminal.tick()

    def wait_for(self, true: Callable[[], bool], seconds: float) -> bool:
        return true()

    def state(self) -> State:
        return state_of(self.disk)

    def now(self) -> float:
        return self.clock


def read(data: bytes) -> Iterator[tuple[Frame, int | None]]:
    """The events in ``data``, and what ``retry`` each names."""
    import json

    for key, event, text, retry in frames_of(data.decode()):
        yield Frame(key, event, json.loads(text)), retry


def state_of(disk: Disk) -> State:
    held = {name: deepcopy(disk.objects.get(name, {})) for name in disk.versions}
    return State(disk.epoch, dict(disk.versions), held)
