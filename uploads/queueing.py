"""From a pending row to a message for a worker: not twice, and never before the commit.

The row is the outbox. A message that gets lost costs time only: reconciliation queues the photo again.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

from .broker import IMAGES, LARGE_IMAGES
from .models import Photo

logger = logging.getLogger(__name__)

PROCESS_PHOTO = "uploads.tasks.process_photo"  # by its name: workers import the tasks, and the tasks import this
# How long a message may be under way before another is sent. A second one is harmless, only useless.
QUEUED_FOR = timedelta(minutes=2)


def queue(*, photos: Iterable[Photo], now: datetime) -> int:
    """Queue pending photos, except those that changed since they were read; how many this call queued."""
    until = now + QUEUED_FOR
    with transaction.atomic():
        queued = unchanged(photos)
        if queued:
            rows = Photo.objects.filter(pk__in=[photo.pk for photo in queued])
            rows.update(queued_until=until, error="", error_detail="")
            transaction.on_commit(partial(send, queued, until), robust=True)
    return len(queued)


def unchanged(photos: Iterable[Photo]) -> list[Photo]:
    """Those that are still pending and that nobody queued since, held until the end of the transaction."""
    read = {photo.pk: photo for photo in photos}
    # In one order, so that two passes never wait for each other in a circle.
    held = Photo.objects.pending().filter(pk__in=read).order_by("pk").select_for_update(no_key=True)
    now = {pk: (queued_until,) for pk, queued_until in held.values_list("pk", "queued_until")}
    return [photo for pk, photo in read.items() if now.get(pk) == (photo.queued_until,)]


def send(photos: list[Photo], until: datetime) -> None:
    """Sends one message for each photo; when the broker fails, the rest are marked as not queued and left to a pass."""
    for index, photo in enumerate(photos):
        try:
            send_one(photo)
        except Exception:
            left = photos[index:]
            logger.exception("queueing failed photos=%d; reconciliation will do it", len(left))
            unsent = Photo.objects.pending().filter(pk__in=[photo.pk for photo in left], queued_until=until)
            unsent.update(queued_until=None)
            return


def send_one(photo: Photo) -> None:
    """Asks whichever worker comes first to process the photo. Raises what Celery does when the broker fails."""
    queue = LARGE_IMAGES if photo.size >= settings.LARGE_PHOTO_BYTES else IMAGES
    current_app.send_task(PROCESS_PHOTO, [str(photo.pk)], queue=queue)
