"""``GET /api/sync/events``: one stream, a plain ASGI callable outside Django's request handling.

1. Join the fan-out (listen first).
2. Say ``hello``, and ``resync`` for what can't be continued.
3. Read the log from the stream's own cursor up to where it joined.
4. Hand on what the hub queues, dropping what step 3 delivered already. A stream that is in step and waits for more is
   handed it by the hub itself, past its task.

A reader too slow for its queue leaves the fan-out and begins again at 1 with the cursor it has reached; nothing is
lost.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from devices.identity import Caller, DeviceCaller, identify, request_from_scope, still_welcome
from refusals import Refusal

from . import registry
from .cursors import Cursor, UnreadableCursor
from .feed import Chunk, Encoded, Hub, Subscription, bookmark, frame, read_encoded, resyncs
from .log import Reason, Versions
from .positions import Positions
from .readers import in_reader
from .wire import Scope, Send, Wire, wire_of

Receive = Callable[[], Awaitable[Any]]

LIFE_SECONDS = (300.0, 600.0)
RETRY_MS = (800, 3000)
WELCOME_SECONDS = 10.0
START_SECONDS = 10.0
# A reader that takes no byte for so long is gone; its socket just doesn't know.
STALLED_SECONDS = 60.0

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-encoding", b"identity"),
    (b"x-accel-buffering", b"no"),
]


class Refused(Exception):
    """The stream doesn't start: an error of the wire, with its status, code and detail (lazily translated)."""

    def __init__(self, status: int, code: str, detail: str | Promise, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})


@dataclass(frozen=True)
class Asked:
    """What a client asks for: the resources, and where it stands (None: at the head)."""

    names: tuple[str, ...]
    cursor: Cursor | None
    cursor_is_unreadable: bool = False


def parse(scope: Scope) -> Asked:
    """The query and ``Last-Event-ID`` of ``scope``; raises Refused."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    names = tuple(registry.names())
    if "resources" in query:
        asked = [name for value in query["resources"] for name in value.split(",")]
        for name in asked:
            if name not in names:
                known = ", ".join(names)
                said = _("There is no resource “{name}”. There are: {known}.")
                raise Refused(400, "unknown_resource", format_lazy(said, name=name, known=known))
        names = tuple(sorted(set(asked)))
    text = query["cursor"][-1] if "cursor" in query else None
    for key, value in scope["headers"]:
        if key == b"last-event-id" and value:
            text = value.decode("latin-1")
    if not text:
        return Asked(names, None)
    try:
        return Asked(names, Cursor.parse(text))
    except UnreadableCursor:
        return Asked(names, None, cursor_is_unreadable=True)


async def caller_of(scope: Scope) -> Caller:
    """Who asks; raises Refused."""
    try:
        caller: Caller | None = await in_reader(_identify, scope=scope)
    except Refusal as refusal:
        raise Refused(refusal.status, refusal.code, refusal.detail, refusal.headers) from None
    if caller is None:
        raise Refused(401, "not_authenticated", _("Show a device token or log in."), _challenge(401))
    return caller


def _identify(*, scope: Scope) -> Caller | None:
    return identify(request_from_scope(scope))


def _challenge(status: int) -> dict[str, str]:
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}


class Streams:
    """The streams of this process and the hub that feeds them."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.callers: dict[Subscription, Caller] = {}
        self.taken = 0  # places, of ``STREAM_CAPACITY``
        self.positions = Positions()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.hub.start()
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._keep_welcome(), name="welcome"),
                asyncio.create_task(self.positions.keep(), name="positions"),
            ]

    def close(self) -> None:
        """End every stream with a bookmark, and take no more; for a process that is to stop."""
        self.hub.close()

    async def stop(self) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hub.stop()
        await self.positions.write()

    async def _keep_welcome(self) -> None:
        """End the streams of devices that were revoked and of staff who left, within seconds."""
        while True:
            await asyncio.sleep(WELCOME_SECONDS)
            callers = dict(self.callers)
            if not callers:
                continue
            with suppress(Exception):  # a database that is away says nothing about who is welcome
                welcome = await in_reader(still_welcome_ids, callers=list(callers.values()))
                for subscription, caller in callers.items():
                    if caller.id not in welcome:
                        subscription.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application of the stream; raises Refused before anything is sent."""
        if scope["method"] not in ("GET", "HEAD"):
            raise Refused(405, "method_not_allowed", _("A stream is read with GET."), {"Allow": "GET, HEAD"})
        caller = await caller_of(scope)
        asked = parse(scope)
        if self.hub.closing or self.taken >= settings.STREAM_CAPACITY:
            wait = str(random.randint(1, 5))  # noqa: S311 - spreads a herd, keeps no secret
            raise Refused(
                503, "over_capacity", _("This server carries as many streams as it can."), {"Retry-After": wait}
            )
        self.taken += 1  # from here on, or a herd that comes at once would all find room
        try:
            await self._carry(scope["method"], asked, caller, receive, send)
        finally:
            self.taken -= 1

    async def _carry(self, method: str, asked: Asked, caller: Caller, receive: Receive, send: Send) -> None:
        self.start()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.hub.refresh()
        except TimeoutError:
            raise Refused(503, "over_capacity", _("The log can't be read just now."), {"Retry-After": "3"}) from None
        wire = wire_of(send)
        await wire.start(200, HEADERS)
        if method == "HEAD":
            await wire.send(b"", more=False)
            return
        stream = Stream(self.hub, asked, wire)
        if isinstance(caller, DeviceCaller):
            self.positions.follow(stream, UUID(caller.id))
        talk = asyncio.create_task(stream.run(lambda place: self._enter(place, caller), self._leave))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({talk, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (talk, gone):
                task.cancel()
            await asyncio.gather(talk, gone, return_exceptions=True)
            self.positions.leave(stream)
        if not talk.cancelled() and (error := talk.exception()) and not isinstance(error, TimeoutError):
            raise error

    def _enter(self, place: Subscription, caller: Caller) -> None:
        self.callers[place] = caller

    def _leave(self, place: Subscription) -> None:
        self.callers.pop(place, None)


def still_welcome_ids(*, callers: list[Caller]) -> set[str]:
    return still_welcome(callers)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Stream:
    """One connection: where it stands (``epoch``, ``at``), what the client was sent (``confirmed``), and what it was
    asked to carry. ``at`` may be shared with others and is replaced, never changed.

    ``ahead`` is not empty while only a part of a read was sent: where that read's snapshot stands. The objects in it
    may be newer than what the fan-out has queued, so there is no cut until the stream stands there as well.
    """

    def __init__(self, hub: Hub, asked: Asked, wire: Wire) -> None:
        self.hub, self.asked, self.wire = hub, asked, wire
        self.epoch: UUID
        self.at: Versions = {}
        self.ahead: Versions = {}
        self.confirmed: Cursor | None = None

    async def run(self, enter: Callable[[Subscription], None], leave: Callable[[Subscription], None]) -> None:
        """Talk until the stream's life is over, the server stops, or the reader is gone."""
        life = random.uniform(*LIFE_SECONDS)  # noqa: S311 - spreads reconnections, keeps no secret
        began = asyncio.get_running_loop().time()
        place = self.hub.subscribe(self.asked.names, self._offer)
        ending = asyncio.get_running_loop().call_later(life, lambda: place.end())
        try:
            await self._hello(place)
            while True:
                enter(place)
                await self._catch_up(place)
                while (chunk := await place.take()) is not None:
                    await self._hand_on(chunk)
                if place.ending:
                    break
                # Too slow for the fan-out: join it anew and read the log from here.
                leave(place)
                self.hub.leave(place)
                place = self.hub.subscribe(self.asked.names, self._offer)
                if asyncio.get_running_loop().time() - began > life:
                    break
            await self._send(bookmark(Cursor(self.epoch, self.at)), more=False)
        finally:
            ending.cancel()
            leave(place)
            self.hub.leave(place)

    async def _hello(self, place: Subscription) -> None:
        """Where this stream continues from, and what has to be refetched because it can't."""
        hub, asked = self.hub, self.asked
        self.epoch, self.at = place.epoch, place.joined
        lost: dict[str, Reason] = {}
        if asked.cursor_is_unreadable:
            lost = dict.fromkeys(asked.names, Reason.CURSOR)
        elif asked.cursor and asked.cursor.epoch != self.epoch:
            lost = dict.fromkeys(asked.names, Reason.EPOCH)
        elif asked.cursor:
            at = dict(place.joined)
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
        hello = frame("hello", {"epoch": str(self.epoch), "versions": self.at}, cursor=here, retry_ms=retry)
        await self._send(hello + resyncs(here, lost))

    async def _catch_up(self, place: Subscription) -> None:
        """Read the log from the stream's own cursor until it meets the fan-out that it joined before."""
        while self.epoch != place.epoch or any(self.at[name] < place.joined[name] for name in self.at):
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
        if self.epoch == place.epoch and self.at == place.joined and not self.ahead:
            self.at = place.joined  # in step

    def _offer(self, chunk: Chunk) -> bool:
        """Hand on ``chunk`` without this stream's task, for the hub: when it is in step and its client keeps up."""
        if chunk.since is not self.at or not self.wire.offer(chunk):
            return False
        self.at, self.confirmed = chunk.to, chunk.cursor
        return True

    async def _hand_on(self, chunk: Chunk) -> None:
        if data := self._accept(chunk):
            await self._send(data)

    def _accept(self, chunk: Chunk) -> bytes:
        """What is still to be sent of ``chunk``; the stream then stands after it."""
        if chunk.turns:
            # A stream that read the new history by itself while it caught up may have read less of it than the hub.
            if chunk.epoch != self.epoch or any(self.at[name] < version for name, version in chunk.to.items()):
                self.epoch, self.at, self.ahead = chunk.epoch, chunk.to, {}
                return chunk.data
        elif chunk.epoch != self.epoch:
            return b""  # queued before the turn; this stream is past it
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
