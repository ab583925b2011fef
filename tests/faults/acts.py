"""What the processes of a fault test do, and where they are killed. It sets Django up, for the fork server.

A process that is forked from there wraps the functions at whose borders it may be killed; the product knows nothing
of it. Each act ends by itself, or by SIGKILL at the step that the control file names, once for each case.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import django

django.setup()

import httpx  # noqa: E402
from botocore.config import Config  # noqa: E402
from celery import current_task  # noqa: E402
from celery.signals import task_received, worker_process_init, worker_ready  # noqa: E402
from celery.worker.request import Request  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

import images.store  # noqa: E402
import normalform.normalizer  # noqa: E402
from config.celery import app  # noqa: E402
from serving.supervisor import end_with  # noqa: E402
from uploads import pipeline, queueing, reconciliation, services, tasks, upkeep  # noqa: E402

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


claimed: list[tuple[str, str]] = []  # message and photo, of this process


# --- Where they are killed --------------------------------------------------------------------------------------
def reached(step: str, request: Request | None = None) -> None:
    """Kills whoever comes here first, if this is the step."""
    told = control()
    message, photo_id, main = "", told.photo_id, False
    if request is not None:
        message, photo_id, main = request.id, request.args[0], True
    elif current_task:
        message, photo_id = current_task.request.id, current_task.request.args[0]
    elif claimed:  # in the thread for what a task leaves to do
        message, photo_id = claimed[-1]
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


def at(owner: Any, name: str, *, before: str = "", after: str = "") -> None:
    """Makes a step of the moment before and one of that after a function's call; not after a call for nothing."""
    function = getattr(owner, name)

    @wraps(function)
    def watched(*args: Any, **values: Any) -> Any:
        if before:
            reached(before)
        result = function(*args, **values)
        if name == "claim":
            note("won" if result else "lost", current_task.request.id)
            if result:
                claimed.append((current_task.request.id, str(result.pk)))
        elif name in ("finish", "conclude"):
            note({"finish": "finished", "conclude": "concluded"}[name], claimed[-1][0])
        if after and (result is not None or name in ("send", "finish")):
            reached(after)
        return result

    setattr(owner, name, watched)


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
    images.store.keep.__kwdefaults__ = {"patience": timedelta(seconds=1)}
    at(services, "target_for", before="after the row", after="after presign")
    at(queueing, "send", before="before enqueue", after="after enqueue")
    at(pipeline, "claim", before="before claim", after="after claim")
    at(normalform.normalizer, "encode", before="during normalise")
    at(pipeline, "keep_image", after="after store")
    at(pipeline, "settle_image", after="before the final commit")
    at(pipeline, "finish", after="after the final commit")
    at(pipeline, "drop_original", before="before the drop")
    at(pipeline, "conclude")
    acknowledge, send = Request.acknowledge, tasks.process_photo.apply_async

    def acknowledge_late(request: Request) -> None:
        photo = request.task is tasks.process_photo or request.name == tasks.process_photo.name
        if photo:
            reached("before ack", request)
        acknowledge(request)
        if photo:
            note("acked", request.id)

    def send_copies(*args: Any, **values: Any) -> None:
        for _ in range(control().copies):
            message = uuid4().hex
            try:
                send(*args, **values, task_id=message)
            except Exception:
                note("unsent", message)
                raise
            note("sent", message)

    Request.acknowledge = acknowledge_late
    tasks.process_photo.apply_async = send_copies


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
    server = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    answer = server.post(f"/api/albums/{album_id}/photos", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
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
    task_received.connect(note_taken, weak=False)
    worker_ready.connect(lambda **_: control_file().with_name(f"{name}.ready").touch(), weak=False)
    sys.argv = ["celery"]
    app.worker_main(["worker", "--concurrency=1", "--loglevel=INFO", "-n", name, "--without-mingle"])


def note_taken(request: Request, **_: Any) -> None:
    """By the main process, which has it until it is acknowledged."""
    if request.name == tasks.process_photo.name:
        note("taken", request.id, os.getpid())


def end_with_main(**_: Any) -> None:
    end_with(os.getppid(), signal.SIGKILL)
