"""Two workers, a late one, a message that comes twice: the row decides who works and whose work counts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from catalog.models import Product
from images import store
from images.blobs import BlobMissing, StorageUnavailable
from images.models import Image
from images.normalize import normalize
from normalform import NoMemory
from tests.parts import wait_until
from uploads import originals, pipeline, reconciliation
from uploads.models import Photo
from uploads.pipeline import NotAsDeclared

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


@pytest.mark.parametrize("failure", [NotAsDeclared("size_mismatch", ""), BlobMissing, StorageUnavailable, ValueError])
def test_a_worker_whose_lease_was_taken_fails_for_itself_alone(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch, failure: Exception | type[Exception]
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

    def broken(*_: object, **__: object) -> bool:
        product.refresh_from_db()
        assert product.image_id, "it shows the image already"
        raise RuntimeError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "hold_image", broken)
        pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    product.refresh_from_db()
    assert (photo.status, photo.image_id, photo.error) == ("pending", None, "processing_failed")
    assert product.image_id is None
    assert Image.objects.usable().count() == 1, "nobody waits for a claim on it"


@pytest.mark.django_db(transaction=True)
def test_workers_that_wait_for_a_dead_one_with_the_same_picture_all_make_their_photos_ready(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None takes the claim of one that is alive, however long it waited for the dead one itself."""
    monkeypatch.setattr(store, "PATIENCE", timedelta(seconds=1))
    normal = normalize(DATA, quality=settings.IMAGE_QUALITY)
    assert store.claim_new(sha256(normal.data).hexdigest(), normal, timezone.now())  # and dies
    photos = [make_photo(DATA) for _ in range(3)]

    def work(photo: Photo) -> None:
        try:
            pipeline.process(photo_id=photo.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, photos))

    found = Photo.objects.filter(pk__in=[photo.pk for photo in photos])
    assert set(found.values_list("status", "attempts", "error")) == {("ready", 1, "")}


def test_a_photo_whose_image_was_taken_over_is_finished_all_the_same(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, write, claims = make_photo(DATA), store.write, []

    def overtaken(name: str, data: bytes) -> None:
        write(name, data)
        claims.append(Image.objects.get().wanted_at)
        if len(claims) == 1:
            assert store.take_over(Image.objects.get(), timezone.now())
            Image.objects.update(wanted_at=store.RELEASED)  # and whoever did gave up

    monkeypatch.setattr(store, "write", overtaken)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error) == ("ready", 1, "")
    assert len(set(claims)) == 2
    assert Image.objects.usable().count() == 1


@pytest.mark.parametrize("step", ["write", "mark_stored"])
def test_a_worker_that_is_stopped_stops_whatever_else_fails(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    photo = make_photo(DATA)

    def stopped(*_: object, **__: object) -> None:
        raise SystemExit

    def broken(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(store, step, stopped)
    monkeypatch.setattr(store, "let_go", broken)
    with pytest.raises(SystemExit):
        pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error) == ("pending", 0, "")


def test_a_worker_that_is_stopped_while_it_finishes_gives_the_photo_back(
    make_photo: Callable[..., Photo], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA, product=product)

    def stopped(**_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(pipeline, "hold_image", stopped)
    with pytest.raises(SystemExit):
        pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    product.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error, product.image_id) == ("pending", 0, "", None)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_waits_for_its_product_holds_neither_the_photo_nor_the_picture(
    make_photo: Callable[..., Photo], product: Product
) -> None:
    """Whoever deletes the product would wait for the photo, and whoever adds the same picture for the picture."""
    photo = make_photo(DATA, product=product)

    def work() -> None:
        try:
            pipeline.process(photo_id=photo.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = Product.objects.select_for_update().get(pk=product.pk)
            working = pool.submit(work)
            # Of pg_locks: in a transaction pg_stat_activity stays as it was when it was first looked at.
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            with connection.cursor() as cursor:
                wait_until(lambda: cursor.execute(waiting).fetchone() == (1,), what="a worker that waits")
            assert Image.objects.select_for_update(nowait=True).get().status == Image.Status.STORED
            held.delete()  # takes the product from the photo
        working.result(10)

    photo.refresh_from_db()
    assert (photo.status, photo.product_id, photo.attempts) == ("ready", None, 1)


def test_a_late_worker_leaves_the_picture_stored_and_the_photo_alone(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, finish = make_photo(DATA), pipeline.finish

    def late(mine: Photo, hash: str, *, now: datetime) -> None:
        Photo.objects.update(lease=uuid4())
        finish(mine, hash, now=now)

    monkeypatch.setattr(pipeline, "finish", late)
    pipeline.process(photo_id=photo.pk)

    assert state(photo) == "processing"
    assert Image.objects.usable().count() == 1


def test_the_original_goes_once_the_photo_is_safe(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, drop, seen = make_photo(DATA), originals.drop_original, []

    def look(photo_id: UUID) -> None:
        seen.append(state(photo_id))
        drop(photo_id)

    monkeypatch.setattr(pipeline, "drop_original", look)
    pipeline.process(photo_id=photo.pk)

    assert seen == ["ready"]
    assert not is_there(photo)


def test_a_photo_for_which_there_is_no_memory_is_tried_again(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA)

    def short(**_: object) -> None:
        raise NoMemory("There is no memory for this picture just now.")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "add_image", short)
        pipeline.process(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error) == ("pending", 1, "processing_failed")
    assert is_there(photo)

    pipeline.process(photo_id=photo.pk)
    assert state(photo) == "ready"
