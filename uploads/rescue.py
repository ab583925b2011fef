"""Albums whose photos this process could not queue: it reconciles them itself, a moment later.

For a broker that was away for a moment. One that stays away is asked after 1, 4 and 16 seconds; then the periodic
scan has the photos, as it also has those of a process that ends meanwhile.
"""

import logging
from collections.abc import Iterable
from threading import Lock, Timer
from uuid import UUID

from django.db import connection
from django.utils import timezone

log = logging.getLogger(__name__)

PAUSES = (1.0, 4.0, 16.0)  # seconds

lock = Lock()
albums: set[UUID] = set()
timers: list[Timer] = []  # the one that waits or works, if any


def reconcile_soon(album_ids: Iterable[UUID]) -> None:
    """Have these albums reconciled by a thread of this process; returns at once."""
    with lock:
        albums.update(album_ids)
        if not timers:
            wait_for(0)


def wait_for(turn: int) -> None:
    """Start the timer of a turn, or give up after the last. The lock is held."""
    timers.clear()
    if not albums or turn >= len(PAUSES):
        albums.clear()
        return
    timer = Timer(PAUSES[turn], take_turn, [turn])
    timer.daemon = True
    timers.append(timer)
    timer.start()


def take_turn(turn: int) -> None:
    from .reconciliation import reconcile_album  # it queues, and what can't be queued comes here

    with lock:
        due = list(albums)
        albums.clear()
    try:
        for album_id in due:
            reconcile_album(album_id=album_id, now=timezone.now())
    except Exception:
        log.exception("albums were not reconciled; the scan will do it")
    finally:
        connection.close()
        with lock:
            wait_for(turn + 1)
