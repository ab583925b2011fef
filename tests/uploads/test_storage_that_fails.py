"""An error is never "missing": nothing is cleaned, everything waits or says why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.contracts.conftest import use_bucket
from tests.parts import Bucket
from uploads import pipeline, reconciliation
from uploads.models import MAX_ATTEMPTS, Album, Photo

from .conftest import BrokenStorage, later, picture, problem, processing, register, state

DATA = picture()
Break = Callable[[], BrokenStorage]


@pytest.fixture(autouse=True)
def bucket(settings: LazySettings, new_bucket: Bucket) -> Bucket:
    use_bucket(settings, new_bucket)
    return new_bucket


def test_nothing_is_cleaned_while_the_storage_can_not_say(
    api: Client, album: Album, make_photo: Callable[..., Photo], broken_storage: Break
) -> None:
    closed = timezone.now() - timedelta(minutes=10)
    photos = [make_photo(age=timedelta(hours=1), upload_expires_at=closed) for _ in range(4)]
    storage = broken_storage()

    answer = api.post(f"/api/albums/{album.pk}/reconcile").json()

    assert answer == {"checked": 4, "requeued": 0, "cleaned": 0, "skipped": 0, "unknown": 4}
    assert {state(photo) for photo in photos} == {"pending"}
    assert storage.asked
    # A storage that is down isn't asked for every photo.
    assert len({address.rpartition("/")[2] for address in storage.asked}) == reconciliation.STORAGE_IS_DOWN


def test_what_could_not_be_told_is_queued_when_the_storage_is_back(
    album: Album, make_photo: Callable[..., Photo], broken_storage: Break, settings: LazySettings, bucket: Bucket
) -> None:
    make_photo(DATA)
    broken_storage()
    assert reconciliation.scan(now=timezone.now()).unknown == 1

    use_bucket(settings, bucket)

    assert reconciliation.scan(now=timezone.now()).requeued == 1


def test_process_says_that_the_storage_can_not_say(
    api: Client, make_photo: Callable[..., Photo], broken_storage: Break
) -> None:
    photo = make_photo(DATA)
    storage = broken_storage()

    answer = api.post(f"/api/photos/{photo.pk}/process")

    assert problem(answer) == (503, "storage_unavailable")
    assert answer["Retry-After"]
    assert storage.asked
    assert state(photo) == "pending"


def test_a_worker_tries_again_later_and_later(
    api: Client, make_photo: Callable[..., Photo], broken_storage: Break, settings: LazySettings, bucket: Bucket,
    sent: list[str], django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    photo = make_photo(DATA)
    broken_storage()
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        now = timezone.now()
        pipeline.process(photo_id=photo.pk, clock=lambda now=now: now)  # type: ignore[misc]
        photo.refresh_from_db()
        assert (photo.attempts, photo.error) == (attempt, "storage_unavailable")
        if photo.queued_until:
            waits.append((photo.queued_until - now).total_seconds())

    assert waits == [5, 20, 80, 320]
    assert photo.status == "failed"

    use_bucket(settings, bucket)
    with django_capture_on_commit_callbacks(execute=True):
        assert api.post(f"/api/photos/{photo.pk}/process").status_code == 202
    assert sent == [str(photo.pk)]
    pipeline.process(photo_id=photo.pk)
    assert state(photo) == "ready"


def test_a_photo_that_backs_off_is_left_to_wait_by_the_scan_but_not_by_its_client(
    api: Client,
    make_photo: Callable[..., Photo],
    sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    photo = make_photo(DATA, queued_until=later(seconds=300), error="storage_unavailable", attempts=4)

    with django_capture_on_commit_callbacks(execute=True):
        assert reconciliation.scan(now=timezone.now()).checked == 0
        for _ in range(2):
            assert api.post(f"/api/photos/{photo.pk}/process").status_code == 202

    assert sent == [str(photo.pk)]


def test_cleaning_up_succeeds_and_leaves_the_original_to_be_found(
    api: Client, make_photo: Callable[..., Photo], broken_storage: Break, bucket: Bucket
) -> None:
    photo = make_photo(DATA)
    storage = broken_storage()

    assert api.delete(f"/api/photos/{photo.pk}").status_code == 204

    assert storage.asked
    assert not Photo.objects.exists()
    assert bucket.keys() == [photo.key]


def test_a_ready_photo_stays_ready_when_its_original_can_not_be_deleted(
    make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch, broken_storage: Break, bucket: Bucket
) -> None:
    photo = make_photo(DATA)
    finish = pipeline.finish

    def then_it_breaks(*args: Any, **values: Any) -> None:
        finish(*args, **values)
        broken_storage()

    monkeypatch.setattr(pipeline, "finish", then_it_breaks)
    pipeline.process(photo_id=photo.pk)

    assert state(photo) == "ready"
    assert bucket.keys("originals/") == [photo.key]


def test_registering_needs_no_storage(api: Client, album: Album, broken_storage: Break) -> None:
    storage = broken_storage()

    assert register(api, album, DATA).status_code == 201
    assert storage.asked == []


def test_a_lease_that_ran_out_is_freed_even_then(make_photo: Callable[..., Photo], broken_storage: Break) -> None:
    photo = make_photo(DATA, **processing())
    broken_storage()

    assert reconciliation.scan(now=later(seconds=61)).unknown == 1
    assert state(photo) == "pending"
