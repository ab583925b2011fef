"""What workers do, by id; see `pipeline` and `reconciliation`."""

from uuid import UUID

from celery import shared_task
from django.conf import settings

from . import pipeline, reconciliation


# As long as a lease. A worker of threads can't end a task: there the deadline of the request does.
@shared_task(time_limit=settings.STUDIO_TIMEOUT_SECONDS + 60, soft_time_limit=settings.STUDIO_TIMEOUT_SECONDS + 50)
def generate(item_id: str) -> None:
    pipeline.generate(item_id=UUID(item_id))


@shared_task
def scan_items() -> None:
    reconciliation.scan()
