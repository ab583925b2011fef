"""Events of a stream as bytes. A change is encoded once for all streams, and framed once for all at one cursor."""

from dataclasses import dataclass
from typing import Any

import orjson

from . import log
from .cursors import Cursor
from .log import Batch, Entry, Reason, Versions

ROWS_PER_READ = 500


def frame(event: str, data: Any, *, cursor: Cursor, retry_ms: int | None = None) -> bytes:
    """One SSE frame; ``data`` is what orjson takes, or JSON as bytes."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    retry = f"retry: {retry_ms}\n".encode() if retry_ms is not None else b""
    return b"%sid: %s\nevent: %s\ndata: %s\n\n" % (retry, str(cursor).encode(), event.encode(), body)


def hello(cursor: Cursor, *, retry_ms: int) -> bytes:
    return frame("hello", {"epoch": str(cursor.epoch), "versions": cursor.versions}, cursor=cursor, retry_ms=retry_ms)


def bookmark(cursor: Cursor) -> bytes:
    return frame("bookmark", {"epoch": str(cursor.epoch), "versions": cursor.versions}, cursor=cursor)


def resyncs(cursor: Cursor, lost: dict[str, Reason]) -> bytes:
    """A ``resync`` frame for each reason; the stream continues from ``cursor``."""
    frames = b""
    for reason in sorted(set(lost.values())):
        names = sorted(name for name in lost if lost[name] == reason)
        data = {"epoch": str(cursor.epoch), "versions": cursor.versions, "resources": names, "reason": reason}
        frames += frame("resync", data, cursor=cursor)
    return frames


def encode(entry: Entry) -> bytes:
    """The JSON of a ``sync`` event without its end, ``cut``, which isn't the same for every stream."""
    fields = {"resource": entry.resource, "action": entry.action, "id": entry.id, "version": entry.version}
    return b'%b,"data":%b' % (orjson.dumps(fields)[:-1], entry.data or b"null")


@dataclass(frozen=True)
class Encoded:
    """A batch with each change encoded once."""

    batch: Batch
    bodies: list[bytes]

    @classmethod
    def of(cls, batch: Batch) -> "Encoded":
        return cls(batch, [encode(entry) for entry in batch.entries])

    def frames(self, since: Versions, ahead: Versions) -> tuple[bytes, Versions]:
        """The frames for a stream that stands at ``since``, and where it stands after them.

        The last frame says ``cut`` when it brings the stream to a checkpoint: all of its resources are then at the
        heads of one snapshot of the database. These must not be older than ``ahead``, the heads of a newer snapshot of
        which the stream has carried a part. ``resync`` frames come first: a terminal that is told of a checkpoint has
        refetched what it needs for it.
        """
        batch, at, parts = self.batch, dict(since), []
        mine = [
            (entry, body)
            for entry, body in zip(batch.entries, self.bodies, strict=True)
            if entry.version > since.get(entry.resource, entry.version)
        ]
        lost = {name: reason for name, reason in batch.lost.items() if self._is_lost_from(since, name)}
        if lost:
            at |= {name: batch.to[name] for name in lost}
            parts.append(resyncs(Cursor(batch.heads.epoch, at), lost))
        at_checkpoint = all(batch.to[name] == batch.heads.versions[name] >= ahead.get(name, 0) for name in since)
        for number, (entry, body) in enumerate(mine, start=1):
            at[entry.resource] = entry.version
            end = b',"cut":true}' if at_checkpoint and number == len(mine) else b',"cut":false}'
            parts.append(frame("sync", body + end, cursor=Cursor(batch.heads.epoch, at)))
        return b"".join(parts), at

    def _is_lost_from(self, since: Versions, name: str) -> bool:
        """A stream that did its own backfill may be past what the hub has lost."""
        return name in since and (self.batch.lost[name] is Reason.AHEAD or since[name] < self.batch.to[name])


def read_encoded(*, since: Versions, limit: int = ROWS_PER_READ) -> Encoded:
    """In a thread for reading: the change log after ``since``, encoded; about ``ROWS_PER_READ`` changes at most."""
    return Encoded.of(log.read(since=since, limit=limit))
