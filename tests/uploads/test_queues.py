"""Workers and a broker of their own: which photo comes first, how fast, and what a stop leaves behind."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import LazySettings, settings
from django.db import connection
from django.db.models import Max, Min
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.connection import Connection
from PIL import Image as Picture

from tests.parts import ROOT, shared_environment, start, start_valkey, wait_until
from uploads import queueing, tasks
from uploads.broker import IMAGES, LARGE_IMAGES
from uploads.models import Photo

from .conftest import picture, state

pytestmark = pytest.mark.django_db(transaction=True)

StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def folder(settings: LazySettings) -> Path:
    """The files that the workers see too."""
    return Path(settings.FILES_DIR)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> str:
    return start_valkey(tmp_path_factory.mktemp("broker") / "valkey")


@pytest.fixture
def broker(valkey: str) -> Iterator[Any]:
    """A kombu connection to a broker that the other tests' worker doesn't know, with empty queues."""
    with Connection(valkey.replace("unix://", "redis+socket://")) as connection:
        connection.default_channel.client.flushall()
        yield connection


@pytest.fixture
def start_worker(transactional_db: None, valkey: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts a worker that does one thing at a time, with these settings; it is ready when it says so."""
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=1", "--loglevel=INFO"]
    with ExitStack() as stack:

        def start_it(**environment: str) -> subprocess.Popen[bytes]:
            return start(
                [*command, "-n", "one@tests"],
                ready=lambda: " ready." in log.read_text(),
                log=log,
                on=stack,
                cwd=ROOT,
                env={**shared_environment(), "REDIS_URL": valkey, "REMAP_SIGTERM": "SIGQUIT", **environment},
            )

        yield start_it


def bitmap(shade: int) -> bytes:
    """A file of 8.1 MB that is quickly decoded."""
    buffer = BytesIO()
    Picture.new("RGB", (1800, 1500), (shade, 0, 0)).save(buffer, "BMP")
    assert len(buffer.getvalue()) > settings.LARGE_PHOTO_BYTES
    return buffer.getvalue()


def test_a_large_photo_is_queued_apart(make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, list[str], str]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, queue: sent.append((name, args, queue)))
    small, large = make_photo(size=7_999_999), make_photo(size=8_000_000)

    queueing.send([small, large], small.created_at)

    name = tasks.process_photo.name
    assert sent == [(name, [str(small.pk)], IMAGES), (name, [str(large.pk)], LARGE_IMAGES)]


def test_fifty_photos_are_queued_by_as_many_queries_as_one(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Photo] = []
    monkeypatch.setattr(queueing, "send", lambda photos, until: sent.extend(photos))
    one, *fifty = [make_photo() for _ in range(51)]
    now = timezone.now()

    with CaptureQueriesContext(connection) as for_one:
        assert queueing.queue(photos=[one], now=now) == 1
    with CaptureQueriesContext(connection) as for_fifty:
        assert queueing.queue(photos=fifty, now=now) == 50

    assert len(for_fifty) == len(for_one)
    assert sent == [one, *fifty]
    assert set(Photo.objects.values_list("queued_until", flat=True)) == {now + queueing.QUEUED_FOR}


def test_a_small_photo_does_not_wait_for_the_large_ones_before_it(
    make_photo: Callable[..., Photo], start_worker: StartWorker, broker: Any
) -> None:
    large = [make_photo(bitmap(shade), content_type="image/bmp") for shade in range(6)]
    small = make_photo(picture())
    for photo in large:
        tasks.process_photo.apply_async([str(photo.pk)], queue=LARGE_IMAGES, connection=broker)
    tasks.process_photo.apply_async([str(small.pk)], queue=IMAGES, connection=broker)

    start_worker()
    wait_until(lambda: Photo.objects.filter(status="ready").count() == 7, seconds=60, what="all photos ready")

    order = list(Photo.objects.order_by("processing_at").values_list("pk", flat=True))
    assert order.index(small.pk) <= 2
    assert set(order) == {small.pk, *(photo.pk for photo in large)}


def test_a_worker_takes_no_more_photos_a_minute_than_it_was_told(
    make_photo: Callable[..., Photo], start_worker: StartWorker, broker: Any
) -> None:
    for shade in range(4):
        photo = make_photo(picture(f"#00000{shade}"))
        tasks.process_photo.apply_async([str(photo.pk)], queue=IMAGES, connection=broker)

    start_worker(PHOTOS_PER_MINUTE="60")
    wait_until(lambda: Photo.objects.filter(status="ready").count() == 4, seconds=60, what="all photos ready")

    taken = Photo.objects.aggregate(first=Min("processing_at"), last=Max("processing_at"))
    assert (taken["last"] - taken["first"]).total_seconds() > 2  # one each second


def test_a_worker_that_is_stopped_gives_its_photo_and_its_message_back(
    make_photo: Callable[..., Photo], start_worker: StartWorker, broker: Any
) -> None:
    photo = make_photo()
    with socket.create_server(("127.0.0.1", 0)) as storage:  # takes connections and never says a word
        address = f"http://127.0.0.1:{storage.getsockname()[1]}"
        worker = start_worker(
            S3_BUCKET="b", S3_ENDPOINT_URL=address, AWS_ACCESS_KEY_ID="tests", AWS_SECRET_ACCESS_KEY="tests"
        )
        tasks.process_photo.apply_async([str(photo.pk)], queue=IMAGES, connection=broker)
        wait_until(lambda: state(photo) == "processing", what="a worker at the photo")

        worker.send_signal(signal.SIGTERM)
        worker.wait(30)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.lease) == ("pending", 0, None)
    assert broker.default_channel.client.llen(IMAGES) == 1
