"""The resources in a local file, kept current by one process, readable by all, also without a network.

Longer than most: whoever reads, hears or waits asks the thread that keeps it current, so all of it is one class.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from ._backoff import Backoff
from ._bridge import Bridge
from ._catching_up import CatchingUp
from ._errors import NotAllowed, NotEnrolled, PosclientError, ServerUnavailable
from ._files import private_folder
from ._images import ImageCache
from ._locks import Lock
from ._replica_store import Follower, ReplicaStore, Row
from ._rules import Rules
from ._sqlite import is_damage
from ._stream import EventStream, hear
from ._subscriptions import Subscriber, Subscriptions, Update

logger = logging.getLogger("posclient")

POLL_SECONDS = 0.05  # how soon a process that only reads notices what the writing one wrote
SUCCEED_SECONDS = 1.0  # how soon another process takes over when the writing one has ended
PREFETCH_SECONDS = 10.0
EXPECTED = (PosclientError, sqlite3.Error, OSError)


class State(StrEnum):
    OFFLINE = "offline"  # the server can't be reached; it is tried again
    CATCHING_UP = "catching up"  # connected, and something is known to be missing
    LIVE = "live"  # connected, and nothing is known to be missing
    FOLLOWING = "following"  # another process of this terminal is connected
    REFUSED = "refused"  # the device was revoked or its token replaced; nothing is tried again
    CLOSED = "closed"


class Replica:
    """The server's resources in ``folder``. Reading works at once, with what was there before; ``start`` connects.

    Of all processes that share the folder one is connected; the others see what it writes within a moment, and take
    over when it ends.

    ``resources``: those that are kept; None: all that the server has. ``images``: where a changed product's new
    image is fetched to before the change is written and told, for at most ``prefetch_seconds``; None: it isn't.
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
        self.store = ReplicaStore(private_folder(folder) / "replica.sqlite3")
        self._writer = Lock(folder / "replica.lock")
        self._catching_up = CatchingUp(bridge, self.store, images, prefetch_seconds)
        self._subscriptions = Subscriptions()
        self._state = State.OFFLINE
        self._last_error: Exception | None = None
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._stream: EventStream | None = None
        self._thread: threading.Thread | None = None
        with self._repairing():
            self.store.held()

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
        return self.store.held().epoch

    @property
    def versions(self) -> dict[str, int | None]:
        """The version of each resource; None: it has to be fetched again."""
        return self.store.held().versions

    @property
    def last_sync_time(self) -> float | None:
        """When the server was last known to be in step with us (seconds since 1970), also from earlier runs."""
        return self.store.held().last_sync_time

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
        return self._subscriptions.add(callback, resource)

    def wait_for(self, true: Callable[[], object], *, seconds: float) -> bool:
        """Whether ``true()`` came about in time; looked at after every step and every change of state."""
        return self._subscriptions.wait_for(true, seconds=seconds)

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
                logger.error("the server refuses this device: %s", error)
                self._set_state(State.REFUSED, error)
                self._writer.release()
                return
            except Exception as error:  # whatever it is, a terminal tries again
                connected_for = time.monotonic() - began if self._state is State.LIVE else 0.0
                asked = error.retry_after if isinstance(error, ServerUnavailable) else None
                wait = backoff.failed(connected_for=connected_for, retry_after=asked)
                if not isinstance(error, EXPECTED):
                    logger.exception("the replica failed, again in %.1f s", wait)
                elif not self._stopping.is_set():
                    logger.info("not connected, again in %.1f s: %s", wait, error)
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
                    self._keep_up(rules, stream, backoff)
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
        """Asks for the heads of the server, and fetches what is behind."""
        try:
            self._catching_up.ask_status(rules)
        except ServerUnavailable as error:
            # No answer, or "later": nothing is known, so nothing changes. A server that answers, but not this, may be
            # another one than before: what is held counts for nothing.
            if error.status is None or error.retry_after is not None:
                raise
            rules.forget()
        self._tell(self._catching_up.run(rules, self._stopping))

    def _keep_up(self, rules: Rules, stream: EventStream, backoff: Backoff) -> None:
        """Does what the rules want. What can't be had just now is asked for again while the stream is there."""
        while not self._stopping.is_set():
            if not rules.is_current:
                self._set_state(State.CATCHING_UP, self._last_error)
            try:
                self._tell(self._catching_up.run(rules, self._stopping))
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
            self._tell(follower.news())
            if time.monotonic() - looked > SUCCEED_SECONDS:
                looked = time.monotonic()
                if self._writer.take():
                    self._tell(follower.news())
                    return

    def _rules(self) -> Rules:
        held = self.store.held()
        versions = held.versions
        if self.resources is not None:
            versions = {name: version for name, version in versions.items() if name in self.resources}
        return Rules(held.epoch, versions, held.cursor, self.resources)

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
                self.store.held()
                if not mine:
                    self._writer.release()

    def _tell(self, steps: Iterable[list[Row]]) -> None:
        """Tells the subscribers what each step changed, as soon as it is written."""
        for rows in steps:
            self._subscriptions.tell([self._update(row) for row in rows])

    def _update(self, row: Row) -> Update:
        resource, action, id, version = row
        data = self.store.get(resource, id) if id and action != "deleted" else None
        return Update(resource, action, id, version, data)

    def _set_state(self, state: State, error: Exception | None = None) -> None:
        self._state = state
        self._last_error = error
        self._subscriptions.wake()
