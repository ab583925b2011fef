"""The hub: one per process reads each change once, encodes and frames it once, and hands it to every stream.

Streams that carry the same resources form a group and share the very bytes. A stream in step is handed them at once,
without a turn of its own; one that is busy, or whose client doesn't keep up, finds them in its queue. A stream whose
queue is full leaves the fan-out; it reads the log from its own cursor until it has caught up (syncing/stream.py).

Everything here runs in one event loop; only reading runs in a thread (syncing/readers.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson
from django.db import Error as DatabaseError

from . import doorbell
from . import log as sync_log
from .cursors import Cursor
from .log import Batch, Entry, Reason, Versions
from .readers import in_hub_reader

log = logging.getLogger(__name__)

ROWS_PER_READ = 500
QUEUE_BYTES = 4 * 1024 * 1024
BOOKMARK_SECONDS = 7.0  # a stream idle for longer than one and less than two of these hears a bookmark
RETRY_SECONDS = 0.5


def frame(event: str, data: Any, *, cursor: Cursor, retry_ms: int | None = None) -> bytes:
    """One SSE frame; ``data`` is what orjson takes, or JSON as bytes."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    retry = f"retry: {retry_ms}\n".encode() if retry_ms is not None else b""
    return b"%sid: %s\nevent: %s\ndata: %s\n\n" % (retry, str(cursor).encode(), event.encode(), body)


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
    """The JSON of a ``sync`` event without its end, which says whether it is a cut."""
    fields = {
        "resource": entry.resource,
        "action": entry.action,
        "id": entry.id,
        "version": entry.version,
        "data": entry.data,
    }
    return orjson.dumps(fields)[:-1]


@dataclass(frozen=True)
class Encoded:
    """A batch with each change encoded once."""

    batch: Batch
    bodies: list[bytes]

    @classmethod
    def of(cls, batch: Batch) -> "Encoded":
        return cls(batch, [encode(entry) for entry in batch.entries])

    def frames(self, since: Versions, ahead: Versions) -> tuple[bytes, Versions]:
        """What a stream that stands at ``since`` is to get, and where it stands then.

        The last frame is a cut when all of the stream's resources are at one snapshot's heads, and those are not older
        than ``ahead``, which it has seen something of. What is to be refetched is named before: at the cut that
        follows, a terminal has it.
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
        reached = all(batch.to[name] == batch.heads.versions[name] >= ahead.get(name, 0) for name in since)
        for place, (entry, body) in enumerate(mine, start=1):
            at[entry.resource] = entry.version
            cut = b',"cut":true}' if reached and place == len(mine) else b',"cut":false}'
            parts.append(frame("sync", body + cut, cursor=Cursor(batch.heads.epoch, at)))
        return b"".join(parts), at

    def _is_lost_from(self, since: Versions, name: str) -> bool:
        """A stream that read on by itself may be past what the hub has lost."""
        return name in since and (self.batch.lost[name] is Reason.AHEAD or since[name] < self.batch.to[name])


def read_encoded(*, since: Versions) -> Encoded:
    """In a thread for reading: the log after ``since``, encoded, about ``ROWS_PER_READ`` at most."""
    return Encoded.of(sync_log.read(since=since, limit=ROWS_PER_READ))


@dataclass(frozen=True)
class Chunk:
    """Bytes on their way to a group's streams: for one that stands at ``since`` and then stands at ``to``."""

    since: Versions
    to: Versions
    data: bytes
    epoch: UUID
    source: Encoded | None = None  # for a stream that stands elsewhere
    turns: bool = False  # a new history begins with this chunk, wherever a stream stands

    @cached_property
    def chunked(self) -> bytes:
        """``data`` as a chunk of HTTP/1.1: framed once, for whoever is handed it directly (syncing/wire.py)."""
        return b"%x\r\n%b\r\n" % (len(self.data), self.data)

    @cached_property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self.to)


Offer = Callable[[Chunk], bool]


@dataclass(eq=False, slots=True)
class Subscription:
    """One stream's place in the fan-out: where it joined, and its queue from there on.

    While the stream waits for its next chunk, ``offer`` may hand that on without waking it; what it refuses is queued.
    """

    epoch: UUID
    joined: Versions
    offer: Offer
    queue: deque[Chunk] = field(default_factory=deque)
    queued_bytes: int = 0
    overflowed: bool = False
    ending: bool = False
    waits: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, chunk: Chunk) -> None:
        if self.overflowed or self.ending:
            return
        if self.queue and self.queued_bytes + len(chunk.data) > QUEUE_BYTES:
            self.overflowed = True
            self.queue.clear()
            self.queued_bytes = 0
        else:
            self.queue.append(chunk)
            self.queued_bytes += len(chunk.data)
        self._rouse()

    def end(self) -> None:
        """Let the stream finish what is queued, send a bookmark and close."""
        self.ending = True
        self._rouse()

    def _rouse(self) -> None:
        self.waits = False
        self.wake.set()

    async def take(self) -> Chunk | None:
        """The next chunk; None when the stream has left the fan-out (``overflowed``) or is to end."""
        while not self.queue:
            if self.overflowed or self.ending:
                return None
            self.wake.clear()
            self.waits = True
            await self.wake.wait()
        chunk = self.queue.popleft()
        self.queued_bytes -= len(chunk.data)
        return chunk


@dataclass
class Group:
    """Streams of the same resources, where those in step stand, and whether anything was sent since the last bookmark.

    ``at`` is one object for all of them and never changes: a stream is in step when it stands at this very one.
    """

    at: Versions
    members: set[Subscription] = field(default_factory=set)
    is_idle: bool = True


class Hub:
    """Reads the log when the doorbell rings and fans it out. ``position`` is what it has read."""

    def __init__(self) -> None:
        self.epoch: UUID | None = None
        self.position: Versions = {}
        self.horizons: Versions = {}
        self.groups: dict[tuple[str, ...], Group] = {}
        self.closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._ring = asyncio.Event()
        self._reads_begun = 0
        self._reads_done = 0
        self._read_over = asyncio.Condition()

    def start(self) -> None:
        """Begin to listen and read; harmless when it has begun."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(doorbell.listen(self._ring.set), name="doorbell"),
                asyncio.create_task(self._run(), name="hub"),
                asyncio.create_task(self._bookmarks(), name="bookmarks"),
            ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def close(self) -> None:
        """End every stream with a bookmark; new ones are refused."""
        self.closing = True
        for group in self.groups.values():
            for subscription in group.members:
                subscription.end()

    def subscribe(self, names: Iterable[str], offer: Offer) -> Subscription:
        """Join the fan-out: what is committed from ``position`` on is offered or queued. After a ``refresh``."""
        assert self.epoch is not None  # refresh() has read it
        key = tuple(sorted(names))
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group({name: self.position[name] for name in key})
        subscription = Subscription(self.epoch, group.at, offer)
        group.members.add(subscription)
        if self.closing:
            subscription.end()  # it was let in a moment before
        return subscription

    def leave(self, subscription: Subscription) -> None:
        names = tuple(subscription.joined)
        group = self.groups.get(names)
        if group is not None:
            group.members.discard(subscription)
            if not group.members:
                del self.groups[names]

    async def refresh(self) -> None:
        """Wait until a read that began after this call is done: ``position`` holds all that was committed before."""
        wanted = self._reads_begun + 1
        self._ring.set()
        async with self._read_over:
            await self._read_over.wait_for(lambda: self._reads_done >= wanted)

    async def _run(self) -> None:
        while True:
            await self._ring.wait()
            self._ring.clear()
            self._reads_begun += 1
            begun = self._reads_begun
            try:
                while not await self._read():
                    pass
            except DatabaseError as error:
                log.warning("The log can't be read (%s); trying again", error)
                await asyncio.sleep(RETRY_SECONDS)
                self._ring.set()
                continue
            except Exception:  # a hub that dies would silence every stream
                log.exception("The hub failed; trying again")
                await asyncio.sleep(RETRY_SECONDS)
                self._ring.set()
                continue
            self._reads_done = begun
            async with self._read_over:
                self._read_over.notify_all()

    async def _read(self) -> bool:
        """Read once and fan out; True when nothing was left."""
        if self.epoch is None:
            heads = await in_hub_reader(sync_log.heads)
            self.epoch, self.position, self.horizons = heads.epoch, heads.versions, heads.horizons
            return True
        if not self.groups:
            heads = await in_hub_reader(sync_log.heads)
            if self.groups:
                return False  # somebody joined at the old position meanwhile
            self.epoch, self.position, self.horizons = heads.epoch, heads.versions, heads.horizons
            return True
        encoded = await in_hub_reader(read_encoded, since=self.position)
        batch = encoded.batch
        self.horizons = batch.heads.horizons
        if batch.heads.epoch != self.epoch:
            self._turn(batch)
            return True
        if batch.entries or batch.lost:
            for group in self.groups.values():
                data, to = encoded.frames(group.at, {})
                if data:
                    self._send(group, Chunk(group.at, to, data, batch.heads.epoch, encoded))
        self.position = batch.to
        return batch.is_whole

    def _turn(self, batch: Batch) -> None:
        """Another history began: everybody refetches and goes on from its heads."""
        self.epoch, self.position = batch.heads.epoch, batch.heads.versions
        for names, group in self.groups.items():
            to = {name: self.position[name] for name in names}
            data = resyncs(Cursor(self.epoch, to), dict.fromkeys(names, Reason.EPOCH))
            self._send(group, Chunk({}, to, data, self.epoch, turns=True))

    def _send(self, group: Group, chunk: Chunk) -> None:
        group.at, group.is_idle = chunk.to, False
        for place in group.members:
            if not (place.waits and place.offer(chunk)):
                place.put(chunk)

    async def _bookmarks(self) -> None:
        while True:
            await asyncio.sleep(BOOKMARK_SECONDS)
            self.bookmark_the_idle()

    def bookmark_the_idle(self) -> None:
        """Tell idle streams that they have everything; through their queues, so that it never overtakes a change."""
        for group in self.groups.values():
            if group.is_idle and self.epoch is not None:
                self._send(group, Chunk(group.at, group.at, bookmark(Cursor(self.epoch, group.at)), self.epoch))
            group.is_idle = True
