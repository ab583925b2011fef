"""What workers do, by id; see `pipeline` and `reconciliation`."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import pipeline, reconciliation, upkeep
from .models import LEASE

log = logging.getLogger(__name__)


# What a task leaves to be done, while its process takes the next. It asks storage and broker, not the database; what a
# process that is killed leaves undone, upkeep finds. The thread begins with the first of it, so after the fork.
thread = ThreadPoolExecutor(1, thread_name_prefix="afterwards")


def afterwards(do: Callable[..., object], *arguments: object) -> None:
    thread.submit(do, *arguments).add_done_callback(complain)


def complain(done: Future[object]) -> None:
    if error := done.exception():
        log.error("left undone after a task", exc_info=error)


# Killed when its lease ends, so that an expired lease means that nobody works on the photo any more.
@shared_task(time_limit=LEASE.total_seconds(), soft_time_limit=LEASE.total_seconds() - 10)
def process_photo(photo_id: str) -> None:
    pipeline.process(photo_id=UUID(photo_id), afterwards=afterwards)


@shared_task
def scan_pending_photos() -> None:
    reconciliation.scan(now=timezone.now())


@shared_task
def quarantine_orphaned_originals() -> None:
    upkeep.quarantine_orphans(now=timezone.now())
