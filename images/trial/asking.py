"""What /readyz says of the storage. Threads ask it, so one that hangs delays nobody for longer than a moment."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar
from uuid import UUID

from images.blobs import Blobs, StorageUnavailable
from images.identity import belongs, marker

from .writing import write_briefly, write_once

WAIT_SECONDS = 2.0  # for an answer, from when the question was asked
REMEMBERED_SECONDS = 30.0  # a verdict on writing
WHOLE_SECONDS = 3600.0  # for which a whole trial needs no other one while brief writes go well

T = TypeVar("T")


class Question(Generic[T]):
    """``ask`` runs in a thread, once at a time: whoever comes meanwhile waits for the same answer.

    An answer holds for ``good`` seconds, and until the next one is there; a refusal for ``bad`` seconds.
    """

    def __init__(self, ask: Callable[[], T], *, good: float = 0.0, bad: float = 0.0) -> None:
        self._ask, self._good, self._bad = ask, good, bad
        self._lock = threading.Lock()
        self._running: Future[T] | None = None
        self._since = 0.0
        self._last: Future[T] | None = None
        self._until = 0.0

    def answer(self) -> T | None:
        """None: there is no answer yet, ``WAIT_SECONDS`` after the question was asked. Raises what ``ask`` raises."""
        with self._lock:
            if self._last is not None and time.monotonic() < self._until:
                return self._last.result()
            if self._running is None:
                self._running, self._since = Future(), time.monotonic()
                threading.Thread(target=self._run, args=(self._running,), name="storage", daemon=True).start()
            running, before = self._running, self._last if self._good else None
            seconds = max(self._since + WAIT_SECONDS - time.monotonic(), 0.0)
        if wait([running], seconds).done:
            return running.result()
        return None if before is None else before.result()

    def _run(self, future: Future[T]) -> None:
        try:
            answer, error = self._ask(), None
        except BaseException as raised:  # noqa: BLE001 - whatever it is, those who wait get it
            answer, error = None, raised.with_traceback(None)  # frames hold what a request held
        with self._lock:
            self._last, self._running = future, None
            self._until = time.monotonic() + (self._bad if error else self._good)
        if error:
            future.set_exception(error)
        else:
            future.set_result(answer)  # type: ignore[arg-type]  # there was no error


class Trial:
    """What is asked of one store."""

    def __init__(self, store: Blobs) -> None:
        self.store = store
        self.reading = Question(self.read)
        self.writing = Question(self.write, good=REMEMBERED_SECONDS, bad=REMEMBERED_SECONDS)
        self.whole_until = 0.0  # time.monotonic

    def read(self) -> tuple[UUID | None]:
        return (marker(self.store),)

    def write(self) -> bool:
        if time.monotonic() < self.whole_until:
            try:
                write_briefly(self.store)
            except StorageUnavailable:
                self.whole_until = 0.0
                raise
            return True
        write_once(self.store)
        self.whole_until = time.monotonic() + WHOLE_SECONDS
        return True


_trials: dict[tuple[str, str | None], Trial] = {}


def verdict(store: Blobs) -> str:
    """Says when a write is still being tried; empty when ``store`` answers, is ours, and takes what uploads write.

    It is read each time. A write is tried at the first question and once an hour as uploads do it, and else briefly,
    every half a minute. Takes ``WAIT_SECONDS`` for each of both at most. Raises StorageUnavailable.
    """
    trial = _trials.setdefault((store.name, store.endpoint), Trial(store))
    found = trial.reading.answer()
    if found is None:
        raise StorageUnavailable(f"{store.name}: no answer within {WAIT_SECONDS:g} s", kind="timeout")
    belongs(found[0])
    return "" if trial.writing.answer() else "a write is being tried"


def forget() -> None:
    """The next question is asked of the store again."""
    _trials.clear()
