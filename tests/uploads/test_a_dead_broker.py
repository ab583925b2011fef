"""A broker that is down costs time, never a photo, and never a request."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from devices.services import enroll
from tests.parts import ROOT, free_port, shared_environment
from uploads import queueing
from uploads.models import Photo
from uploads.queueing import queue
from uploads.reconciliation import Counts, scan

from .conftest import picture

DATA = picture()

# Another process, because Celery keeps its connections.
PROCESS = """
import sys, json, time, django
django.setup()
from django.conf import settings
from django.test import Client
settings.FILES_DIR = sys.argv[3]
client = Client(headers={"Authorization": "Bearer " + sys.argv[2], "Host": "localhost"})
began = time.monotonic()
answer = client.post(f"/api/photos/{sys.argv[1]}/process")
print(json.dumps([answer.status_code, answer.json(), time.monotonic() - began]))
"""


def ask_to_process(photo: Photo, folder: Path, broker: str) -> tuple[int, float, str]:
    """POST process in a process with this broker: status, seconds and its log."""
    token = enroll(name="Till 1", may_upload=True).token
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, str(photo.pk), token, str(folder)],
        cwd=ROOT,
        env=shared_environment() | {"REDIS_URL": broker},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    status, body, seconds = json.loads(done.stdout.splitlines()[-1])
    assert body == {"id": str(photo.pk), "status": "pending"}
    return status, seconds, done.stderr


@pytest.mark.django_db(transaction=True)
def test_process_succeeds_quickly_when_nobody_listens(make_photo: Callable[..., Photo], folder: Path) -> None:
    photo = make_photo(DATA)

    status, seconds, log = ask_to_process(photo, folder, f"redis://127.0.0.1:{free_port()}")

    assert (status, seconds < 2) == (202, True)
    assert "Connection refused" in log  # the broker was really asked
    assert "reconciliation will do it" in log
    assert Photo.objects.get().queued_until is None


@pytest.mark.django_db(transaction=True)
def test_process_succeeds_quickly_when_the_broker_hangs(make_photo: Callable[..., Photo], folder: Path) -> None:
    photo = make_photo(DATA)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never says a word
        status, seconds, log = ask_to_process(photo, folder, f"redis://127.0.0.1:{silent.getsockname()[1]}")

    assert (status, seconds < 4) == (202, True)
    assert "Timeout" in log
    assert Photo.objects.get().queued_until is None


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def refuse(photo: Photo) -> None:
        asked.append(str(photo.pk))
        raise ConnectionRefusedError("the broker is down")

    monkeypatch.setattr(queueing, "send_one", refuse)
    return asked


def test_a_batch_asks_a_dead_broker_once(
    make_photo: Callable[..., Photo], dead_broker: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    for _ in range(3):
        make_photo(DATA)

    with django_capture_on_commit_callbacks(execute=True):
        scan(now=timezone.now())

    assert len(dead_broker) == 1
    assert list(Photo.objects.values_list("queued_until", flat=True)) == [None, None, None]


def test_the_next_pass_queues_what_a_dead_broker_did_not_take(
    make_photo: Callable[..., Photo],
    dead_broker: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = make_photo(DATA)
    with django_capture_on_commit_callbacks(execute=True):
        queue(photos=[photo], now=timezone.now())
    assert dead_broker == [str(photo.pk)]
    sent: list[str] = []
    monkeypatch.setattr(queueing, "send_one", lambda photo: sent.append(str(photo.pk)))

    with django_capture_on_commit_callbacks(execute=True):
        assert scan(now=timezone.now()) == Counts(checked=1, requeued=1)

    assert sent == [str(photo.pk)]


def test_a_photo_that_a_worker_took_meanwhile_is_not_touched(
    make_photo: Callable[..., Photo], dead_broker: list[str]
) -> None:
    until = timezone.now() + queueing.QUEUED_FOR
    photo = make_photo(DATA, queued_until=until + queueing.QUEUED_FOR)

    queueing.send([photo], until)

    assert dead_broker
    photo.refresh_from_db()
    assert photo.queued_until == until + queueing.QUEUED_FOR


def test_two_that_queue_at_once_send_one_message(
    make_photo: Callable[..., Photo], sent: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    photo = make_photo(DATA)
    one, other = Photo.objects.get(pk=photo.pk), Photo.objects.get(pk=photo.pk)

    with django_capture_on_commit_callbacks(execute=True):
        assert queue(photos=[one], now=timezone.now()) == 1
        assert queue(photos=[other], now=timezone.now()) == 0

    assert sent == [str(photo.pk)]


def test_nothing_is_sent_before_the_commit(
    make_photo: Callable[..., Photo], sent: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue(photos=[make_photo(DATA)], now=timezone.now())
        assert sent == []
    assert len(sent) == 1
