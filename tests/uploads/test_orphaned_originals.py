"""Objects without a record: set aside after a day, deleted after a month, few in one run."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.utils import timezone

from images.blobs import blobs
from images.quarantine import set_aside
from uploads import pipeline, upkeep
from uploads.models import ORIGINALS, Album, Photo, original_key
from uploads.upkeep import Orphans, quarantine_orphans

from .conftest import PNG, later, picture, state

DATA = picture()


@pytest.fixture
def a_day_later() -> datetime:
    return later(days=1, seconds=5)


def orphan() -> str:
    key = original_key(uuid4())
    blobs().put(key, DATA, content_type=PNG)
    return key


def keys(prefix: str) -> list[str]:
    return sorted(blob.key for blob in blobs().list(prefix))


@pytest.mark.django_db
def test_an_original_without_a_record_is_set_aside_after_a_day(storage: str, a_day_later: datetime) -> None:
    key = orphan()

    assert quarantine_orphans(now=timezone.now()) == Orphans()
    assert quarantine_orphans(now=a_day_later) == Orphans(quarantined=1)

    assert keys("originals/") == []
    assert keys("quarantine/") == [f"quarantine/{key}"]
    assert blobs().read(f"quarantine/{key}") == DATA
    assert quarantine_orphans(now=a_day_later) == Orphans()


def test_originals_of_photos_under_way_stay(make_photo: Callable[..., Photo], a_day_later: datetime) -> None:
    pending, failed = make_photo(DATA), make_photo(b"no picture")
    pipeline.process(photo_id=failed.pk)

    assert quarantine_orphans(now=a_day_later) == Orphans()
    assert keys("originals/") == sorted([pending.key, failed.key])


def test_what_the_pipeline_forgot_to_drop_is_dropped(make_photo: Callable[..., Photo], a_day_later: datetime) -> None:
    photo = make_photo(DATA)
    pipeline.process(photo_id=photo.pk)
    blobs().put(photo.key, DATA, content_type=PNG)

    assert quarantine_orphans(now=a_day_later) == Orphans(dropped=1)
    assert keys("originals/") == keys("quarantine/") == []


def test_originals_that_are_to_be_kept_are_not_dropped(
    make_photo: Callable[..., Photo], a_day_later: datetime, settings: LazySettings
) -> None:
    settings.KEEP_ORIGINALS = True
    photo = make_photo(DATA)
    pipeline.process(photo_id=photo.pk)

    assert quarantine_orphans(now=a_day_later) == Orphans()
    assert keys("originals/") == [photo.key]


@pytest.mark.django_db
def test_one_run_touches_few_and_the_next_goes_on(a_day_later: datetime) -> None:
    for _ in range(5):
        orphan()

    runs = [quarantine_orphans(now=a_day_later, limit=2).quarantined for _ in range(4)]

    assert runs == [2, 2, 1, 0]


@pytest.mark.django_db
def test_many_originals_are_compared_in_batches(monkeypatch: pytest.MonkeyPatch, a_day_later: datetime) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 2)
    for _ in range(5):
        orphan()

    assert quarantine_orphans(now=a_day_later).quarantined == 5


@pytest.mark.django_db
def test_names_that_we_never_gave_are_set_aside_too(a_day_later: datetime) -> None:
    blobs().put("originals/notes.txt", DATA, content_type=PNG)
    blobs().put(f"originals/{uuid4().hex}", DATA, content_type=PNG)

    assert quarantine_orphans(now=a_day_later).quarantined == 2


@pytest.mark.django_db
def test_quarantine_ends_after_a_month(settings: LazySettings) -> None:
    key = orphan()
    quarantine_orphans(now=later(days=2))
    moved = timezone.now().timestamp()
    path = blobs().path(f"quarantine/{key}")
    assert path is not None
    os.utime(path, (moved, moved))

    assert quarantine_orphans(now=later(days=29)) == Orphans()
    assert quarantine_orphans(now=timezone.now() + timedelta(days=30, seconds=5)) == Orphans(expired=1)
    assert keys("quarantine/") == []


@pytest.mark.django_db
def test_another_orphan_of_the_same_name_is_set_aside_too(storage: str, a_day_later: datetime) -> None:
    key, other = orphan(), picture("#123456")
    quarantine_orphans(now=a_day_later)

    for data in (DATA, other, other):
        blobs().put(key, data, content_type=PNG)
        assert quarantine_orphans(now=a_day_later) == Orphans(quarantined=1)

    assert [blobs().read(kept) for kept in keys("quarantine/")] == [DATA, other]


def test_an_orphan_that_gets_a_record_meanwhile_is_there_again(
    storage: str, album: Album, a_day_later: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client was answered 412, so it won't send the bytes again."""
    key, aside = orphan(), set_aside

    def register_then_set_aside(key: str, data: bytes) -> None:
        Photo.objects.create(
            pk=key.removeprefix(ORIGINALS),
            album=album,
            filename="a.png",
            content_type=PNG,
            size=len(DATA),
            upload_expires_at=timezone.now(),
        )
        aside(key, data)

    monkeypatch.setattr(upkeep, "set_aside", register_then_set_aside)

    assert quarantine_orphans(now=a_day_later) == Orphans()
    photo = Photo.objects.get()
    assert blobs().read(key) == DATA
    pipeline.process(photo_id=photo.pk)
    assert state(photo) == "ready"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["originals", "quarantine/originals"])
def test_drafts_of_dead_writers_are_cleared_after_a_day(folder: Path, a_day_later: datetime, name: str) -> None:
    draft = folder / name / ".draft-dead"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half")

    assert quarantine_orphans(now=timezone.now()) == Orphans()
    assert quarantine_orphans(now=a_day_later) == Orphans(drafts=1)
    assert not draft.exists()


@pytest.mark.django_db
def test_a_storage_that_fails_stops_the_run_quietly(broken_storage: Callable[[], object]) -> None:
    broken_storage()

    assert quarantine_orphans(now=timezone.now()) == Orphans()
