"""Records and storage brought to agree; a second pass right after the first changes nothing."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as schedules
from hypothesis import strategies as st

from images.blobs import blobs
from uploads import originals, reconciliation
from uploads.models import MAX_ATTEMPTS, Album, Photo
from uploads.reconciliation import Counts, scan

from .conftest import PNG, later, picture, problem, processing, register, state

DATA = picture()
CLOSED = {"age": timedelta(hours=1), "upload_expires_at": timezone.now() - timedelta(minutes=10)}


def reconcile(api: Client, album: Album) -> Any:
    answer = api.post(f"/api/albums/{album.pk}/reconcile")
    assert answer.status_code == 200, answer.content
    return answer.json()


def counts(**values: int) -> dict[str, int]:
    return {"checked": 0, "requeued": 0, "cleaned": 0, "skipped": 0, "unknown": 0, **values}


def test_a_client_that_lost_the_process_step_calls_for_its_album(
    api: Client, album: Album, make_photo: Callable[..., Photo], storage: str, sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    photo = make_photo(DATA, age=timedelta(0))

    with django_capture_on_commit_callbacks(execute=True):
        first, second = reconcile(api, album), reconcile(api, album)

    assert first == counts(checked=1, requeued=1)
    assert second == counts(checked=1, skipped=1)
    assert sent == [str(photo.pk)]


def test_an_album_without_anything_under_way_costs_nothing(api: Client, album: Album) -> None:
    assert reconcile(api, album) == counts()


def test_an_album_of_several_batches_is_reconciled_whole(
    api: Client, album: Album, make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "ALBUM_BATCH", 2)
    for _ in range(3):
        make_photo(DATA)
        make_photo()  # may still come
    make_photo(**CLOSED)
    make_photo(**processing())

    assert reconcile(api, album) == counts(checked=8, requeued=3, cleaned=1, skipped=4)
    assert reconcile(api, album) == counts(checked=7, skipped=7)


def test_an_album_whose_storage_is_slow_is_not_kept_waiting_for_and_the_next_pass_goes_on(
    api: Client, album: Album, make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "ALBUM_BATCH", 2)
    monkeypatch.setattr(reconciliation, "ALBUM_LASTS", 0.0)
    for _ in range(2):
        make_photo(age=timedelta(minutes=2))  # may still come
    make_photo(DATA)

    assert reconcile(api, album) == counts(checked=3, skipped=2, unknown=1)
    assert reconcile(api, album) == counts(checked=3, requeued=1, skipped=1, unknown=1)


def test_only_the_album_that_was_asked_for_is_touched(
    api: Client, album: Album, make_photo: Callable[..., Photo]
) -> None:
    other = make_photo(DATA, album=Album.objects.create(name="Other"))

    assert reconcile(api, album) == counts()
    assert Photo.objects.get(pk=other.pk).queued_until is None


def test_a_photo_whose_window_is_open_is_left_alone(
    api: Client, album: Album, make_photo: Callable[..., Photo], storage: str
) -> None:
    photo = make_photo()
    margin = make_photo(upload_expires_at=timezone.now() - timedelta(minutes=1))

    assert reconcile(api, album) == counts(checked=2, skipped=2)
    assert (state(photo), state(margin)) == ("pending", "pending")


def test_a_photo_that_never_came_is_cleaned_when_its_window_is_long_over(
    api: Client, album: Album, make_photo: Callable[..., Photo], storage: str
) -> None:
    make_photo(**CLOSED)

    assert reconcile(api, album) == counts(checked=1, cleaned=1)
    assert reconcile(api, album) == counts()
    assert not Photo.objects.exists()


def test_registering_again_while_a_pass_looks_keeps_the_record(
    api: Client, album: Album, make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(**CLOSED, sha256="")
    look = originals.is_there

    def meanwhile(key: str) -> bool:
        assert register(api, album, b"x", id=str(photo.pk), sha256="").status_code == 201
        return look(key)

    monkeypatch.setattr(reconciliation, "is_there", meanwhile)

    assert reconcile(api, album) == counts(checked=1, skipped=1)
    assert state(photo) == "pending"


def test_the_scan_lets_young_photos_be(make_photo: Callable[..., Photo], settings: LazySettings) -> None:
    settings.PENDING_PHOTO_MIN_AGE_MS = 10_000
    young, old = make_photo(DATA, age=timedelta(seconds=9)), make_photo(DATA, age=timedelta(seconds=11))

    assert scan(now=timezone.now()) == Counts(checked=1, requeued=1)
    assert Photo.objects.get(queued_until=None) == young
    assert old.pk != young.pk


def test_the_longest_unchecked_come_first_so_nobody_starves(
    make_photo: Callable[..., Photo], settings: LazySettings
) -> None:
    settings.PENDING_PHOTO_SCAN_BATCH_SIZE = 2
    waiting = [make_photo(age=timedelta(minutes=9 - minute)) for minute in range(5)]  # their windows are open

    checked = []
    for second in range(3):
        now = later(seconds=second)
        scan(now=now)
        checked.append(set(Photo.objects.filter(checked_at=now).values_list("pk", flat=True)))

    assert checked == [
        {waiting[0].pk, waiting[1].pk},
        {waiting[2].pk, waiting[3].pk},
        {waiting[4].pk, waiting[0].pk},
    ]


def test_new_photos_do_not_push_in_before_a_waiting_one(
    make_photo: Callable[..., Photo], settings: LazySettings
) -> None:
    settings.PENDING_PHOTO_SCAN_BATCH_SIZE = 1
    lost = make_photo(DATA, age=timedelta(minutes=2))
    for _ in range(3):
        make_photo(age=timedelta(seconds=30))

    scan(now=timezone.now())

    assert Photo.objects.get(pk=lost.pk).queued_until is not None


def test_a_lease_that_ran_out_puts_the_photo_back_into_the_queue(
    make_photo: Callable[..., Photo], sent: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    photo = make_photo(DATA, **processing())

    with django_capture_on_commit_callbacks(execute=True):
        assert scan(now=timezone.now()) == Counts()
        assert scan(now=later(seconds=61)) == Counts(checked=1, requeued=1)

    assert sent == [str(photo.pk)]
    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.lease) == ("pending", 1, None)


def test_a_photo_that_kills_its_workers_fails_in_the_end_and_keeps_its_original(
    api: Client, make_photo: Callable[..., Photo]
) -> None:
    photo = make_photo(DATA, **processing(attempts=MAX_ATTEMPTS))

    scan(now=later(seconds=61))

    shown = api.get(f"/api/photos/{photo.pk}").json()
    assert (shown["status"], shown["error"]) == ("failed", "worker_lost")
    assert blobs().read(photo.key) == DATA


def test_a_queued_photo_is_not_queued_again_before_its_time(make_photo: Callable[..., Photo]) -> None:
    make_photo(DATA, queued_until=later(seconds=60))

    assert scan(now=timezone.now()) == Counts()
    assert scan(now=later(seconds=61)) == Counts(checked=1, requeued=1)


def test_a_pass_says_what_it_did_in_one_line(
    make_photo: Callable[..., Photo], caplog: pytest.LogCaptureFixture
) -> None:
    make_photo(DATA, age=timedelta(seconds=300))

    with caplog.at_level(logging.INFO, "uploads.reconciliation"):
        scan(now=timezone.now())

    assert [record.getMessage() for record in caplog.records] == [
        "reconciled scope=all checked=1 requeued=1 cleaned=0 skipped=0 unknown=0 oldest_pending_seconds=300"
    ]


def test_a_scan_asks_the_database_for_what_is_pending_only(make_photo: Callable[..., Photo]) -> None:
    make_photo()
    plan = Photo.objects.pending().order_by("checked_at", "created_at", "pk")[:50].explain()
    if connection.vendor == "sqlite":
        assert "photo_pending_by_check" in plan
    else:  # few rows are read from the table whatever the index: forbid that
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        plan = Photo.objects.pending().order_by("checked_at", "created_at", "pk")[:50].explain()
        assert "photo_pending_by_check" in plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: passes wait for each other")
def test_passes_that_run_at_once_look_at_different_photos(make_photo: Callable[..., Photo]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    first, second = make_photo(age=timedelta(minutes=3)), make_photo(age=timedelta(minutes=2))
    now = timezone.now()

    def other_pass() -> list[Photo]:
        try:
            return reconciliation.take(Photo.objects.pending(), now=now, limit=50)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert reconciliation.take(Photo.objects.pending(), now=now, limit=1) == [first]
        assert pool.submit(other_pass).result(10) == [second]


def test_an_unknown_album_is_not_found(api: Client) -> None:
    assert problem(api.post(f"/api/albums/{uuid4()}/reconcile")) == (404, "not_found")


# --- A second pass right after the first changes nothing -------------------------------------------------------------
ages = st.sampled_from([0, 5, 11, 60, 600, 1300, 5000]).map(lambda seconds: timedelta(seconds=seconds))
spans = st.sampled_from([-400, -61, -1, 1, 30]).map(lambda seconds: timedelta(seconds=seconds))
a_photo = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["pending", "processing", "failed"]),
        "uploaded": st.booleans(),
        "age": ages,
        "lease": spans,
        "queued": st.none() | spans,
        "attempts": st.integers(1, 5),
    }
)


def given_photo(album: Album, values: dict[str, Any]) -> Photo:
    now = timezone.now()
    columns: dict[str, Any] = {"attempts": values["attempts"]}
    match values["status"]:
        case "processing":
            columns |= processing(lease_expires_at=now + values["lease"], attempts=values["attempts"])
        case "failed":
            columns |= {"status": "failed", "error": "broken_image", "failed_at": now}
        case "pending" if values["queued"] is not None:
            columns["queued_until"] = now + values["queued"]
    made = now - values["age"]
    photo = Photo.objects.create(
        album=album, filename="dish.png", content_type=PNG, size=len(DATA),
        created_at=made, checked_at=made, upload_expires_at=made + timedelta(minutes=15), **columns,
    )  # fmt: skip
    if values["uploaded"]:
        blobs().put(photo.key, DATA, content_type=PNG)
    return photo


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["album", "all"])
@schedules(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(photos=st.lists(a_photo, min_size=1, max_size=6))
def test_a_second_pass_changes_nothing(scope: str, photos: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        album = Album.objects.create(name="Any")
        for values in photos:
            given_photo(album, values)
        now = timezone.now()

        def run() -> Counts:
            return scan(now=now) if scope == "all" else reconciliation.reconcile_album(album_id=album.pk, now=now)

        first, after = run(), list(Photo.objects.order_by("pk").values())
        second = run()

        for done in (first, second):
            assert done.checked == done.requeued + done.cleaned + done.skipped + done.unknown
        assert (second.requeued, second.cleaned, second.unknown) == (0, 0, 0)
        assert list(Photo.objects.order_by("pk").values()) == after
        never_lost = sum(values["uploaded"] for values in photos)
        assert Photo.objects.count() >= never_lost
        transaction.set_rollback(True)
