"""What must be true of recorded streams: pure functions from a history to its faults, a line each; none when it is so.

A `History` is what one terminal was sent, stream after stream, beside what the database committed meanwhile (`Truth`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncing.cursors import Cursor
from tests.syncing.terminal import Frame

Versions = Mapping[str, int]
Rows = Mapping[str, Any]
State = dict[str, dict[str, Any]]


@dataclass
class Truth:
    """What was committed: the log, where the heads were after each commit, and the objects there.

    ``log``: (epoch, resource, version) → (action, id). ``heads``: epoch → the versions after each commit, in order.
    ``objects``: (epoch, resource, version) → id → object, for every version that was some commit's last.
    """

    log: dict[tuple[str, str, int], tuple[str, str]] = field(default_factory=dict)
    heads: dict[str, list[Versions]] = field(default_factory=dict)
    objects: dict[tuple[str, str, int], Rows] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """The frames of one stream, and the cursor it was opened with."""

    frames: Sequence[Frame]
    resumed_from: str | None = None


@dataclass(frozen=True)
class History:
    """All streams of one terminal in order. ``until``: it listened, in the last one, until it had heard of these."""

    streams: Sequence[Recorded]
    truth: Truth
    until: Versions = field(default_factory=dict)


@dataclass
class _At:
    """Where a stream stands by what it was told, frame after frame."""

    epoch: str = ""
    versions: dict[str, int] = field(default_factory=dict)


def _walk(stream: Recorded) -> Iterator[tuple[Frame, _At]]:
    """Each frame with where the stream stood before it; afterwards it stands where the frame says."""
    at = _At()
    for frame in stream.frames:
        yield frame, at
        if frame.event in ("hello", "resync"):
            at.epoch, at.versions = frame.data["epoch"], dict(frame.data["versions"])
        elif frame.event == "sync":
            at.versions[frame.data["resource"]] = frame.data["version"]


def ordered(history: History) -> list[str]:
    """A ``hello`` is first, and within a resource versions only rise until a ``resync`` says where they go on."""
    faults = []
    for stream in history.streams:
        if stream.frames and stream.frames[0].event != "hello":
            faults.append(f"a stream begins with {stream.frames[0].event}")
        for frame, at in _walk(stream):
            if frame.event == "sync" and frame.data["version"] < at.versions.get(frame.data["resource"], 0):
                faults.append(f"{_name(frame)} comes after {at.versions[frame.data['resource']]}")
    return faults


def unique(history: History) -> list[str]:
    """No stream carries a change twice, and none carries what its cursor says that the terminal has."""
    faults = []
    for stream in history.streams:
        seen: set[tuple[str, str, int]] = set()
        had = Cursor.parse(stream.resumed_from) if stream.resumed_from else None
        for frame, at in _walk(stream):
            if frame.event != "sync":
                continue
            key = (at.epoch, frame.data["resource"], frame.data["version"])
            known = had is not None and str(had.epoch) == at.epoch and key[2] <= had.versions.get(key[1], 0)
            if key in seen or known:
                faults.append(f"{_name(frame)} comes twice")
            seen.add(key)
    return faults


def dense(history: History) -> list[str]:
    """Within a resource each version is the one before plus one."""
    return [
        f"{_name(frame)} comes after {at.versions.get(frame.data['resource'])}"
        for stream in history.streams
        for frame, at in _walk(stream)
        if frame.event == "sync" and frame.data["version"] > at.versions.get(frame.data["resource"], -1) + 1
    ]


def reliable(history: History) -> list[str]:
    """Every change that was committed until ``until`` was carried or belongs to a ``resync``, and nothing else was."""
    truth, faults = history.truth, []
    covered: dict[str, int] = {}  # all up to here was carried, or is to be refetched
    for stream in history.streams:
        for frame, at in _walk(stream):
            if frame.event == "sync":
                name, version = frame.data["resource"], frame.data["version"]
                committed = truth.log.get((at.epoch, name, version))
                if committed != (frame.data["action"], frame.data["id"]):
                    faults.append(f"{_name(frame)} was committed as {committed}")
                if version == covered.get(name, version - 1) + 1:
                    covered[name] = version
            elif frame.event == "resync":
                covered |= {name: frame.data["versions"][name] for name in frame.data["resources"]}
            elif frame.event == "hello" and stream.resumed_from is None:
                covered = dict(frame.data["versions"])
    for name, version in history.until.items():
        if name in covered and covered[name] < version:
            faults.append(f"{name} {covered[name] + 1} to {version} never came")
    return faults


def resumable(history: History) -> list[str]:
    """A stream goes on from its cursor, or says why it can't and what to refetch, and says so only when it is so."""
    faults = []
    for stream in history.streams:
        if not stream.resumed_from or not stream.frames:
            continue
        cursor, hello = Cursor.parse(stream.resumed_from), stream.frames[0]
        epoch = hello.data["epoch"]
        refetched: dict[str, str] = {}
        for frame in stream.frames[1:]:
            if frame.event != "resync":
                break
            for name in frame.data["resources"]:  # the first says why it could not go on; a new history may follow
                refetched.setdefault(name, frame.data["reason"])
        for name, version in hello.data["versions"].items():
            had = cursor.versions.get(name, version)
            reason = refetched.get(name)
            if str(cursor.epoch) != epoch:
                if reason != "epoch":
                    faults.append(f"{name} goes on from another history")
            elif reason in ("horizon", "cursor"):
                continue
            elif reason == "ahead":
                if had <= version:
                    faults.append(f"{name} {had} is not ahead of {version}")
            elif version != had:  # a new history may have begun right after the hello: that is no excuse
                faults.append(f"{name} goes on from {version}, its cursor is at {had}")
    return faults


def bookmark_true(history: History) -> list[str]:
    """What a frame says or its cursor names was carried: it neither overtakes a change nor is ahead of the log."""
    faults = []
    for stream in history.streams:
        for frame, at in _walk(stream):
            told = at.versions
            if frame.event == "sync":
                told = {**told, frame.data["resource"]: frame.data["version"]}
            elif frame.event == "hello":
                told = frame.data["versions"]
            elif frame.event == "resync":
                told = {**told, **{name: frame.data["versions"][name] for name in frame.data["resources"]}}
            cursor = Cursor.parse(frame.id)
            if dict(cursor.versions) != told:
                faults.append(f"the cursor of {_name(frame)} is at {dict(cursor.versions)}, the stream at {told}")
            if frame.event in ("bookmark", "resync") and frame.data["versions"] != told:
                faults.append(f"a {frame.event} says {frame.data['versions']}, the stream is at {told}")
            if frame.event == "bookmark" and frame.data["epoch"] != at.epoch:
                faults.append(f"a bookmark is of {frame.data['epoch']}, the stream of {at.epoch}")
            committed = history.truth.heads.get(str(cursor.epoch))
            if committed is None:
                faults.append(f"{_name(frame)} is of a history that never was")
            else:
                ahead = [name for name, version in cursor.versions.items() if version > committed[-1][name]]
                faults += [f"the cursor of {_name(frame)} is ahead of the log in {name}" for name in ahead]
    return faults


def cut_true(history: History) -> list[str]:
    """A terminal that applies everything up to a cut holds what one commit left in the database, in all resources."""
    truth, faults = history.truth, []
    held_at: dict[str, State] = {}  # by cursor, for those that a stream was opened with
    wanted = {stream.resumed_from for stream in history.streams}
    for stream in history.streams:
        state = {name: dict(rows) for name, rows in held_at.get(stream.resumed_from or "", {}).items()}
        for frame, at in _walk(stream):
            data = frame.data
            if frame.event == "hello" and not state:
                state = {name: _rows(truth, data["epoch"], name, at_) for name, at_ in data["versions"].items()}
            elif frame.event == "resync":
                for name in data["resources"]:
                    state[name] = _rows(truth, data["epoch"], name, data["versions"][name])
            elif frame.event == "sync":
                _apply(state.setdefault(data["resource"], {}), data)
                if data["cut"]:
                    faults += _cut_faults(truth, at, frame, state)
            if frame.id in wanted:
                held_at[frame.id] = {name: dict(rows) for name, rows in state.items()}
    return faults


def _cut_faults(truth: Truth, at: _At, frame: Frame, state: State) -> list[str]:
    here = {**at.versions, frame.data["resource"]: frame.data["version"]}
    if not any(all(heads[name] == here[name] for name in here) for heads in truth.heads.get(at.epoch, [])):
        return [f"{_name(frame)} is called a cut, but no commit left {here}"]
    return [
        f"at the cut {_name(frame)} the terminal holds another {name} than the database had"
        for name, version in here.items()
        if state.get(name) != truth.objects[at.epoch, name, version]
    ]


def _apply(rows: dict[str, Any], data: Mapping[str, Any]) -> None:
    if data["action"] == "deleted":
        rows.pop(data["id"], None)
    elif data["data"] is not None:
        rows[data["id"]] = data["data"]


def _rows(truth: Truth, epoch: str, name: str, version: int) -> dict[str, Any]:
    """What a refetch brings; nothing when that version was passed inside a transaction and no one could fetch it."""
    return dict(truth.objects.get((epoch, name, version), {}))


def _name(frame: Frame) -> str:
    if frame.event != "sync":
        return frame.event
    return f"{frame.data['resource']} {frame.data['version']}"


VALIDATORS: tuple[Callable[[History], list[str]], ...] = (
    ordered,
    unique,
    dense,
    reliable,
    resumable,
    bookmark_true,
    cut_true,
)


def faults(history: History) -> dict[str, list[str]]:
    """The faults that each validator finds, by its name; empty when the history is good."""
    found = {validator.__name__: validator(history) for validator in VALIDATORS}
    return {name: lines for name, lines in found.items() if lines}
