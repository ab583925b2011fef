"""Uploads leave room on the disk to the others: a floor of free space, and originals of failed photos that go."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from devices.services import enroll
from images import space
from images.models import Image
from tests.contracts.conftest import use_bucket
from tests.disks import fill, small_disk
from tests.parts import Bucket
from tests.uploads.conftest import is_there, later, picture, problem, put, register, state
from uploads.models import Album, Photo
from uploads.pipeline import process
from uploads.upkeep import Orphans, quarantine_orphans

__all__ = ["small_disk"]

pytestmark = pytest.mark.django_db(transaction=True)

DATA = picture()


@pytest.fixture
def disk(settings: LazySettings, small_disk: Callable[[str], Path]) -> Path:
    """The disk of the files: 2 MB, of which 5 % are the floor."""
    settings.FILES_DIR = small_disk("2m")
    return Path(settings.FILES_DIR)


def leave(disk: Path, free: int) -> Path:
    """Leaves so many bytes free."""
    ballast = fill(disk)
    with ballast.open("r+b") as file:
        file.truncate(ballast.stat().st_size - free)
    return ballast


@pytest.mark.usefixtures("sent")
def test_below_the_floor_no_photo_is_taken_and_all_else_works(api: Client, album: Album, disk: Path) -> None:
    known = register(api, album, DATA).json()
    stored = register(api, album, DATA).json()
    assert put(stored["upload"], DATA) == 200
    leave(disk, 64 * 1024)
    assert 0 < space.left().free < space.left().floor

    refused = register(api, album, DATA)
    picture_refused = api.post("/api/images", DATA, content_type="image/png")

    assert problem(refused) == problem(picture_refused) == (507, "storage_full")
    assert int(refused["Retry-After"]) > 0
    assert put(known["upload"], DATA) == 507
    assert register(api, album, DATA, id=known["id"]).status_code == 201, "it asks about a photo that it has"
    assert api.get(f"/api/photos/{known['id']}").json()["status"] == "pending"
    assert api.post(f"/api/photos/{stored['id']}/process").status_code == 202
    process(photo_id=stored["id"])
    assert state(stored["id"]) == "ready", "its bytes are here already"
    assert api.delete(f"/api/photos/{known['id']}").status_code == 204


def test_photos_are_taken_again_when_there_is_room(api: Client, album: Album, disk: Path) -> None:
    known = register(api, album, DATA).json()
    ballast = leave(disk, 64 * 1024)
    assert put(known["upload"], DATA) == 507

    ballast.unlink()

    assert put(known["upload"], DATA) == 200
    assert register(api, album, DATA).status_code == 201


def test_a_bucket_has_room_whatever_the_disk_has(
    api: Client, album: Album, disk: Path, settings: LazySettings, new_bucket: Bucket
) -> None:
    fill(disk)
    use_bucket(settings, new_bucket)

    assert register(api, album, DATA).status_code == 201


def test_a_photo_waits_for_room_as_long_as_it_takes(make_photo: Callable[..., Photo], disk: Path) -> None:
    photo = make_photo(DATA)
    ballast = fill(disk)
    for hours in range(7):  # more than a photo has attempts
        process(photo_id=photo.pk, clock=lambda hours=hours: later(hours=hours))  # type: ignore[misc]

    photo.refresh_from_db()
    assert (photo.status, photo.error, photo.attempts) == ("pending", "storage_full", 0)
    assert photo.is_queued(now=later(hours=6))
    ballast.unlink()
    process(photo_id=photo.pk)
    assert state(photo) == "ready"
    assert Image.objects.count() == 1


def failed(make_photo: Callable[..., Photo]) -> Photo:
    return make_photo(DATA, status="failed", error="not_an_image", failed_at=timezone.now(), attempts=1)


@pytest.mark.usefixtures("storage")
def test_the_original_of_a_failed_photo_goes_after_a_week(make_photo: Callable[..., Photo]) -> None:
    photo = failed(make_photo)

    assert quarantine_orphans(now=later(days=6)) == Orphans()
    assert is_there(photo)
    assert quarantine_orphans(now=later(days=7, minutes=1)) == Orphans(failed=1)
    assert not is_there(photo)
    assert state(photo) == "failed", "the record stays, and says why"


def test_how_long_it_stays_is_a_setting(make_photo: Callable[..., Photo], settings: LazySettings) -> None:
    settings.FAILED_ORIGINAL_DAYS = 2
    photo = failed(make_photo)

    assert quarantine_orphans(now=later(days=2, minutes=1)) == Orphans(failed=1)
    assert not is_there(photo)


def test_many_failed_originals_go_in_one_run(make_photo: Callable[..., Photo]) -> None:
    photos = [failed(make_photo) for _photo in range(5)]

    assert quarantine_orphans(now=later(days=8), limit=2) == Orphans(failed=5)
    assert not any(map(is_there, photos))


def test_a_photo_that_failed_tomorrow_counts_as_failed_now(make_photo: Callable[..., Photo]) -> None:
    photo = failed(make_photo)
    Photo.objects.update(failed_at=timezone.now() + timedelta(days=400))

    assert quarantine_orphans(now=later(days=1, minutes=1)) == Orphans()
    assert quarantine_orphans(now=later(days=9)) == Orphans(failed=1)
    assert not is_there(photo)


# --- What one device may have waiting --------------------------------------------------------------------------------
@pytest.fixture
def quota(settings: LazySettings) -> int:
    """1 MB, of which a photo declares a third."""
    settings.DEVICE_QUOTA_MB = 1
    return 333_000


def statuses(api: Client, album: Album, size: int, count: int) -> list[int]:
    return [register(api, album, DATA, size=size).status_code for _photo in range(count)]


def test_a_device_has_no_more_waiting_than_its_quota(api: Client, quota: int) -> None:
    mine = album_of(api)

    assert statuses(api, mine, quota, 4) == [201, 201, 201, 507]
    assert problem(register(api, mine, DATA, size=quota)) == (507, "storage_full")
    assert register(api, mine, DATA).status_code == 201, "a small one fits still"
    another = other()
    assert statuses(another, album_of(another), quota, 3) == [201, 201, 201], "each has its own"


def test_what_is_ready_or_deleted_makes_room_in_the_quota(api: Client, quota: int) -> None:
    mine = album_of(api)
    photos = [register(api, mine, DATA, size=quota).json()["id"] for _photo in range(3)]
    stored = register(api, mine, DATA).json()
    put(stored["upload"], DATA)
    process(photo_id=stored["id"])
    assert state(stored["id"]) == "ready"
    assert statuses(api, mine, quota, 1) == [507]

    api.delete(f"/api/photos/{photos[0]}")

    assert statuses(api, mine, quota, 2) == [201, 507]


def test_a_failed_photo_counts_as_long_as_its_original_may_be_there(api: Client, quota: int) -> None:
    mine = album_of(api)
    statuses(api, mine, quota, 3)
    failed_at = timezone.now() - timedelta(days=7)
    Photo.objects.update(status="failed", error="broken_image", attempts=1, failed_at=failed_at)
    assert statuses(api, mine, quota, 1) == [507]

    Photo.objects.update(failed_at=failed_at - timedelta(days=1, minutes=1))

    assert statuses(api, mine, quota, 1) == [201]


def test_staff_and_commands_have_no_quota(album: Album, admin_client: Client, quota: int) -> None:
    assert statuses(admin_client, album, quota, 5) == [201] * 5


def other() -> Client:
    token = enroll(name="Till 2", may_upload=True).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def album_of(api: Client) -> Album:
    return Album.objects.get(pk=api.post("/api/albums", {"name": "Mine"}, content_type="application/json").json()["id"])
