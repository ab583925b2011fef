"""What the processes of a fault test do, and where they are killed. It sets Django up, for the fork server.

A process that is forked from there listens at its borders: to the statements and commits of its database, and to
Celery's signals. The product knows nothing of it, and its functions may be called what they like. Each act ends by
itself, or by SIGKILL at the step that the control file names, once for each case.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import django

django.setup()

import httpx  # noqa: E402
from botocore.config import Config  # noqa: E402
from celery import current_task  # noqa: E402
from celery.signals import (  # noqa: E402
    after_task_publish,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_ready,
)
from celery.worker.request import Request  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connections, transaction  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

import images.store  # noqa: E402
from config.celery import app  # noqa: E402
from serving.guard import end_with  # noqa: E402
from uploads import reconciliation, tasks, upkeep  # noqa: E402
from uploads.queueing import PROCESS_PHOTO  # noqa: E402

READ_SECONDS = 2.0  # a storage that is silent for longer has failed
TRIES = 3  # of the terminal, for each step


@dataclass(frozen=True)
class Control:
    """What the processes of a case are told; in a file, which the workers that live longer read anew."""

    photo_id: str
    step: str
    ledger: str  # a file, with a line for whatever happened
    whole_worker: bool = True  # a worker is killed with its main process, or only the process that has the task
    broker: int = 0  # the pid of a broker that is killed with it
    copies: int = 1  # of each message

    def write(self) -> None:
        draft = control_file().with_suffix(".new")
        draft.write_text(json.dumps(asdict(self)))
        draft.rename(control_file())


def control_file() -> Path:
    return Path(os.environ["DATA_DIR"]) / "faults-control.json"


def control() -> Control:
    return Control(**json.loads(control_file().read_text()))


def note(*words: object) -> None:
    """A line in the ledger: what, and about what."""
    with open(control().ledger, "a") as ledger:
        ledger.write(" ".join(map(str, words)) + "\n")


# --- Where they are killed --------------------------------------------------------------------------------------
def reached(step: str, request: Request | None = None) -> None:
    """Kills whoever comes here first, if this is the step."""
    told = control()
    message, photo_id, main = "", told.photo_id, False
    if request is not None:
        message, photo_id, main = request.id, request.args[0], True
    elif current_task:
        message, photo_id = current_task.request.id, current_task.request.args[0]
    if told.step != step or photo_id != told.photo_id:
        return
    try:
        os.close(os.open(f"{told.ledger}.killed", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    note("killed", message)
    with_main = message and not main and told.whole_worker
    if with_main:
        # It must not notice that the broker is gone: it would end this process, and live.
        os.kill(os.getppid(), signal.SIGSTOP)
    if told.broker:
        os.kill(told.broker, signal.SIGKILL)
    if with_main:
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Steps:
    """What the moments around a statement are called; empty where nobody is killed."""

    before: str = ""
    after: str = ""
    committed: str = ""


def steps_at(sql: str, status: str) -> Steps:
    """The steps at a statement; ``status`` is the one that an update brings."""
    match " ".join(sql.split()[:3]).replace('"', ""), status:
        case "INSERT INTO uploads_photo", _:
            return Steps(committed="after the row")
        case "UPDATE uploads_photo SET", "processing":
            return Steps(committed="after claim")
        case "INSERT INTO images_image", _:
            return Steps(before="after normalise")
        case "UPDATE images_image SET", "stored":
            return Steps(before="after store")
        case "UPDATE uploads_photo SET", "ready":
            return Steps(after="before the final commit", committed="after the final commit")
    if sql.startswith('UPDATE "uploads_photo" SET "queued_until" = %s'):
        return Steps(committed="before enqueue")
    return Steps()


def watch_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For each new connection to the database."""
    if watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(watched)


def watched(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Executes a statement. Whoever is killed around it is killed before it, after it, or after its commit."""
    steps = steps_at(sql, params[0] if params and 'SET "status"' in sql else "")
    if steps.before:
        reached(steps.before)
    result = execute(sql, params, many, context)
    changed = context["cursor"].rowcount > 0
    if steps.committed == "after claim":
        note("won" if changed else "lost", current_task.request.id)
    if changed:
        if steps.after:
            reached(steps.after)
        if steps.committed:
            transaction.on_commit(partial(reached, steps.committed))
    return result


class WatchedRequest(Request):
    """A worker's message about a photo."""

    def acknowledge(self) -> None:
        reached("before ack", self)
        super().acknowledge()
        note("acked", self.id)


def note_sent(headers: dict[str, Any], body: Any, routing_key: str, **_: Any) -> None:
    """Each message may come twice, under an id of its own."""
    note("sent", headers["id"])
    if control().copies > 1 and headers["id"] not in copies:
        copies.append(uuid4().hex)
        app.send_task(PROCESS_PHOTO, body[0], queue=routing_key, task_id=copies[-1])


copies: list[str] = []  # messages that this process sent a second time


def begin() -> None:
    """What every process of a case does first."""
    end_with(os.getppid(), signal.SIGKILL)
    log = os.open(Path(os.environ["DATA_DIR"]) / "faults.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    options: dict[str, Any] = settings.STORAGES["default"]["OPTIONS"]
    # A failure of one request is one of the operation: the retries of the S3 library are not what we look at.
    impatient = Config(read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 1})
    options["client_config"] = options["client_config"].merge(impatient)
    # Whoever is killed with a claim on an image isn't waited for that long.
    images.store.PATIENCE = timedelta(seconds=1)
    connection_created.connect(watch_statements)
    after_task_publish.connect(note_sent, sender=PROCESS_PHOTO)
    task_prerun.connect(lambda **_: reached("before claim"), sender=tasks.process_photo, weak=False)
    task_postrun.connect(lambda **_: reached("after the drop"), sender=tasks.process_photo, weak=False)
    tasks.process_photo.Request = WatchedRequest


# --- Who acts ---------------------------------------------------------------------------------------------------
def actor(orders: Connection) -> None:
    """Does one act after another, as it is told, and says when it is done; or dies in one."""
    begin()
    with suppress(EOFError):
        while True:
            act, arguments = orders.recv()
            act(*arguments)
            connections.close_all()
            orders.send("done")


def terminal(token: str, album_id: str, body: dict[str, Any], data: bytes) -> None:
    """The whole flow of a client and of the web process that serves it: register, PUT, process."""
    server = Client(headers={"Host": "localhost", "Authorization": f"Bearer {token}"}, raise_request_exception=False)
    answer = server.post(f"/api/albums/{album_id}/photos", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    reached("after presign")
    upload = answer.json()["upload"]
    for _ in range(TRIES):
        headers = {**upload["headers"], "Content-Length": str(len(data))}
        with suppress(httpx.TransportError):
            put = httpx.put(upload["url"], content=in_halves(data), headers=headers, timeout=READ_SECONDS)
            if put.status_code in (200, 412):
                break
    reached("after PUT")
    for _ in range(TRIES):
        if server.post(f"/api/photos/{body['id']}/process").status_code == 202:
            reached("after enqueue")
            break


def in_halves(data: bytes) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    reached("during PUT")
    yield data[len(data) // 2 :]


def stray(photo_id: str) -> None:
    """A message that nobody sent."""
    with suppress(Exception):  # the broker may be gone; the ledger says so
        tasks.process_photo.delay(photo_id)


def scan(minutes: float) -> None:
    """A pass of reconciliation so much later."""
    counts = reconciliation.scan(now=timezone.now() + timedelta(minutes=minutes))
    note("pass", json.dumps(asdict(counts)))


def tidy(days: float) -> None:
    """A run of upkeep so much later."""
    upkeep.quarantine_orphans(now=timezone.now() + timedelta(days=days))


def worker(name: str) -> None:
    """A Celery worker with one process for tasks."""
    begin()
    worker_process_init.connect(end_with_main, weak=False)
    worker_ready.connect(lambda **_: control_file().with_name(f"{name}.ready").touch(), weak=False)
    sys.argv = ["celery"]
    app.worker_main(["worker", "--concurrency=1", "--loglevel=INFO", "-n", name, "--without-mingle"])


def end_with_main(**_: Any) -> None:
    end_with(os.getppid(), signal.SIGKILL)
