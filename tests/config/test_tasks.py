"""Tasks are named by their addresses in several places; a name that nothing answers to would only show in a worker."""

from config.celery import app


def test_every_task_that_settings_of_celery_name_is_there() -> None:
    app.loader.import_default_modules()
    periodic = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert periodic | set(app.conf.task_routes) | set(app.conf.task_annotations) <= set(app.tasks)


def test_every_task_has_a_queue_that_workers_take_from() -> None:
    queues = {queue.name for queue in app.conf.task_queues}

    assert {app.conf.task_default_queue, *(route["queue"] for route in app.conf.task_routes.values())} <= queues
