"""A terminal for tests: reads a stream in a thread and keeps every frame."""

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import pytest


@dataclass(frozen=True)
class Frame:
    id: str
    event: str
    data: dict[str, Any]
    retry: int | None = None


@dataclass
class Terminal:
    """``with Terminal(address, token) as till: till.until("hello")``; ``ended`` is set when the stream ended."""

    address: str
    token: str
    cursor: str | None = None
    last_event_id: str | None = None
    resources: str | None = None
    frames: list[Frame] = field(default_factory=list)
    headers: httpx.Headers | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    _socket: socket.socket | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        self._client = httpx.Client(timeout=httpx.Timeout(10, read=40))
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:  # closing the client would wait for the next byte
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self.ended.wait(5)
        self._client.close()

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        if self.last_event_id is not None:
            headers["Last-Event-ID"] = self.last_event_id
        query = {"cursor": self.cursor, "resources": self.resources}
        try:
            with self._client.stream(
                "GET",
                f"{self.address}/api/sync/events",
                headers=headers,
                params={key: value for key, value in query.items() if value is not None},
            ) as response:
                self._socket = response.extensions["network_stream"].get_extra_info("socket")
                self.headers = response.headers
                lines: dict[str, str] = {}
                for line in response.iter_lines():
                    if line:
                        key, _, value = line.partition(": ")
                        lines[key] = value
                    elif lines:
                        self._add(lines)
                        lines = {}
        except (httpx.TransportError, RuntimeError):
            pass  # the test closed us, or the fault that it made
        finally:
            self.ended.set()
            with self._changed:
                self._changed.notify_all()

    def _add(self, lines: dict[str, str]) -> None:
        retry = int(lines["retry"]) if "retry" in lines else None
        with self._changed:
            self.frames.append(Frame(lines["id"], lines["event"], json.loads(lines["data"]), retry))
            self._changed.notify_all()

    def until(self, event: str, *, seconds: float = 15.0, after: int = 0, **data: Any) -> Frame:
        """The first frame of that event, from number ``after`` on, whose data holds ``data``."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for frame in self.frames[after:]:
                    if frame.event == event and all(frame.data.get(key) == value for key, value in data.items()):
                        return frame
                left = deadline - time.monotonic()
                if left <= 0 or (self.ended.is_set()):
                    pytest.fail(f"no {event} with {data} came; there were {[(f.event, f.data) for f in self.frames]}")
                self._changed.wait(left)

    def synced(self) -> list[dict[str, Any]]:
        return [frame.data for frame in self.frames if frame.event == "sync"]
