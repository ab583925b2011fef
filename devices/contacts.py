"""When each device was last heard of. A request notes it in memory; a thread writes what was noted, in bulk.

So no request writes, and no read waits for SQLite's one writer. A crash loses at most ``EVERY`` seconds.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from uuid import UUID

from django import db
from django.db.models import Case, F, Q, Value, When

from .models import Device

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds between two writes
AT_ONCE = 200  # devices in one statement: its work grows with the square

_lock = threading.Lock()
_noted: dict[UUID, datetime] = {}
_writer: threading.Timer | None = None


def note(device_id: UUID) -> None:
    """``device_id`` was heard of now. Memory only; a thread writes it within ``EVERY`` seconds."""
    global _writer
    with _lock:
        _noted[device_id] = datetime.now(UTC)
        # Started by need, not by import: a process that serves nobody has no thread, and a fork gets its own.
        if _writer is None or not _writer.is_alive():
            _writer = threading.Timer(EVERY, write_what_is_left)
            _writer.name, _writer.daemon = "last-contacts", True
            _writer.start()


def noted(device_id: UUID) -> datetime | None:
    """When this process last heard of ``device_id``, if that isn't written yet."""
    with _lock:
        return _noted.get(device_id)


def flush() -> int:
    """Write what was noted; for how many devices. On an error, which is raised, all stays noted."""
    with _lock:
        due = dict(_noted)
        _noted.clear()
    try:
        _write(due)
    except BaseException:
        with _lock:
            for device_id, at in due.items():
                _noted.setdefault(device_id, at)
        raise
    return len(due)


def forget() -> None:
    """Drop what was noted, and the thread with it."""
    global _writer
    with _lock:
        _noted.clear()
        writer, _writer = _writer, None
    if writer is not None:
        writer.cancel()


def _write(seen: Mapping[UUID, datetime]) -> None:
    rows = sorted(seen.items())
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        # Another process may have heard of a device later: a contact never moves back.
        later = [
            When(Q(pk=device_id) & (Q(last_seen=None) | Q(last_seen__lt=at)), then=Value(at)) for device_id, at in some
        ]
        Device.objects.filter(pk__in=[device_id for device_id, _at in some]).update(
            last_seen=Case(*later, default=F("last_seen"))
        )


def write_what_is_left() -> None:
    """Write what was noted; a failure is logged. For the thread and for the end of the process."""
    global _writer
    with _lock:
        _writer = None  # a contact that is noted from here on starts the next one
        if not _noted:
            return
    try:
        flush()
    except db.Error as error:
        log.warning("Last contacts could not be written; they wait for the next time: %s", error)
    finally:
        db.connections.close_all()


# Not atexit, which the worker processes of a WSGI server don't reach; this runs there, and where atexit runs. uvicorn
# ends by a signal, which runs neither: config/asgi.py writes in its shutdown.
Finalize(None, write_what_is_left, exitpriority=0)
