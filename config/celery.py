"""The Celery application; its settings are in config/celeryconfig.py."""

import logging
import os
import sys
from contextlib import suppress
from typing import Any

import redis
from celery import Celery
from celery.signals import (
    before_task_publish,
    heartbeat_sent,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_shutdown,
)
from celery.worker.heartbeat import Heart
from django.db import close_old_connections

import normalform
from serving import heartbeats
from telemetry import requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class RedCoral(Celery):
    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        """Who sends a message never waits long: a request whose broker hangs (not only: is gone) ends within 2 s."""
        impatient = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        impatient |= options.pop("transport_options", None) or {}
        return super().connection_for_write(url, transport_options=impatient, **options)


app = RedCoral("redcoral")
app.config_from_object("config.celeryconfig")  # read when it is first needed: importing us reads no settings
app.autodiscover_tasks()
# Celery would close all connections, and the pool, before and after each task. Opening one takes 4 ms on SQLite, which
# reads every trigger. Instead, tasks treat connections as requests do: keep_good_connections, below.
app.conf.CELERY_DB_REUSE_MAX = sys.maxsize

logger = logging.getLogger(__name__)


@before_task_publish.connect
def name_request(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """A task belongs to the request that sent it, and so do the tasks that it sends itself."""
    if headers is not None and (request_id := requests.current.get()):
        headers["request_id"] = request_id


@task_prerun.connect
def take_request(task: Any = None, **_: Any) -> None:
    requests.current.set(str(getattr(task.request, "request_id", None) or f"task-{task.request.id}"))


@task_postrun.connect
def leave_request(**_: Any) -> None:
    requests.current.set("")


@task_prerun.connect
@task_postrun.connect
def keep_good_connections(**_: Any) -> None:
    """Close the connections that failed or are too old. Others go back to the pool, or stay open for the next task."""
    close_old_connections()


@worker_process_init.connect
def give_way(**_: Any) -> None:
    """Let requests, streams and the broker go first, but only a little: they may wait for a lock of the task."""
    os.nice(5)


@worker_process_init.connect
def keep_buffers(**_: Any) -> None:
    """For the next picture. A web process would rather have the memory."""
    normalform.keep_buffers()


trouble = ""  # with showing the heartbeat, as it was logged last: it comes every two seconds


@heartbeat_sent.connect
def show_worker_alive(sender: Heart, **_: Any) -> None:
    global trouble
    said = ""
    try:
        heartbeats.beat(sender.eventer.hostname)
    except redis.RedisError as error:
        said = str(error)
    if said and said != trouble:
        logger.warning("The worker's heartbeat could not be shown: %s", said)
    trouble = said


@worker_shutdown.connect
def show_worker_gone(sender: Any, **_: Any) -> None:
    with suppress(redis.RedisError):  # the key runs out by itself
        heartbeats.end(sender.hostname)
