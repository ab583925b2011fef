"""What workers do, by id; see `pipeline`, `reconciliation` and `upkeep`."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import pipeline, reconciliation, upkeep
from .models import LEASE


# Killed when its lease ends, so that an expired lease means that nobody works on the photo any more.
@shared_task(time_limit=LEASE.total_seconds(), soft_time_limit=LEASE.total_seconds() - 10)
def process_photo(photo_id: str) -> None:
    pipeline.process(photo_id=UUID(photo_id))


@shared_task
def scan_pending_photos() -> None:
    reconciliation.scan(now=timezone.now())


@shared_task
def quarantine_orphaned_originals() -> None:
    upkeep.quarantine_orphans(now=timezone.now())
