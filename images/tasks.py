from celery import shared_task

from images.upkeep import orphans, scrub, sweep


@shared_task
def sweep_images() -> None:
    sweep.sweep()


@shared_task
def scrub_images() -> None:
    scrub.scrub()


@shared_task
def quarantine_orphaned_images() -> None:
    orphans.quarantine_orphans()
