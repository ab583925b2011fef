"""Background work of sync."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from . import retention


@shared_task
def prune_changes() -> None:
    retention.prune(
        older_than=retention.age(settings.CHANGE_RETENTION_DAYS),
        more_than=settings.CHANGE_RETENTION_ROWS,
        now=timezone.now(),
    )
