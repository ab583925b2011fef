"""What workers do, by id; see `pipeline` and `reconciliation`."""

from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import pipeline, reconciliation, upkeep
from .models import LEASE
from .services import drop_original

afterwards = ThreadPoolExecutor(1, thread_name_prefix="afterwards")


# Killed when its lease ends, so that an expired lease means that nobody works on the photo any more.
@shared_task(time_limit=LEASE.total_seconds(), soft_time_limit=LEASE.total_seconds() - 10)
def process_photo(photo_id: str) -> None:
    pipeline.process(photo_id=UUID(photo_id), drop=drop_soon)


def drop_soon(photo_id: UUID) -> None:
    """Beside whatever comes next: a disk takes milliseconds to free an original, a bucket more; nobody waits for it.

    What a worker that ends doesn't come to is left to upkeep.
    """
    afterwards.submit(drop_original, photo_id).add_done_callback(Future.result)  # what it raised is logged


@shared_task
def scan_pending_photos() -> None:
    reconciliation.scan(now=timezone.now())


@shared_task
def quarantine_orphaned_originals() -> None:
    upkeep.quarantine_orphans(now=timezone.now())
