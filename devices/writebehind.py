"""Write-behind: what is noted in memory is written to the database in bulk, some seconds later, by a thread.

So no request writes, and no read waits for SQLite's one writer. A crash loses what was noted since the last write.
"""

import logging
import threading
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from django import db

logger = logging.getLogger(__name__)

Key = TypeVar("Key")
Value = TypeVar("Value")

_buffers: "WeakSet[WriteBehind[Any, Any]]" = WeakSet()


class WriteBehind(Generic[Key, Value]):
    """The newest value of each key that isn't written yet."""

    def __init__(self, name: str, write: Callable[[dict[Key, Value]], None], *, seconds: float) -> None:
        """``write`` gets all that was noted in the ``seconds`` since the first of it; ``name`` is for logs."""
        self.name, self.seconds = name, seconds
        self._write = write
        self._lock = threading.Lock()
        self._noted: dict[Key, Value] = {}
        self._timer: threading.Timer | None = None
        _buffers.add(self)

    def note(self, key: Key, value: Value) -> None:
        """Memory only; a thread writes it within ``seconds``."""
        with self._lock:
            self._noted[key] = value
            # Started by need, not by import: a process that notes nothing has no thread, and a fork gets its own.
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(self.seconds, self.write_out)
                self._timer.name, self._timer.daemon = f"write-behind of {self.name}", True
                self._timer.start()

    def get(self, key: Key) -> Value | None:
        """What this process has noted of ``key`` and not written yet."""
        with self._lock:
            return self._noted.get(key)

    def flush(self) -> int:
        """Write what was noted; of how many keys. On an error, which is raised, all stays noted."""
        with self._lock:
            due, self._noted = self._noted, {}
        if due:
            try:
                self._write(due)
            except BaseException:
                with self._lock:
                    self._noted = due | self._noted
                raise
        return len(due)

    def write_out(self) -> None:
        """As ``flush``, in a thread of its own or at the end of the process. A failure of the database is logged."""
        with self._lock:
            self._timer = None  # what is noted from here on starts the next one
            if not self._noted:
                return
        try:
            self.flush()
        except db.Error as error:
            logger.warning("The %s could not be written; they wait for the next time: %s", self.name, error)
        finally:
            db.connections.close_all()

    def forget(self) -> None:
        """Drop what was noted, and the thread with it."""
        with self._lock:
            self._noted = {}
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def write_what_is_left() -> None:
    """Write all that this process has noted; for its end."""
    for buffer in list(_buffers):
        buffer.write_out()


def forget() -> None:
    """Drop all that this process has noted; between tests."""
    for buffer in list(_buffers):
        buffer.forget()


# Not atexit, which the worker processes of a WSGI server don't reach; this runs there, and where atexit runs. uvicorn
# ends by a signal, which runs neither: config/asgi.py writes in its shutdown.
Finalize(None, write_what_is_left, exitpriority=0)
