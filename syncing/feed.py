"""The hub: one per process reads each change once, encodes and frames it once, and hands it to every stream.

Streams that carry the same resources form a group and share the very bytes. A stream that is in step is handed them at
once, without waking its task. A stream that is busy, or whose client doesn't keep up, finds them in its queue. A stream
whose queue overflows leaves the fan-out for a backfill: it reads the change log from its own cursor until it has caught
up (syncing/stream.py).

Everything here runs in one event loop; only reading runs in a thread (syncing/readers.py).
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from uuid import UUID

from django.db import Error as DatabaseError

from . import doorbell, log
from .cursors import Cursor
from .frames import Encoded, bookmark, read_encoded, resyncs
from .log import Batch, Reason, Versions
from .readers import in_hub_reader

logger = logging.getLogger(__name__)

QUEUE_BYTES = 4 * 1024 * 1024
BOOKMARK_SECONDS = 7.0  # a stream idle for longer than one and less than two of these hears a bookmark
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Chunk:
    """Bytes for a group's streams. A stream that stands at ``since`` stands at ``to`` when it has sent them."""

    since: Versions
    to: Versions
    data: bytes
    epoch: UUID
    source: Encoded | None = None  # for a stream that stands elsewhere
    begins_epoch: bool = False  # then it is for each stream, wherever it stands

    @cached_property
    def chunked(self) -> bytes:
        """``data`` as a chunk of HTTP/1.1: framed once for all clients behind a direct wire."""
        return b"%x\r\n%b\r\n" % (len(self.data), self.data)

    @cached_property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self.to)


class Listener(Protocol):
    """What the hub knows of a stream that waits."""

    def offer(self, chunk: Chunk) -> bool:
        """Hand on ``chunk`` at once; False when that can't be, and nothing was handed on."""

    def rouse(self) -> None:
        """Take what is queued, or end: the stream waits no longer."""


@dataclass(eq=False, slots=True)
class Subscription:
    """One stream in the fan-out: ``epoch`` and versions where it ``joined``, and its queue from there on."""

    epoch: UUID
    joined: Versions
    group: "Group"
    queue: list[Chunk] = field(default_factory=list)  # empty nearly always: a deque would take 600 bytes for that
    queued_bytes: int = 0
    overflowed: bool = False
    ending: bool = False

    def wait(self, listener: Listener) -> None:
        """All that was queued is taken: offer ``listener`` what comes. A chunk that it refuses is queued."""
        self.group.busy.discard(self)
        self.group.waiting[self] = listener

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
        if listener := self.group.waiting.pop(self, None):
            self.group.busy.add(self)
            listener.rouse()

    def take(self) -> Chunk | None:
        """The next chunk that is queued, if there is one."""
        if not self.queue:
            return None
        chunk = self.queue.pop(0)
        self.queued_bytes -= len(chunk.data)
        return chunk


@dataclass
class Group:
    """Streams of the same resources. ``is_idle``: nothing was sent to them since the last bookmark.

    A stream is in step when it stands at ``at``, which is one object for all of them: it is replaced, never changed, so
    that ``is`` tells whether a stream stands there.
    """

    at: Versions
    waiting: dict[Subscription, Listener] = field(default_factory=dict)
    busy: set[Subscription] = field(default_factory=set)
    is_idle: bool = True

    @property
    def members(self) -> list[Subscription]:
        return [*self.waiting, *self.busy]


class Hub:
    """Reads the change log when the doorbell rings and fans it out. ``at`` is how far it has read."""

    def __init__(self) -> None:
        self.epoch: UUID | None = None
        self.at: Versions = {}
        self.horizons: Versions = {}
        self.groups: dict[tuple[str, ...], Group] = {}
        self.closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._rung = asyncio.Event()
        self._reads_begun = 0
        self._reads_done = 0
        self._read_over = asyncio.Condition()

    def start(self) -> None:
        """Begin to listen and read; harmless when it has begun."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(doorbell.listen(self.ring), name="doorbell"),
                asyncio.create_task(self.run(), name="hub"),
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

    def subscribe(self, names: Iterable[str]) -> Subscription:
        """Join the fan-out: what is committed after ``at`` is queued. Call ``refresh`` before."""
        assert self.epoch is not None  # refresh() has read it
        key = tuple(sorted(names))
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group({name: self.at[name] for name in key})
        subscription = Subscription(self.epoch, group.at, group)
        group.busy.add(subscription)
        if self.closing:
            subscription.end()  # the stream was let in a moment before
        return subscription

    def leave(self, subscription: Subscription) -> None:
        group = subscription.group
        group.waiting.pop(subscription, None)
        group.busy.discard(subscription)
        if not group.waiting and not group.busy:
            self.groups.pop(tuple(subscription.joined), None)

    async def refresh(self) -> None:
        """Wait until a read that began after this call is done: ``at`` covers all that was committed before."""
        wanted = self._reads_begun + 1
        self.ring()
        async with self._read_over:
            await self._read_over.wait_for(lambda: self._reads_done >= wanted)

    def ring(self) -> None:
        """Have the log read: it may have grown."""
        self._rung.set()

    async def run(self) -> None:
        """Read whenever it rings, for ever; the task that ``start`` begins."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            self._reads_begun += 1
            begun = self._reads_begun
            try:
                while not await self.read():
                    pass
            except DatabaseError as error:
                logger.warning("The log can't be read (%s); trying again", error)
                await asyncio.sleep(RETRY_SECONDS)
                self.ring()
                continue
            except Exception:  # a hub that dies would silence every stream
                logger.exception("The hub failed; trying again")
                await asyncio.sleep(RETRY_SECONDS)
                self.ring()
                continue
            self._reads_done = begun
            async with self._read_over:
                self._read_over.notify_all()

    async def read(self) -> bool:
        """Read once and fan out; True when nothing was left."""
        if self.epoch is None:
            heads = await in_hub_reader(log.heads)
            self.epoch, self.at, self.horizons = heads.epoch, heads.versions, heads.horizons
            return True
        if not self.groups:
            heads = await in_hub_reader(log.heads)
            if self.groups:
                return False  # a stream joined meanwhile at what was read before
            self.epoch, self.at, self.horizons = heads.epoch, heads.versions, heads.horizons
            return True
        encoded = await in_hub_reader(read_encoded, since=self.at)
        batch = encoded.batch
        self.horizons = batch.heads.horizons
        if batch.heads.epoch != self.epoch:
            self._begin_epoch(batch)
            return True
        if batch.entries or batch.lost:
            for group in self.groups.values():
                data, to = encoded.frames(group.at, {})
                if data:
                    self._send(group, Chunk(group.at, to, data, batch.heads.epoch, encoded))
        self.at = batch.to
        return batch.is_whole

    def _begin_epoch(self, batch: Batch) -> None:
        """Another history began: every terminal refetches, and every stream goes on from its heads."""
        self.epoch, self.at = batch.heads.epoch, batch.heads.versions
        for names, group in self.groups.items():
            to = {name: self.at[name] for name in names}
            data = resyncs(Cursor(self.epoch, to), dict.fromkeys(names, Reason.EPOCH))
            self._send(group, Chunk({}, to, data, self.epoch, begins_epoch=True))

    def _send(self, group: Group, chunk: Chunk) -> None:
        group.at, group.is_idle = chunk.to, False
        refused = [one for one, listener in group.waiting.items() if not listener.offer(chunk)]
        for subscription in [*group.busy, *refused]:
            subscription.put(chunk)

    async def _bookmarks(self) -> None:
        while True:
            await asyncio.sleep(BOOKMARK_SECONDS)
            self.bookmark_the_idle()

    def bookmark_the_idle(self) -> None:
        """Tell idle streams that they have everything. As a chunk like others, a bookmark never overtakes a change."""
        for group in self.groups.values():
            if group.is_idle and self.epoch is not None:
                self._send(group, Chunk(group.at, group.at, bookmark(Cursor(self.epoch, group.at)), self.epoch))
            group.is_idle = True
