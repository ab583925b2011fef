"""The whole way with a Celery worker process, a broker and messages."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from images.models import Image
from tests.parts import wait_until
from uploads import tasks
from uploads.models import Album, Photo

from .conftest import is_there, picture, processing, put, register, state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("celery_worker_process")]
DATA = picture("#8e44ad", size=(2000, 1500))


@pytest.fixture(autouse=True)
def folder(settings: LazySettings) -> Path:
    """The files that the worker sees too."""
    return Path(settings.FILES_DIR)


def test_process_makes_a_photo_ready_and_its_product_shows_it(
    transactional_db: None, api: Client, album: Album, product: Product
) -> None:
    body = register(api, album, DATA, product=str(product.pk)).json()
    assert put(body["upload"], DATA) == 200

    assert api.post(f"/api/photos/{body['id']}/process").status_code == 202

    wait_until(lambda: state(body["id"]) == "ready", what="a ready photo")
    product.refresh_from_db()
    photo = Photo.objects.get()
    assert product.image_id == photo.image_id
    wait_until(lambda: not is_there(photo), what="a dropped original")


def test_many_messages_for_many_photos_do_each_once(transactional_db: None, make_photo: Callable[..., Photo]) -> None:
    photos = [make_photo(picture(f"#0000{shade:02x}")) for shade in range(0, 80, 10)]
    for photo in photos * 3:
        tasks.process_photo.delay(str(photo.pk))

    wait_until(lambda: Photo.objects.filter(status="ready").count() == len(photos), what="all photos ready")

    assert set(Photo.objects.values_list("attempts", flat=True)) == {1}
    assert Image.objects.count() == len(photos)


def test_the_scan_finishes_what_a_dead_worker_and_a_lost_message_left(
    transactional_db: None, make_photo: Callable[..., Photo]
) -> None:
    make_photo(DATA)
    make_photo(DATA, **processing(lease_expires_at=timezone.now()))

    tasks.scan_pending_photos.delay()

    wait_until(lambda: set(Photo.objects.values_list("status", flat=True)) == {"ready"}, what="two ready photos")
    assert Photo.objects.exclude(image=None).count() == 2


def test_a_refused_picture_fails_without_another_try(
    transactional_db: None, make_photo: Callable[..., Photo], celery_worker_process: subprocess.Popen[bytes]
) -> None:
    photo = make_photo(b"<svg/>")

    tasks.process_photo.delay(str(photo.pk))

    wait_until(lambda: state(photo) == "failed", what="a failed photo")
    photo.refresh_from_db()
    assert (photo.error, photo.attempts) == ("unsupported_image", 1)
    assert celery_worker_process.poll() is None


def test_photos_give_way_to_requests(celery_worker_process: subprocess.Popen[bytes]) -> None:
    main = celery_worker_process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()

    nice = os.getpriority(os.PRIO_PROCESS, main)
    assert nice == os.getpriority(os.PRIO_PROCESS, 0)
    assert len(children) == 2
    assert {os.getpriority(os.PRIO_PROCESS, int(child)) for child in children} == {nice + 5}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL says who is connected")
def test_a_worker_keeps_its_connections_from_task_to_task_and_replaces_dead_ones(
    transactional_db: None, make_photo: Callable[..., Photo]
) -> None:
    def process_six() -> set[int]:
        """The worker's connections afterwards."""
        photos = [make_photo(DATA) for _number in range(6)]
        for photo in photos:
            tasks.process_photo.delay(str(photo.pk))
        wait_until(lambda: {state(photo) for photo in photos} == {"ready"}, what="six ready photos")
        return backends()

    before, now = set[int](), process_six()
    rounds = 1
    while now != before:
        # Each child opens its own; one that met dead connections (tests end them) holds their replacements too.
        assert rounds < 6, "every six photos open connections"
        before, now = now, process_six()
        assert before <= now
        rounds += 1
    assert now
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [list(now)])
    assert process_six().isdisjoint(now)


def backends() -> set[int]:
    """The server processes of the worker's connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'celery worker'"
        )
        return {pid for (pid,) in cursor.fetchall()}
