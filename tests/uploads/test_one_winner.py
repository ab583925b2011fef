"""Two workers, a late one, a message that comes twice: the row decides who works and whose work counts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Product
from images.blobs import BlobMissing, StorageUnavailable
from images.models import Image
from images.normalize import NoMemory
from uploads import pipeline, reconciliation
from uploads.models import Photo

from .conftest import is_there, picture, state

DATA = picture()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_fetches_the_photo(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA)
    workers, fetched, fetch = Barrier(2), [], pipeline.fetch

    def counted(photo: Photo) -> bytes:
        fetched.append(photo.lease)
        return fetch(photo)

    monkeypatch.setattr(pipeline, "fetch", counted)

    def work(_: int) -> None:
        try:
            workers.wait(10)
            pipeline.process(photo_id=photo.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, len(fetched)) == ("ready", 1, 1)
    assert Image.objects.count() == 1


def test_a_message_that_comes_twice_does_its_work_once(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(DATA)
    pipeline.process(photo_id=photo.pk)
    before = Photo.objects.values().get()

    pipeline.process(photo_id=photo.pk)

    assert Photo.objects.values().get() == before


def test_a_worker_whose_lease_was_taken_changes_nothing_at_the_end(
    make_photo: Callable[..., Photo], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA, product=product)
    fetch, other = pipeline.fetch, uuid4()

    def slowly(photo: Photo) -> bytes:
        Photo.objects.filter(pk=photo.pk).update(lease=other)
        return fetch(photo)

    monkeypatch.setattr(pipeline, "fetch", slowly)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    product.refresh_from_db()
    assert (photo.status, photo.lease, photo.image_id) == ("processing", other, None)
    assert product.image_id is None
    assert is_there(photo)


@pytest.mark.parametrize("failure", [pipeline.SizeDiffers, BlobMissing, StorageUnavailable, ValueError])
def test_a_worker_whose_lease_was_taken_fails_for_itself_alone(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    photo = make_photo(DATA)
    other = uuid4()

    def slowly(photo: Photo) -> bytes:
        Photo.objects.filter(pk=photo.pk).update(lease=other)
        raise failure

    monkeypatch.setattr(pipeline, "fetch", slowly)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.lease, photo.attempts, photo.error) == ("processing", other, 1, "")


def test_a_worker_that_slept_through_its_lease_leaves_the_photo_to_the_next(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch, sent: list[str]
) -> None:
    photo = make_photo(DATA)
    fetch = pipeline.fetch

    def asleep(photo: Photo) -> bytes:
        """Meanwhile the lease runs out, and another worker does it all."""
        monkeypatch.setattr(pipeline, "fetch", fetch)
        data = fetch(photo)
        reconciliation.scan(now=timezone.now() + timedelta(minutes=2))
        pipeline.process(photo_id=photo.pk)
        assert state(photo) == "ready"
        return data

    monkeypatch.setattr(pipeline, "fetch", asleep)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts) == ("ready", 2)


def test_a_photo_that_is_deleted_while_a_worker_has_it_stays_deleted(
    make_photo: Callable[..., Photo], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA, product=product)
    fetch = pipeline.fetch

    def meanwhile(photo: Photo) -> bytes:
        data = fetch(photo)
        Photo.objects.all().delete()
        return data

    monkeypatch.setattr(pipeline, "fetch", meanwhile)
    pipeline.process(photo_id=photo.pk)

    product.refresh_from_db()
    assert not Photo.objects.exists()
    assert product.image_id is None


def test_ready_and_shown_are_one_transaction(
    make_photo: Callable[..., Photo], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA, product=product)

    def broken(**_: object) -> bool:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(pipeline, "show_image", broken)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.image_id, photo.error) == ("pending", None, "processing_failed")


def test_a_photo_for_which_there_is_no_memory_is_tried_again(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA)

    def short(**_: object) -> None:
        raise NoMemory("There is no memory for this picture just now.")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "keep_image", short)
        pipeline.process(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error) == ("pending", 1, "processing_failed")
    assert is_there(photo)

    pipeline.process(photo_id=photo.pk)
    assert state(photo) == "ready"
