from celery import shared_task

from images import upkeep


@shared_task
def delete_unreferenced_images() -> None:
    upkeep.delete_unreferenced()
