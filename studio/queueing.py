"""From a pending row to a message for a worker, after the commit. The row is the outbox: a lost message costs time."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction

from .broker import STUDIO
from .models import Item, Status

logger = logging.getLogger(__name__)

GENERATE = "studio.tasks.generate"  # by its name: workers import the tasks, and the tasks import this
# How long a message may be under way before another is sent. A second one is harmless, only useless.
QUEUED_FOR = timedelta(minutes=2)


def queue(items: Iterable[UUID], *, now: datetime) -> int:
    """Queue pending items, except those that are queued already; how many this call queued. In a transaction."""
    until = now + QUEUED_FOR
    free = Item.objects.unqueued(now=now)
    fresh = {"queued_until": until, "error": "", "error_detail": ""}
    queued = [item_id for item_id in sorted(items) if free.filter(pk=item_id).update(**fresh)]
    if queued:
        transaction.on_commit(partial(send, queued, until), robust=True)
    return len(queued)


def send(items: list[UUID], until: datetime) -> None:
    """Sends a message for each item; when the broker fails, the rest count as not queued and are left to a pass."""
    for index, item_id in enumerate(items):
        try:
            current_app.send_task(GENERATE, [str(item_id)], queue=STUDIO)
        except Exception:
            logger.exception("queueing failed items=%d; reconciliation will do it", len(items) - index)
            unsent = Item.objects.filter(pk__in=items[index:], status=Status.PENDING, queued_until=until)
            unsent.update(queued_until=None)
            return
