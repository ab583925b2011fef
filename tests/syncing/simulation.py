"""One process of the server in steps: its hub and its streams run on a loop that moves only when it is told to.

The code is the server's own. Three things that time decides elsewhere are decided by whoever drives it: when a read of
the log runs and when its answer comes back (`Turnstile`), when the doorbell rings, and when a reader takes bytes.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial, wraps
from typing import Any, ParamSpec

import pytest
from django.db import OperationalError, connection

from syncing import readers
from syncing.cursors import Cursor
from syncing.feed import Hub
from syncing.stream import Asked, Stream
from syncing.wire import Piece
from syncing.wire import Wire as ServersWire
from tests.syncing.terminal import Frame

P = ParamSpec("P")


def alone(test: Callable[P, None]) -> Callable[P, None]:
    """Runs ``test`` in a thread of its own: Playwright keeps an event loop running in the main one."""

    @wraps(test)
    def in_a_thread(*args: P.args, **kwargs: P.kwargs) -> None:
        def run() -> None:
            try:
                test(*args, **kwargs)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(run).result()

    return in_a_thread


class Turnstile(Executor):
    """Takes the place of the threads for reading: lets one read through at a time, in and out."""

    def __init__(self) -> None:
        self.is_open = True
        self.failures = 0  # so many of the next reads fail
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._answered: deque[tuple[Future[Any], Any, Exception | None]] = deque()

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((partial(call, *args, **kwargs), future))
        return future

    def let_one_read(self) -> bool:
        """The oldest read looks at the database; its answer waits. False when none wants to."""
        if not self._waiting:
            return False
        call, future = self._waiting.popleft()
        if self.failures:
            self.failures -= 1
            self._answered.append((future, None, OperationalError("the database is away")))
        else:
            try:
                self._answered.append((future, call(), None))
            except Exception as error:  # noqa: BLE001 - whatever a read raises belongs to who asked for it
                self._answered.append((future, None, error))
        return True

    def let_one_answer(self) -> bool:
        """The oldest answer comes back. False when there is none."""
        if not self._answered:
            return False
        future, result, error = self._answered.popleft()
        if future.set_running_or_notify_cancel():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        return True


def read_through(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every read of streams and hub goes through ``executor`` until the test ends."""
    for threads in ("threads", "hub_thread"):
        monkeypatch.setattr(readers, threads, executor)


class Wire(ServersWire):
    """A connection: what the server sent and the reader has not taken; it takes nothing while it is stalled.

    One that ``is_direct`` takes what it is offered without a task; ``offered`` counts that.
    """

    def __init__(self, names: Sequence[str], cursor: str | None, *, is_direct: bool) -> None:
        super().__init__(self._take_when_it_reads)
        self.names, self.cursor, self.is_direct = names, cursor, is_direct
        self.frames: list[Frame] = []
        self.delivered = self.offered = 0
        self.task: asyncio.Task[None] | None = None
        self._may_send, self._is_complete = asyncio.Event(), asyncio.Event()
        self._may_send.set()

    async def _take_when_it_reads(self, event: Any) -> None:
        await self._may_send.wait()
        self._take(event.get("body", b""))
        if not event.get("more_body", True):
            self._is_complete.set()

    async def receive(self) -> Any:
        await self._is_complete.wait()
        return {"type": "http.disconnect"}

    def offer(self, piece: Piece) -> bool:
        if not self.is_direct or self.is_stalled:
            return False
        self._take(piece.data)
        self.offered += 1
        return True

    def _take(self, data: bytes) -> None:
        for text in data.split(b"\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in text.decode().split("\n"))
            self.frames.append(Frame(lines["id"], lines["event"], json.loads(lines["data"])))

    def stall(self, *, stalled: bool) -> None:
        if stalled:
            self._may_send.clear()
        else:
            self._may_send.set()

    def arrived(self) -> list[Frame]:
        """The frames since the last call."""
        new = self.frames[self.delivered :]
        self.delivered = len(self.frames)
        return new

    @property
    def is_stalled(self) -> bool:
        return not self._may_send.is_set()

    @property
    def is_over(self) -> bool:
        return self.task is None or self.task.done()


class Process:
    """A hub and the streams that it feeds. The reads go through ``turnstile``."""

    def __init__(self, turnstile: Turnstile) -> None:
        self.turnstile = turnstile
        self.loop = asyncio.new_event_loop()
        self.hub = Hub()
        self._hub_task = self.loop.create_task(self.hub.run())
        self._wires: list[Wire] = []

    def until_idle(self) -> None:
        """Everything runs until it waits: for a ring, for a reader, or at the turnstile when that is closed."""
        self._spin()
        while self.turnstile.is_open and (self.turnstile.let_one_read() or self.turnstile.let_one_answer()):
            self._spin()

    def ring(self) -> None:
        self.hub.ring()
        self.until_idle()

    def connect(self, names: Sequence[str], cursor: str | None, *, is_direct: bool = True) -> Wire:
        wire = Wire(names, cursor, is_direct=is_direct)
        wire.task = self.loop.create_task(self._carry(wire))
        self._wires.append(wire)
        self.until_idle()
        return wire

    async def _carry(self, wire: Wire) -> None:
        await self.hub.refresh()
        asked = Asked(tuple(sorted(wire.names)), Cursor.parse(wire.cursor) if wire.cursor else None)
        await Stream(self.hub, asked, wire).run(wire.receive)

    def disconnect(self, wire: Wire) -> None:
        if wire.task is not None:
            wire.task.cancel()
        self.until_idle()

    def end_lives(self) -> None:
        """The life of every stream is over."""
        for group in self.hub.groups.values():
            for subscription in group.members:
                subscription.end()
        self.until_idle()

    def stop(self, *, gracefully: bool) -> None:
        """The process ends; gracefully every reader that reads gets all that is queued for it, and a bookmark."""
        if gracefully:
            self.hub.close()
            self.until_idle()
        tasks = [self._hub_task, *(wire.task for wire in self._wires if wire.task is not None)]
        for task in tasks:
            task.cancel()
        self.until_idle()
        while self.turnstile.let_one_read() or self.turnstile.let_one_answer():
            pass  # nobody waits for them any more
        self._spin()
        for task in tasks:
            assert task.done()
            if not task.cancelled() and (error := task.exception()):
                try:
                    raise error
                except* OperationalError:
                    pass
        self.loop.close()

    def _spin(self) -> None:
        while True:
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            if not self.loop._ready:  # type: ignore[attr-defined]  # there is no public way to ask for idleness
                return
