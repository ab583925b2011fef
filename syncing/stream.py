"""One stream: a connection of a terminal, from ``hello`` to its last bookmark.

1. Join the fan-out (listen first).
2. Say ``hello``, and ``resync`` for what can't be continued.
3. Backfill: read the change log from the stream's own cursor up to where it joined.
4. Hand on what the hub queues, without what step 3 has delivered. When the stream is in step and waits for more, the
   hub hands it the next chunk itself, past the stream's task.

A stream whose client is too slow for its queue leaves the fan-out. It begins again at 1 with the cursor that it has
reached; nothing is lost.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from uuid import UUID

from .cursors import Cursor
from .feed import Chunk, Hub, Subscription
from .frames import Encoded, bookmark, hello, read_encoded, resyncs
from .log import Reason, Versions
from .readers import in_reader
from .wire import STALLED_SECONDS, Receive, Wire

LIFE_SECONDS = (300.0, 600.0)
RETRY_MS = (800, 3000)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for: the resources, and where it stands (None: at the head)."""

    names: tuple[str, ...]
    cursor: Cursor | None
    cursor_is_unreadable: bool = False


class Stream:
    """``epoch`` and ``at``: where the stream stands. ``confirmed``: the cursor that its client was sent last.

    ``at`` may be shared with other streams and is replaced, never changed. ``ahead`` is not empty while a part of a
    read was sent: it holds the heads of the snapshot that was read. Objects of that part may be newer than the changes
    that the fan-out has queued, so the stream is at no checkpoint until it stands there as well.
    """

    __slots__ = ("ahead", "asked", "at", "confirmed", "ends_at", "epoch", "hub", "place", "talking", "tasks", "wire")

    def __init__(self, hub: Hub, asked: Asked, wire: Wire) -> None:
        self.hub, self.asked, self.wire = hub, asked, wire
        self.epoch: UUID
        self.at: Versions = {}
        self.ahead: Versions = {}
        self.confirmed: Cursor | None = None
        self.ends_at = time.monotonic() + random.uniform(*LIFE_SECONDS)  # noqa: S311 - spreads reconnections
        self.place: Subscription
        self.tasks: asyncio.TaskGroup
        self.talking: asyncio.Task[None] | None

    async def run(self, receive: Receive) -> None:
        """Talk until the answer is complete or the client is gone, which ``receive`` tells; or raise a group of errors.

        The answer is complete when the stream was told to ``end`` and has said its last bookmark. There is a task that
        talks only while there is something to say: to wait costs as little as waiting for ``receive``.
        """
        async with asyncio.TaskGroup() as self.tasks:
            self.place = self.hub.subscribe(self.asked.names)
            self.talking = self.tasks.create_task(self._begin())
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                self.hub.leave(self.place)
                if self.talking:
                    self.talking.cancel()

    @property
    def is_ending(self) -> bool:
        return self.place.ending

    def end(self) -> None:
        """Say what is queued and a bookmark, and complete the answer."""
        self.place.end()

    def rouse(self) -> None:
        """Talk again: something is queued, or the stream is to end."""
        self.talking = self.tasks.create_task(self._talk())

    async def _begin(self) -> None:
        await self._say_hello(self.place)
        await self.backfill(self.place)
        await self._talk()

    async def _talk(self) -> None:
        """Say all that there is to say."""
        while True:
            while (chunk := self.place.take()) is not None:
                await self.hand_on(chunk)
            if self.place.ending:
                return await self._send(bookmark(Cursor(self.epoch, self.at)), more=False)
            if not self.place.overflowed:
                break
            # Too slow for the fan-out: join it anew, and backfill from here.
            self.hub.leave(self.place)
            self.place = self.hub.subscribe(self.asked.names)
            await self.backfill(self.place)
        self.talking = None
        self.place.wait(self)

    async def _say_hello(self, subscription: Subscription) -> None:
        """Where this stream continues from, and what has to be refetched because it can't."""
        hub, asked = self.hub, self.asked
        self.epoch, self.at = subscription.epoch, subscription.joined
        lost: dict[str, Reason] = {}
        if asked.cursor_is_unreadable:
            lost = dict.fromkeys(asked.names, Reason.CURSOR)
        elif asked.cursor and asked.cursor.epoch != self.epoch:
            lost = dict.fromkeys(asked.names, Reason.EPOCH)
        elif asked.cursor:
            at = dict(subscription.joined)
            for name in asked.names:
                since = asked.cursor.versions.get(name, at[name])
                if since > at[name]:
                    lost[name] = Reason.AHEAD
                elif since < hub.horizons[name]:
                    lost[name] = Reason.HORIZON
                else:
                    at[name] = since
            self.at = at
        here = Cursor(self.epoch, self.at)
        retry = random.randint(*RETRY_MS)  # noqa: S311 - spreads a herd, keeps no secret
        await self._send(hello(here, retry_ms=retry) + resyncs(here, lost))

    async def backfill(self, subscription: Subscription) -> None:
        """Read the change log from the stream's own cursor until it meets the fan-out that it joined before."""
        while self.epoch != subscription.epoch or any(self.at[name] < subscription.joined[name] for name in self.at):
            encoded: Encoded = await in_reader(read_encoded, since=self.at)
            if encoded.batch.heads.epoch != self.epoch:
                self.epoch = encoded.batch.heads.epoch
                self.at, self.ahead = {name: encoded.batch.heads.versions[name] for name in self.at}, {}
                await self._send(resyncs(Cursor(self.epoch, self.at), dict.fromkeys(self.at, Reason.EPOCH)))
            else:
                data, self.at = encoded.frames(self.at, {})
                self.ahead = {} if encoded.batch.is_whole else encoded.batch.heads.versions
                if data:
                    await self._send(data)
            if encoded.batch.is_whole:
                break
        if self.epoch == subscription.epoch and self.at == subscription.joined and not self.ahead:
            self.at = subscription.joined  # in step

    def offer(self, chunk: Chunk) -> bool:
        """Hand on ``chunk`` without a task: when the stream is in step and its client keeps up."""
        if chunk.since is not self.at or not self.wire.offer(chunk):
            return False
        self.at, self.confirmed = chunk.to, chunk.cursor
        return True

    async def hand_on(self, chunk: Chunk) -> None:
        """Send what of ``chunk`` the client doesn't have yet."""
        if data := self._accept(chunk):
            await self._send(data)

    def _accept(self, chunk: Chunk) -> bytes:
        """What is still to be sent of ``chunk``; the stream then stands after it."""
        if chunk.begins_epoch:
            # A stream that met the new history in its backfill may have read less of it than the hub.
            if chunk.epoch != self.epoch or any(self.at[name] < version for name, version in chunk.to.items()):
                self.epoch, self.at, self.ahead = chunk.epoch, chunk.to, {}
                return chunk.data
        elif chunk.epoch != self.epoch:
            return b""  # queued before the epoch that this stream is in
        elif chunk.since == self.at and not self.ahead:
            self.at = chunk.to
            return chunk.data
        elif chunk.source is not None:
            data, self.at = chunk.source.frames(self.at, self.ahead)
            lost = chunk.source.batch.lost
            self.ahead = {n: v for n, v in self.ahead.items() if self.at.get(n, v) < v and n not in lost}
            return data
        return b""

    async def _send(self, data: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(STALLED_SECONDS):
            await self.wire.send(data, more=more)
        self.confirmed = Cursor(self.epoch, self.at)
