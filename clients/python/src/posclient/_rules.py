"""What a terminal does with what it hears: docs/sync-protocol.md as a pure core.

No clock, no network, no disk. Whoever holds it feeds what came (``hello``, ``sync``, …, ``snapshot``, ``delta``) and
then asks ``next()`` until that is None: a ``Fetch`` is to be asked of the server, a ``Step`` to be written in one
transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ._errors import UnexpectedAnswer

Action = Literal["created", "updated", "deleted"]
Versions = dict[str, int | None]  # None: nothing is held of this resource, or what is held counts for nothing

MOST_REFUSALS = 5  # answers in a row that fit nothing, after which something between us and the server is broken


@dataclass(frozen=True, slots=True)
class Change:
    """One object, as it is after the change. ``data`` is None when it was deleted."""

    resource: str
    action: Action
    id: str
    version: int
    data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for the changes ``since`` a version of ``epoch``, or for the snapshot when that is None."""

    resource: str
    since: int | None
    epoch: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """To be written together: the changes, or all ``items`` of ``replaced``; then what is held.

    ``cursor`` is None when the stream can't be resumed from here.
    """

    epoch: str | None
    versions: Mapping[str, int | None]
    cursor: str | None
    changes: tuple[Change, ...] = ()
    replaced: str | None = None
    items: tuple[Mapping[str, Any], ...] = ()


@dataclass
class Rules:
    """What a terminal holds and has heard. ``resources``: those that it follows; None: whatever the server has."""

    epoch: str | None = None
    versions: Versions = field(default_factory=dict)
    cursor: str | None = None
    resources: Collection[str] | None = None

    _lost: set[str] = field(default_factory=set)  # to be fetched whole
    _behind: set[str] = field(default_factory=set)  # to be fetched since our version
    _known: dict[str, int] = field(default_factory=dict)  # the head, as far as the server told
    _frames: list[Change] = field(default_factory=list)
    _cut: int = 0  # so many of the frames end in a consistent state
    _heard: str | None = None  # the cursor of the last place at which nothing was pending
    _on_disk: tuple[str | None, Versions, str | None] = (None, {}, None)
    _refusals: int = 0

    def __post_init__(self) -> None:
        self._heard = self.cursor
        self._on_disk = (self.epoch, dict(self.versions), self.cursor)
        self._lost = {name for name, version in self.versions.items() if version is None}

    # --- What was heard on the stream -------------------------------------------------------------------------
    def hello(self, epoch: str, versions: Mapping[str, int], cursor: str | None, *, resumed: bool) -> None:
        """A stream begins. ``resumed``: it continues from our cursor, so older versions only mean repetition."""
        self._frames, self._cut = [], 0
        self._enter(epoch)
        for name, version in self._followed(versions):
            self._look(name, version, may_be_older=resumed)
        self._heard = cursor

    def status(self, epoch: str, versions: Mapping[str, int]) -> None:
        """The heads of the server, asked without a stream."""
        self._frames, self._cut = [], 0
        self._enter(epoch)
        for name, version in self._followed(versions):
            self._look(name, version, may_be_older=False)

    def forget(self) -> None:
        """What is held counts for nothing, though it is still shown: it has to be fetched whole."""
        self._frames, self._cut = [], 0
        self.versions = dict.fromkeys(self.versions)
        self._lost = set(self.versions)
        self._behind.clear()
        self._known.clear()
        self._heard = self.cursor = None

    def sync(self, change: Change, *, cut: bool, cursor: str | None) -> None:
        if self.resources is None or change.resource in self.resources:
            self._frames.append(change)
        if cut:
            self._cut = len(self._frames)
            self._heard = cursor

    def bookmark(self, epoch: str, versions: Mapping[str, int], cursor: str | None) -> None:
        """We have everything up to here, or else we missed something."""
        self._enter(epoch)
        self._cut = len(self._frames)
        arriving: dict[str, int] = {}
        for change in self._frames:
            arriving[change.resource] = max(change.version, arriving.get(change.resource, 0))
        for name, version in self._followed(versions):
            if version > arriving.get(name, 0):
                self._look(name, version, may_be_older=True)
        self._heard = cursor

    def resync(self, epoch: str, versions: Mapping[str, int], resources: Iterable[str], cursor: str | None) -> None:
        """These can't be continued; the stream goes on from ``versions``."""
        self._enter(epoch)
        names = {name for name in resources if self.resources is None or name in self.resources}
        self._frames = [change for change in self._frames if change.resource not in names]
        self._cut = len(self._frames)
        for name in names:
            self.versions[name] = None
            self._lost.add(name)
            self._known[name] = versions.get(name, 0)
        self._heard, self.cursor = cursor, None

    # --- What was answered ------------------------------------------------------------------------------------
    def snapshot(self, resource: str, epoch: str, version: int, items: Iterable[Mapping[str, Any]]) -> Step | None:
        """The step that replaces all of ``resource``; None when the answer is older than what we heard already."""
        self._enter(epoch)
        if version < self._known.get(resource, 0):
            self._refuse()
            return None
        self._arrived(resource, version)
        self._lost.discard(resource)
        self._behind.discard(resource)
        return self._step(replaced=resource, items=tuple(items))

    def delta(
        self, resource: str, epoch: str, since: int, to: int, head: int, changes: Iterable[Change]
    ) -> Step | None:
        """The step that continues ``resource``; None when the answer doesn't fit what is held."""
        if self._enter(epoch):
            return None
        if since != self.versions.get(resource) or to < since or (to == since and head > to):
            self._refuse()
            return None
        known = max(head, self._known.get(resource, 0))
        if to == since and known > to:  # an answer from before what we heard
            self._refuse()
            return None
        self._arrived(resource, to)
        if known <= to:
            self._behind.discard(resource)
        self._known[resource] = known
        return self._step(changes=tuple(changes))

    def gone(self, resource: str, epoch: str | None, version: int | None) -> None:
        """The changes can't be given any more (410): the whole is needed."""
        if epoch is not None:
            self._enter(epoch)
        self._behind.discard(resource)
        self._lost.add(resource)
        self.versions[resource] = None
        self._known[resource] = version or 0

    def unknown(self, resource: str) -> None:
        """The server has no such resource (404)."""
        self._lost.discard(resource)
        self._behind.discard(resource)
        self.versions.pop(resource, None)
        self._frames = [change for change in self._frames if change.resource != resource]
        self._cut = len(self._frames)

    # --- What to do -------------------------------------------------------------------------------------------
    def next(self) -> Fetch | Step | None:
        """What comes next; None: nothing until more is heard."""
        if self._is_reset():
            return self._step()
        if (fetch := self._fetch()) is not None:
            return fetch
        if self._cut:
            return self._frames_step()
        return self._step() if self._heard != self._on_disk[2] else None

    @property
    def is_current(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.epoch is not None and not (self._lost or self._behind or self._frames)

    def _fetch(self) -> Fetch | None:
        """What is known to be missing, whole resources first."""
        if self._lost:
            return Fetch(min(self._lost), None, self.epoch)
        if self._behind:
            name = min(self._behind)
            return Fetch(name, self.versions[name], self.epoch)
        return None

    def _frames_step(self) -> Fetch | Step:
        """The frames up to the last cut as one step, or what has to be fetched because one is missing among them."""
        last = dict(self.versions)
        changes: list[Change] = []
        for change in self._frames[: self._cut]:
            have = last.get(change.resource)
            if change.resource in self._behind:
                continue  # what follows the first gap is looked at again when it is filled
            if have is None:
                self._lost.add(change.resource)
                self.versions.setdefault(change.resource, None)
            elif change.version > have + 1:
                self._behind.add(change.resource)
                self._known[change.resource] = max(change.version, self._known.get(change.resource, 0))
            elif change.version == have + 1:
                last[change.resource] = change.version
                changes.append(change)
        if (fetch := self._fetch()) is not None:
            return fetch
        self._frames, self._cut = self._frames[self._cut :], 0
        self.versions = last
        return self._step(changes=tuple(changes))

    def _followed(self, versions: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        return [(name, at) for name, at in versions.items() if self.resources is None or name in self.resources]

    def _enter(self, epoch: str) -> bool:
        """Whether another history begins: then what is held counts for nothing."""
        if epoch == self.epoch:
            return False
        self.epoch = epoch
        self.forget()
        return True

    def _look(self, name: str, version: int, *, may_be_older: bool) -> None:
        have = self.versions.get(name)
        if have is None:
            self.versions[name] = None
            self._lost.add(name)
            self._known[name] = version
        elif version > have:
            self._behind.add(name)
            self._known[name] = version
        elif version < have and not may_be_older:  # the server went back, a restored backup
            self.versions[name] = None
            self._lost.add(name)
            self._known[name] = version

    def _arrived(self, resource: str, version: int) -> None:
        self.versions[resource] = version
        self._refusals = 0

    def _refuse(self) -> None:
        self._refusals += 1
        if self._refusals > MOST_REFUSALS:
            raise UnexpectedAnswer("the answers don't fit what was asked, again and again")

    def _is_reset(self) -> bool:
        """Whether something that was held counts for nothing now, and the disk doesn't know yet."""
        epoch, versions, _cursor = self._on_disk
        return epoch != self.epoch or any(
            self.versions.get(name, 0) is None for name, at in versions.items() if at is not None
        )

    def _step(
        self,
        *,
        changes: tuple[Change, ...] = (),
        replaced: str | None = None,
        items: tuple[Mapping[str, Any], ...] = (),
    ) -> Step:
        if not (self._lost or self._behind):  # else what was heard is ahead of what is held
            self.cursor = self._heard
        self._on_disk = (self.epoch, dict(self.versions), self.cursor)
        return Step(self.epoch, dict(self.versions), self.cursor, changes, replaced, items)
