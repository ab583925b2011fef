"""``GET /api/sync/events``: the streams of this process, as a plain ASGI callable outside Django's request handling."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import DisallowedHost
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from devices import contacts
from devices.identity import Caller, DeviceCaller, NotAuthenticated, identify, request_from_scope, still_welcome
from devices.rights import NotPermitted, may_see
from refusals import Refusal
from refusals.unknown import refuse_unknown
from telemetry import counters, requests

from . import registry
from .cursors import Cursor, UnreadableCursor
from .delivered import Recorder
from .feed import Hub
from .readers import in_reader
from .stream import Asked, Stream
from .wire import Receive, Scope, Send, cut_off, wire_of

logger = logging.getLogger(__name__)

WELCOME_SECONDS = 10.0
START_SECONDS = 10.0
PARAMETERS = ("resources", "cursor")

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-encoding", b"identity"),
    (b"x-accel-buffering", b"no"),
]


class NotRead(Refusal):
    status, code = 405, "method_not_allowed"
    detail = _("A stream is read with GET.")


class UnknownResourceAsked(Refusal):
    status, code = 400, "unknown_resource"

    def __init__(self, name: str) -> None:
        said = _("There is no resource “{name}”. There are: {known}.")
        super().__init__(format_lazy(said, name=name, known=", ".join(registry.names())))


class HostUnknown(Refusal):
    """What Django's own answer to a name that isn't in ALLOWED_HOSTS says."""

    status, code = 400, "bad_request"
    detail = _("The request can't be read.")

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class OverCapacity(Refusal):
    status, code = 503, "over_capacity"

    def __init__(self, detail: str | Promise, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


def parse(scope: Scope) -> Asked:
    """The query and ``Last-Event-ID`` of ``scope``. Raises UnknownResourceAsked and InvalidParameter."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    refuse_unknown(query, PARAMETERS)
    names = tuple(registry.names())
    if "resources" in query:
        asked = [name for value in query["resources"] for name in value.split(",")]
        for name in asked:
            if name not in names:
                raise UnknownResourceAsked(name)
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


class Streams:
    """The streams of this process and the hub that feeds them."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.open: dict[Stream, Caller] = {}
        self.capacity = settings.STREAM_CAPACITY
        self.taken = 0  # of it
        self.taken_by: Counter[str] = Counter()  # by the caller's id
        self.recorder = Recorder()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.hub.start()
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._keep_in_order(), name="order of streams"),
                asyncio.create_task(self.recorder.keep(), name="delivered versions"),
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

    async def _keep_in_order(self) -> None:
        """Every few seconds end the streams of devices that were revoked and of staff who left, and the oldest."""
        while True:
            await asyncio.sleep(WELCOME_SECONDS)
            callers, now = dict(self.open), time.monotonic()
            for stream, caller in callers.items():
                if stream.ends_at < now:
                    stream.end()
                if isinstance(caller, DeviceCaller):
                    contacts.note(UUID(caller.id))  # in memory; it is written every 30 s
            with suppress(Exception):  # a database that is away says nothing about who is welcome
                welcome = await in_reader(still_welcome, callers=list(callers.values())) if callers else ()
                staff = {stream: caller for stream, caller in callers.items() if caller.kind == "staff"}
                unseen = await in_reader(whose_are_unseen, streams=staff) if staff else ()
                for stream, caller in callers.items():
                    if caller.id not in welcome or stream in unseen:
                        stream.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application. Raises a Refusal, with nothing sent, when there is to be no stream."""
        if scope["method"] not in ("GET", "HEAD"):
            raise NotRead(headers={"Allow": "GET, HEAD"})
        caller = await in_reader(_caller_of, scope=scope)
        asked = parse(scope)
        if caller.kind == "staff":
            await in_reader(refuse_unseen, caller=caller, names=asked.names)
        if self.hub.closing or self.taken >= self.capacity:
            wait = random.randint(1, 5)  # noqa: S311 - spreads a herd, keeps no secret
            raise OverCapacity(_("This server carries as many streams as it can."), retry_after=wait)
        if self.taken_by[caller.id] >= 2 * settings.STREAMS_PER_DEVICE:  # nobody reads those that were told to end
            raise OverCapacity(_("This device has as many streams as it may."), retry_after=5)
        self.taken += 1  # from here on, or a herd that comes at once would all find room
        self.taken_by[caller.id] += 1
        try:
            await self._carry(scope["method"], asked, caller, receive, send)
        finally:
            self.taken -= 1
            self.taken_by[caller.id] -= 1
            if not self.taken_by[caller.id]:
                del self.taken_by[caller.id]

    def _end_oldest(self, caller: Caller) -> None:
        """Make room for another stream of ``caller``, which is about to be open.

        Those that come at once are counted by ``taken_by`` before any of them is open and can be told to end.
        """
        if self.taken_by[caller.id] > settings.STREAMS_PER_DEVICE:
            mine = [stream for stream, other in self.open.items() if other.id == caller.id and not stream.is_ending]
            for stream in mine[: max(0, len(mine) + 1 - settings.STREAMS_PER_DEVICE)]:
                stream.end()

    async def _carry(self, method: str, asked: Asked, caller: Caller, receive: Receive, send: Send) -> None:
        self.start()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.hub.refresh()
        except TimeoutError:
            raise OverCapacity(_("The log can't be read just now."), retry_after=3) from None
        wire = wire_of(send)
        request_id = requests.current.get().encode()
        await wire.start(200, [*HEADERS, *([(b"x-request-id", request_id)] if request_id else [])])
        if method == "HEAD":
            await wire.send(b"", more=False)
            return
        stream = Stream(self.hub, asked, wire)
        self._end_oldest(caller)
        self.open[stream] = caller
        counters.add("streams_opened")
        logger.info("stream opened by %s %s", caller.kind, caller.id)
        if isinstance(caller, DeviceCaller):
            self.recorder.follow(stream, UUID(caller.id))
        try:
            await stream.run(receive)
        except* TimeoutError:
            await cut_off(send)  # the client takes nothing any more
        finally:
            self.open.pop(stream)
            logger.info("stream ended of %s %s", caller.kind, caller.id)
            self.recorder.leave(stream)


def _caller_of(*, scope: Scope) -> Caller:
    """Who asks. Raises HostUnknown, NotAuthenticated, and as ``identify`` does."""
    request = request_from_scope(scope)
    try:
        request.get_host()
    except DisallowedHost as error:
        raise HostUnknown(str(error)) from None
    caller = identify(request)
    if caller is None:
        raise NotAuthenticated
    return caller


def refuse_unseen(*, caller: Caller, names: Iterable[str]) -> None:
    """Raises NotPermitted when a member of the staff asks for a resource that it may not look at."""
    user = get_user_model()._default_manager.filter(pk=caller.id).first()
    if user is None or not all(may_see(user, registry.resource(name).model) for name in names):
        raise NotPermitted


def whose_are_unseen(*, streams: Mapping[Stream, Caller]) -> set[Stream]:
    """Those ``streams`` of staff that lost the permission to look at what the stream tells."""
    found = set()
    for stream, caller in streams.items():
        try:
            refuse_unseen(caller=caller, names=stream.asked.names)
        except NotPermitted:
            found.add(stream)
    return found
