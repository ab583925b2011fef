"""The resources in a local file, kept current by one process, readable by all, also without a network."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from ._backoff import Backoff
from ._bridge import Bridge
from ._errors import NotAllowed, NotEnrolled, PosclientError, ServerUnavailable
from ._files import Lock, private_folder
from ._following import Follower
from ._images import ImageCache
from ._rules import OutOfStep, Rules
from ._settling import Settling
from ._sqlite import is_damage
from ._store import Row, Store
from ._stream import EventStream, hear

log = logging.getLogger("posclient")

POLL_SECONDS = 0.05  # how soon a process that only reads notices what the writing one wrote
SUCCEED_SECONDS = 1.0  # how soon another process takes over when the writing one has ended
PREFETCH_SECONDS = 10.0
EXPECTED = (PosclientError, OutOfStep, sqlite3.Error, OSError)


class State(StrEnum):
    OFFLINE = "offline"  # the server can't be reached; it is tried again
    CATCHING_UP = "catching up"  # connected, and something is known to be missing
    LIVE = "live"  # connected, and nothing is known to be missing
    FOLLOWING = "following"  # another process of this terminal is connected
    REFUSED = "refused"  # the device was revoked or its token replaced; nothing is tried again
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Update:
    """What a subscriber is told of one object. ``data`` is the object as it is now, None when it is gone.

    ``reloaded`` with id None stands for very many changes of the resource at once: read it again.
    """

    resource: str
    action: Literal["created", "updated", "deleted", "reloaded"]
    id: str | None
    version: int
    data: dict[str, Any] | None


Subscriber = Callable[[list[Update]], None]


class Replica:
    """The server's resources in ``folder``. Reading works at once, with what was there before; ``start`` connects.

    Of all processes that share the folder one is connected; the others see what it writes within a moment, and take
    over when it ends.

    ``resources``: those that are kept; None: all that the server has. ``images``: where a changed product's new
    picture is fetched to before the change is written and told, for at most ``prefetch_seconds``; None: it isn't.
    ``poll_seconds``: ask so often instead of listening, where something between us and the server swallows streams.
    """

    def __init__(
        self,
        bridge: Bridge,
        folder: Path,
        *,
        resources: Collection[str] | None = None,
        images: ImageCache | None = None,
        prefetch_seconds: float = PREFETCH_SECONDS,
        poll_seconds: float | None = None,
    ) -> None:
        self.bridge = bridge
        self.poll_seconds = poll_seconds
        self.resources = None if resources is None else tuple(sorted(resources))
        self.store = Store(private_folder(folder) / "replica.sqlite3")
        self._writer = Lock(folder / "replica.lock")
        self._settling = Settling(bridge, self.store, images, prefetch_seconds)
        self._subscribers: list[tuple[str | None, Subscriber]] = []
        self._state = State.OFFLINE
        self._last_error: Exception | None = None
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._changed = threading.Condition()
        self._stream: EventStream | None = None
        self._thread: threading.Thread | None = None
        with self._repairing():
            self.store.standing()

    # --- Reading ----------------------------------------------------------------------------------------------
    def get(self, resource: str, id: str) -> dict[str, Any] | None:
        """The object, None when there is none."""
        return self.store.get(resource, id)

    def all(self, resource: str) -> list[dict[str, Any]]:
        """Every object of the resource, by id."""
        return self.store.all(resource)

    def count(self, resource: str) -> int:
        return self.store.count(resource)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All that this thread reads within is one consistent state."""
        with self.store.reading():
            yield

    @property
    def epoch(self) -> str | None:
        return self.store.standing()[0]

    @property
    def versions(self) -> dict[str, int | None]:
        """The version of each resource; None: it has to be fetched again."""
        return self.store.standing()[1]

    @property
    def last_sync_time(self) -> float | None:
        """When the server was last known to be in step with us (seconds since 1970), also from earlier runs."""
        return self.store.standing()[3]

    @property
    def state(self) -> State:
        return self._state

    @property
    def last_error(self) -> Exception | None:
        """Why it isn't live."""
        return self._last_error

    # --- Hearing ----------------------------------------------------------------------------------------------
    def subscribe(self, callback: Subscriber, resource: str | None = None) -> Callable[[], None]:
        """Calls ``callback`` with the updates of each step, after it was written; of one ``resource`` or of all.

        It is called in the replica's thread: what it raises is logged. The result ends the subscription.
        """
        entry = (resource, callback)
        self._subscribers.append(entry)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._subscribers.remove(entry)

        return unsubscribe

    def wait_for(self, true: Callable[[], object], *, seconds: float) -> bool:
        """Whether ``true()`` came about in time; looked at after every step and every change of state."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not true():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.5))
        return True

    def wait_until_live(self, seconds: float = 30.0) -> bool:
        """Whether all is here and current (or another process sees to it) in time."""
        return self.wait_for(self._is_current, seconds=seconds)

    def _is_current(self) -> bool:
        if self._state is State.FOLLOWING:
            versions = self.versions
            return bool(versions) and None not in versions.values()
        return self._state is State.LIVE

    # --- Running ----------------------------------------------------------------------------------------------
    def start(self) -> Self:
        """Connects, in a thread, and stays connected until ``close``."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="posclient-replica", daemon=True)
            self._thread.start()
        return self

    def hurry(self) -> None:
        """Connects now instead of later: whoever calls it knows that the network is back."""
        self._hurry.set()

    def close(self) -> None:
        self._stopping.set()
        self._hurry.set()
        if (stream := self._stream) is not None:
            stream.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._writer.release()
        self._set_state(State.CLOSED)
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def catch_up(self) -> None:
        """Fetches once what is missing, without a stream. Raises what the bridge raises, and StorageFull.

        While another process is connected there is nothing to do.
        """
        if self._thread is not None or not self._writer.take():
            return
        try:
            with self._repairing():
                self._poll(self._rules())
        finally:
            self._writer.release()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if not self._writer.take():
                    self._follow()
                    continue
                wait = 0.0
                with self._repairing():
                    wait = self._live(backoff) if self.poll_seconds is None else self._poll_forever()
                self._last_error = None
            except (NotEnrolled, NotAllowed) as error:
                log.error("the server refuses this device: %s", error)
                self._set_state(State.REFUSED, error)
                self._writer.release()
                return
            except Exception as error:  # whatever it is, a terminal tries again
                connected_for = time.monotonic() - began if self._state is State.LIVE else 0.0
                asked = error.retry_after if isinstance(error, ServerUnavailable) else None
                wait = backoff.failed(connected_for=connected_for, retry_after=asked)
                if not isinstance(error, EXPECTED):
                    log.exception("the replica failed, again in %.1f s", wait)
                elif not self._stopping.is_set():
                    log.info("not connected, again in %.1f s: %s", wait, error)
                self._set_state(State.OFFLINE, error)
            self._hurry.wait(wait)
            self._hurry.clear()

    def _live(self, backoff: Backoff) -> float:
        """Carries one stream until it ends in order; returns the seconds until the next one."""
        rules = self._rules()
        resumed = rules.cursor is not None
        with EventStream(self.bridge, rules.cursor, self.resources) as stream:
            self._stream = stream
            began = time.monotonic()
            try:
                if self._stopping.is_set():
                    return 0.0
                for frames in stream:
                    for frame in frames:
                        hear(rules, frame, resumed=resumed)
                    self._settle(rules, stream, backoff)
                    if self._stopping.is_set():
                        return 0.0
                    if rules.is_current and any(frame.event == "bookmark" for frame in frames):
                        self.store.note_sync(now=self.bridge.now())
                return backoff.ended(connected_for=time.monotonic() - began, retry_ms=stream.retry_ms)
            finally:
                self._stream = None

    def _poll_forever(self) -> float:
        assert self.poll_seconds is not None
        while not self._stopping.is_set():
            self._poll(self._rules())
            self._set_state(State.LIVE)
            self._stopping.wait(self.poll_seconds)
        return 0.0

    def _poll(self, rules: Rules) -> None:
        """Asks where the server stands, and fetches what is behind."""
        try:
            self._settling.hear_status(rules, self.bridge.get_json("/api/sync/status"))
        except ServerUnavailable as error:
            # Without an answer nothing is known, and nothing has changed; a server that can't say is another matter.
            if error.status is None or error.retry_after is not None:
                raise
            rules.forget()
        for told in self._settling.settle(rules, self._stopping):
            self._tell(told)

    def _settle(self, rules: Rules, stream: EventStream, backoff: Backoff) -> None:
        """Does what the rules want. What can't be had just now is asked for again while the stream is there."""
        while not self._stopping.is_set():
            if not rules.is_current:
                self._set_state(State.CATCHING_UP, self._last_error)
            try:
                for told in self._settling.settle(rules, self._stopping):
                    self._tell(told)
            except ServerUnavailable as error:
                if stream.has_ended:
                    raise
                self._set_state(State.CATCHING_UP, error)
                self._hurry.wait(backoff.failed(connected_for=0.0, retry_after=error.retry_after))
                self._hurry.clear()
                continue
            if rules.is_current:
                self._set_state(State.LIVE)
            return

    def _follow(self) -> None:
        """Another process writes: tells what it changed, until it ends or we do."""
        follower = Follower(self.store)
        self._set_state(State.FOLLOWING)
        looked = time.monotonic()
        while not self._stopping.wait(POLL_SECONDS):
            for told in follower.news():
                self._tell(told)
            if time.monotonic() - looked > SUCCEED_SECONDS:
                looked = time.monotonic()
                if self._writer.take():
                    for told in follower.news():
                        self._tell(told)
                    return

    def _rules(self) -> Rules:
        epoch, versions, cursor, _at = self.store.standing()
        if self.resources is not None:
            versions = {name: at for name, at in versions.items() if name in self.resources}
        return Rules(epoch, versions, cursor, self.resources)

    @contextmanager
    def _repairing(self) -> Iterator[None]:
        """A damaged file begins anew, when it is ours to write; the error is raised while we aren't sure."""
        try:
            yield
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            mine = self._writer.is_held
            if mine or self._writer.take():
                self.store.begin_anew(error)
                self.store.standing()
                if not mine:
                    self._writer.release()

    def _tell(self, rows: list[Row]) -> None:
        updates = [
            Update(resource, action, id, version, self.store.get(resource, id) if id and action != "deleted" else None)
            for resource, action, id, version in rows
        ]
        for resource, callback in list(self._subscribers):
            wanted = [update for update in updates if resource in (None, update.resource)]
            if wanted:
                try:
                    callback(wanted)
                except Exception:
                    log.exception("a subscriber failed")
        with self._changed:
            self._changed.notify_all()

    def _set_state(self, state: State, error: Exception | None = None) -> None:
        self._state = state
        self._last_error = error
        with self._changed:
            self._changed.notify_all()
