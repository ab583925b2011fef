"""How long a request waits for its picture: two seconds unless it prefers otherwise (RFC 7240), without a connection to
the database, and at most four in a process, so that the others never wait for a thread."""

import re
import threading
import time
from uuid import UUID

from django.db import connection
from django.db.models import Q

from .models import Item, Status

USUAL_SECONDS, LONGEST_SECONDS = 2, 10
PAUSE_SECONDS = 0.05
WAIT = re.compile(r"wait\s*=\s*\"?(\d{1,6})\"?", re.ASCII)

places = threading.BoundedSemaphore(4)


def seconds_of(prefer: str) -> int:
    """What a ``Prefer`` header asks for, in seconds."""
    wishes = [wish.strip().lower() for wish in prefer.split(",")]
    if found := next(filter(None, map(WAIT.fullmatch, wishes)), None):
        return min(int(found[1]), LONGEST_SECONDS)
    return 0 if "respond-async" in wishes else USUAL_SECONDS


def wait_for(item_id: UUID, *, seconds: int) -> None:
    """Until the item is under way no more, or the time is up, or at once where four wait already."""
    if not seconds or not places.acquire(blocking=False):
        return
    try:
        over = time.monotonic() + seconds
        under_way = Item.objects.filter(Q(status=Status.PENDING) | Q(status=Status.GENERATING), pk=item_id)
        while under_way.exists() and time.monotonic() < over:
            if not connection.in_atomic_block:
                connection.close()
            time.sleep(PAUSE_SECONDS)
    finally:
        places.release()
