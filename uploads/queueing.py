"""From a pending row to a message for a worker: not twice, and never before the commit.

The row is the outbox. A message that gets lost costs time only: reconciliation queues the photo again.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from .models import Photo

log = logging.getLogger(__name__)

# How long a message may be under way before another is sent. A second one is harmless, only useless.
QUEUED_FOR = timedelta(minutes=2)


def queue(*, photos: Iterable[Photo], now: datetime) -> int:
    """Queue pending photos, except those that changed since they were read; how many this call queued."""
    until = now + QUEUED_FOR
    with transaction.atomic():
        queued = [photo.pk for photo in photos if mark(photo, until=until)]
        if queued:
            transaction.on_commit(partial(send, queued, until), robust=True)
    return len(queued)


def mark(photo: Photo, *, until: datetime) -> bool:
    rows = Photo.objects.pending().filter(pk=photo.pk, queued_until=photo.queued_until)
    return rows.update(queued_until=until, error="", error_detail="") == 1


def send(photo_ids: list[UUID], until: datetime) -> None:
    """One message for each photo; when the broker fails the rest count as not queued, at once."""
    from .tasks import process_photo  # the tasks call this module's callers

    for index, photo_id in enumerate(photo_ids):
        try:
            process_photo.delay(str(photo_id))
        except Exception:
            log.exception("queueing failed photos=%d; reconciliation will do it", len(photo_ids) - index)
            unsent = Photo.objects.pending().filter(pk__in=photo_ids[index:], queued_until=until)
            unsent.update(queued_until=None)
            return
