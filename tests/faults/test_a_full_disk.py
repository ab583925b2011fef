"""A real file system that is full, or that became read-only: a typed error, and nothing half written."""

import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from devices.services import enroll
from images.blobs import StorageFull, blobs, image_key
from images.models import Image
from images.services import add_image
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.scrub import scrub
from normalform import normal_frame
from tests.disks import fill, small_disk
from tests.images.pictures import normal_jpeg

__all__ = ["small_disk"]

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg(1)
HASH = sha256(DATA).hexdigest()


@pytest.fixture
def disk(settings: LazySettings, small_disk: Callable[[str], Path]) -> Path:
    """A file system of 256 kB."""
    settings.FILES_DIR = small_disk("256k")
    return Path(settings.FILES_DIR)


@pytest.fixture
def api(transactional_db: None) -> Client:
    token = enroll(name="Till", may_upload=True).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def files_of(disk: Path) -> list[str]:
    return sorted(path.name for path in disk.rglob("*") if path.is_file() and path.name != "ballast")


def upload(api: Client) -> tuple[int, str | None]:
    answer = api.post("/api/images", data=DATA, content_type="image/jpeg")
    return answer.status_code, answer.json().get("code")


def test_a_full_disk_stores_nothing_and_the_next_try_on_a_cleared_one_succeeds(disk: Path, api: Client) -> None:
    ballast = fill(disk)

    assert upload(api) == (507, "storage_full")
    assert files_of(disk) == []
    assert api.get(f"/api/image/{HASH}.jpg").status_code == 404
    assert not Image.objects.exists()

    ballast.unlink()
    assert upload(api) == (201, None)
    assert blobs().read(image_key(HASH), sha256=HASH) == DATA
    assert files_of(disk) == [f"{HASH}.jpg"]


def test_a_disk_that_is_full_in_the_middle_of_a_file_keeps_no_part_of_it(disk: Path) -> None:
    ballast = fill(disk)
    with ballast.open("r+b") as file:
        file.truncate(ballast.stat().st_size - len(DATA) // 2)

    with pytest.raises(StorageFull):
        add_image(data=DATA, is_stored=True)  # as a worker does, who asks for no room
    assert files_of(disk) == []
    assert Image.objects.get().status == Image.Status.STORING


def test_a_full_disk_serves_what_it_has_also_without_room_for_a_copy(disk: Path, api: Client) -> None:
    add_image(data=DATA)
    fill(disk)

    assert api.get(f"/api/image/{HASH}.jpg").content == DATA
    narrow = api.get(f"/api/image/{HASH}.jpg?w=160", headers={"Range": "bytes=2-9"})
    assert (narrow.status_code, len(narrow.content)) == (206, 8)
    frame = normal_frame(api.get(f"/api/image/{HASH}.jpg?w=160").content)
    assert frame is not None
    assert frame.width == 160
    assert files_of(disk) == [f"{HASH}.jpg"]


def test_a_full_disk_has_no_room_for_quarantine_so_nothing_is_set_aside(disk: Path) -> None:
    add_image(data=DATA)
    path = disk / image_key(HASH)
    rotten = DATA[:-1] + b"\0"
    path.write_bytes(rotten)
    fill(disk)

    assert scrub().outcome == "unavailable"
    assert path.read_bytes() == rotten


@pytest.mark.parametrize("work", [scrub, quarantine_orphans], ids=["scrub", "orphans"])
def test_a_disk_that_became_read_only_is_unavailable_not_missing(
    disk: Path, api: Client, work: Callable[[], object]
) -> None:
    add_image(data=normal_jpeg(2))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    assert upload(api) == (503, "storage_unavailable")
    work()

    assert not Image.objects.exclude(damaged_at=None).exists()
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert upload(api) == (201, None)
