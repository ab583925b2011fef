"""The event stream as lists of frames: a thread reads, so that frames which come while others are applied wait here."""

import json
import logging
import queue
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Self

import httpx
from httpx_sse import EventSource, SSEError

from ._answers import reading, unavailable
from ._bridge import Bridge
from ._downloads import hang_up
from ._errors import PosclientError, UnexpectedAnswer
from ._rules import Change, Rules

logger = logging.getLogger("posclient")

MOST_WAITING = 5000  # frames; with a slower reader the server waits, and then reads its change log for us


@dataclass(frozen=True, slots=True)
class Frame:
    event: str
    id: str
    data: Any
    retry: int | None  # ms


class EventStream:
    """``with EventStream(bridge, cursor, resources) as stream: for frames in stream: …``; ends when the stream ends.

    Entering it connects and raises what the bridge raises; so does reading, when the connection breaks or nothing came
    for ``timeouts.silence`` seconds. ``close`` ends it from any thread.
    """

    def __init__(self, bridge: Bridge, cursor: str | None, resources: Collection[str] | None) -> None:
        self.bridge = bridge
        self.retry_ms = 1000
        self._headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if cursor:
            self._headers["Last-Event-ID"] = cursor
        self._params = {"resources": ",".join(sorted(resources))} if resources is not None else None
        self._queue: queue.Queue[Frame | PosclientError | None] = queue.Queue(MOST_WAITING)
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        client = self.bridge.stream_client()
        request = client.build_request(
            "GET", self.bridge.url("/api/sync/events"), params=self._params, headers=self._headers
        )
        try:
            self._response = client.send(request, stream=True)
            try:
                if self._response.status_code != 200:
                    self._response.read()
                    self.bridge.checked(self._response)
                if not self._response.headers.get("content-type", "").startswith("text/event-stream"):
                    raise UnexpectedAnswer("no event stream at /api/sync/events")
            except BaseException:
                self._response.close()
                raise
        except httpx.HTTPError as error:
            raise unavailable(error) from error
        self._thread = threading.Thread(target=self._read, name="posclient-stream", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
        self._thread.join()

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def close(self) -> None:
        self._closing.set()
        stream = self._response.extensions.get("network_stream")
        if stream is not None:
            hang_up(stream.get_extra_info("socket"))

    def __iter__(self) -> Iterator[list[Frame]]:
        """All frames that came meanwhile, at least one, again and again."""
        while True:
            frames: list[Frame] = []
            found = self._queue.get()
            while isinstance(found, Frame):
                frames.append(found)
                try:
                    found = self._queue.get_nowait()
                except queue.Empty:
                    break
            if frames:
                yield frames
            if isinstance(found, PosclientError):
                raise found
            if found is None:
                return

    def _read(self) -> None:
        end: PosclientError | None = None
        try:
            for event in EventSource(self._response).iter_sse():
                if event.retry is not None:
                    self.retry_ms = event.retry
                if event.data:
                    self._put(Frame(event.event, event.id, json.loads(event.data), event.retry))
                if self._closing.is_set():
                    break
        except httpx.HTTPError as error:
            end = unavailable(error)
        except (SSEError, ValueError) as error:
            end = UnexpectedAnswer(f"a frame that can't be read: {error}")
        except RuntimeError as error:  # the stream was closed while we read
            end = UnexpectedAnswer(str(error))
        finally:
            self._response.close()
            self._put(None if self._closing.is_set() else end)

    def _put(self, item: Frame | PosclientError | None) -> None:
        while True:
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                if self._closing.is_set():
                    return
            else:
                return


def hear(rules: Rules, frame: Frame, *, resumed: bool) -> None:
    """Tells the rules of a frame. Unknown events are how the protocol grows. Raises UnexpectedAnswer."""
    data, cursor = frame.data, frame.id or None
    with reading(f"a frame {frame.event}"):
        match frame.event:
            case "sync":
                change = Change(
                    data["resource"], data["action"], str(data["id"]), int(data["version"]), data.get("data")
                )
                rules.sync(change, cut=bool(data.get("cut")), cursor=cursor)
            case "hello":
                rules.hello(data["epoch"], data["versions"], cursor, resumed=resumed)
            case "bookmark":
                rules.bookmark(data["epoch"], data["versions"], cursor)
            case "resync":
                rules.resync(data["epoch"], data["versions"], data["resources"], cursor)
            case other:
                logger.debug("an event %s, which we don't know", other)
