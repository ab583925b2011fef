"""A terminal's replica, by the rules of docs/sync-protocol.md to the letter, in steps: a frame or a request each."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import orjson

from syncing.log import Delta, Heads, ResyncRequired, Snapshot
from tests.syncing.terminal import Frame

Steps = Iterator[None]


class Requests(Protocol):
    """What a terminal asks the server for."""

    def status(self) -> Heads: ...
    def snapshot(self, *, name: str) -> Snapshot: ...
    def delta(self, *, name: str, since: int, epoch: UUID) -> Delta: ...


class Replica:
    """``epoch``, ``versions``, ``rows`` and ``cursor`` survive a restart; what waits for its cut doesn't."""

    def __init__(self, names: Sequence[str], requests: Requests) -> None:
        self.names, self.requests = names, requests
        self.epoch: UUID | None = None
        self.versions: dict[str, int] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.cursor: str | None = None
        self.refetches = 0
        self.restart()

    def restart(self) -> None:
        """The power goes and comes back, or the connection is another one: there is only what was kept."""
        self.inbox: deque[Frame] = deque()
        self._until_cut: list[Frame] = []
        self._stream_epoch: UUID | None = None
        self._work: Steps = iter(())

    def step(self) -> bool:
        """Does one thing: sends one request, or takes one frame. False when there is nothing to do."""
        for _ in self._work:
            return True  # about to send a request
        if not self.inbox:
            return False
        self._work = self._take(self.inbox.popleft())
        return True

    def poll(self) -> None:
        """What a terminal without a stream does."""
        self._work = self._ask_status()

    def _ask_status(self) -> Steps:
        yield
        status = self.requests.status()
        if status.epoch != self.epoch:
            yield from self._refetch_everything()
        else:
            yield from self._fetch_what_is_behind(status.versions)

    def _take(self, frame: Frame) -> Steps:
        if frame.event == "sync":
            self._until_cut.append(frame)
            if frame.data["cut"]:
                yield from self._apply_cut(frame.id)
            return
        epoch = UUID(frame.data["epoch"])
        self._stream_epoch = epoch
        if epoch != self.epoch:
            self._until_cut = []
            yield from self._refetch_everything()
        elif frame.event == "resync":
            yield from self._refetch(frame.data["resources"])
        else:
            yield from self._fetch_what_is_behind(frame.data["versions"])
        self._until_cut = [one for one in self._until_cut if one.data["version"] > self.versions[one.data["resource"]]]
        if frame.event != "hello" and not self._until_cut:
            self.cursor = frame.id

    def _apply_cut(self, cursor: str) -> Steps:
        frames, self._until_cut = self._until_cut, []
        if self._stream_epoch != self.epoch:
            return  # of an older history than an answer was; a resync follows
        for frame in frames:
            name, version = frame.data["resource"], frame.data["version"]
            if version > self.versions[name] + 1:
                yield from self._fetch_changes(name)
            if version == self.versions[name] + 1:
                self._apply(name, frame.data)
                self.versions[name] = version
        self.cursor = cursor

    def _fetch_what_is_behind(self, versions: Mapping[str, int]) -> Steps:
        for name in self.names:
            if versions[name] > self.versions[name]:
                yield from self._fetch_changes(name)

    def _fetch_changes(self, name: str) -> Steps:
        while True:
            yield
            assert self.epoch is not None
            try:
                delta = self.requests.delta(name=name, since=self.versions[name], epoch=self.epoch)
            except ResyncRequired as refusal:
                if refusal.members["epoch"] != str(self.epoch):
                    yield from self._refetch_everything()
                else:
                    yield from self._refetch([name])
                return
            for change in delta.changes:
                self._apply(
                    name, {"action": change.action, "id": change.id, "data": change.data and orjson.loads(change.data)}
                )
            self.versions[name] = delta.to
            if delta.to == delta.head:
                return

    def _refetch(self, names: Sequence[str]) -> Steps:
        for name in names:
            yield
            if self._fetch_snapshot(name) != self.epoch:
                yield from self._refetch_everything()
                return

    def _refetch_everything(self) -> Steps:
        while True:
            epochs = set()
            for name in self.names:
                yield
                epochs.add(self._fetch_snapshot(name))
            if len(epochs) == 1:
                self.epoch = epochs.pop()
                return

    def _fetch_snapshot(self, name: str) -> UUID:
        self.refetches += 1
        snapshot = self.requests.snapshot(name=name)
        self.rows[name] = {row["id"]: row for row in orjson.loads(snapshot.items)}
        self.versions[name] = snapshot.version
        return snapshot.epoch

    def _apply(self, name: str, change: Mapping[str, Any]) -> None:
        if change["action"] == "deleted":
            self.rows[name].pop(change["id"], None)
        elif change["data"] is not None:
            self.rows[name][change["id"]] = change["data"]
