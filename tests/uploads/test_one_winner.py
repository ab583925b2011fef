"""Two workers, a late one, a message that comes twice: the row decides who works and whose work counts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Event, get_ident
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from catalog.models import Product
from images import store
from images.blobs import BlobMissing, StorageUnavailable
from images.models import Image
from images.services import keep_image
from images.store import RELEASED, take_over
from normalform import NoMemory
from tests.parts import wait_until
from uploads import pipeline, reconciliation, tasks
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
    assert Image.objects.usable().count() == 1, "nobody waits for a claim on it"


def test_an_image_is_stored_by_the_transaction_that_makes_its_photo_ready(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, before = make_photo(DATA), []
    finish = pipeline.finish

    def look(photo: Photo, image: Image, *, now: datetime) -> None:
        before.append(Image.objects.get().status)
        finish(photo, image, now=now)

    monkeypatch.setattr(pipeline, "finish", look)
    pipeline.process(photo_id=photo.pk)

    assert before == [Image.Status.STORING]
    assert Image.objects.usable().get().pk == Photo.objects.get().image_id


def test_a_photo_whose_image_was_taken_over_is_finished_all_the_same(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, finish, turns = make_photo(DATA), pipeline.finish, []

    def overtaken(photo: Photo, image: Image, *, now: datetime) -> None:
        turns.append(image.wanted_at)
        if len(turns) == 1:
            assert take_over(Image.objects.get(), timezone.now())
            Image.objects.update(wanted_at=RELEASED)  # and whoever did gave up
        finish(photo, image, now=now)

    monkeypatch.setattr(pipeline, "finish", overtaken)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error) == ("ready", 1, "")
    assert len(set(turns)) == 2
    assert Image.objects.usable().count() == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_wait_for_a_dead_one_with_the_same_picture_all_make_their_photos_ready(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None takes the claim of one that is alive, however long he himself waited for the dead one."""
    monkeypatch.setattr(store.keep, "__kwdefaults__", {"patience": timedelta(seconds=1)})
    dead = make_photo(DATA)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "make_ready", lambda photo, _clock: keep_image(data=pipeline.fetch(photo)))
        pipeline.process(photo_id=dead.pk)  # it believes itself ready, and never finished
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


def test_a_worker_that_is_stopped_while_it_finishes_stops_whatever_else_fails(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA)

    def stopped(*_: object, **__: object) -> None:
        raise SystemExit

    def broken(_: object) -> bool:
        raise OperationalError("database is locked")

    monkeypatch.setattr(pipeline, "finish", stopped)
    monkeypatch.setattr(pipeline, "settle_image", broken)
    with pytest.raises(SystemExit):
        pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.error) == ("pending", 0, "")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_picture_whose_product_is_held_by_somebody_is_not_held_meanwhile(
    make_photo: Callable[..., Photo], product: Product
) -> None:
    """Who adds the same picture would wait for it, as long as the product is held."""
    photo = make_photo(DATA, product=product)

    def work() -> None:
        try:
            pipeline.process(photo_id=photo.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Product.objects.select_for_update().get(pk=product.pk)
            working = pool.submit(work)
            # Of pg_locks: in a transaction pg_stat_activity stays as it was when it was first looked at.
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            with connection.cursor() as cursor:
                wait_until(lambda: cursor.execute(waiting).fetchone() == (1,), what="a worker that waits")
            assert Image.objects.select_for_update(nowait=True).get().status == Image.Status.STORING
        working.result(10)

    assert state(photo) == "ready"


def test_a_late_worker_leaves_the_picture_stored_and_the_photo_alone(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, finish = make_photo(DATA), pipeline.finish

    def late(mine: Photo, image: Image, *, now: datetime) -> None:
        Photo.objects.update(lease=uuid4())
        finish(mine, image, now=now)

    monkeypatch.setattr(pipeline, "finish", late)
    pipeline.process(photo_id=photo.pk)

    assert state(photo) == "processing"
    assert Image.objects.usable().count() == 1


def test_what_is_left_to_do_is_handed_on_once_the_photo_is_safe(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(DATA)
    left: list[tuple[object, ...]] = []

    def afterwards(*what: object) -> None:
        left.append((state(photo), is_there(photo), *what))

    pipeline.process(photo_id=photo.pk, afterwards=afterwards)

    ((status, original, do, *arguments),) = left
    assert (status, original, is_there(photo)) == ("ready", True, True)
    do(*arguments)  # type: ignore[operator]
    assert not is_there(photo)


def test_what_is_left_is_done_in_a_thread_and_a_failure_is_said(caplog: pytest.LogCaptureFixture) -> None:
    go, done = Event(), []

    def fail() -> None:
        assert go.wait(10)
        done.append(get_ident())
        raise RuntimeError("no such luck")

    tasks.afterwards(fail)
    tasks.afterwards(lambda: done.append(get_ident()))
    assert done == [], "nobody waited"
    go.set()
    wait_until(lambda: len(done) == 2, what="what was left")

    assert get_ident() not in done
    wait_until(lambda: caplog.records, what="the complaint")
    assert [record.message for record in caplog.records] == ["left undone after a task"]


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
