"""What workers do for the catalogue: long sheets, old edits."""

from celery import shared_task
from django.utils import timezone

from . import edits
from .sheets import jobs


@shared_task(time_limit=280, soft_time_limit=270)  # seconds; then the broker would deliver it again
def work_on_sheet(token: str, saving: bool, language: str) -> None:
    jobs.work(token=token, saving=saving, language=language)


@shared_task
def prune_edits() -> None:
    edits.prune(now=timezone.now())


@shared_task
def sweep_sheets() -> None:
    jobs.sweep(now=timezone.now())
