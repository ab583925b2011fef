"""A real file system that is full, or that became read-only: a typed error, and nothing half written."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from devices.services import enroll
from images.blobs import StorageUnavailable, blobs, image_key
from images.models import Image
from images.services import add_image
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.scrub import scrub
from tests.images.pictures import normal_jpeg
from tests.parts import missing

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg(1)
HASH = sha256(DATA).hexdigest()


@pytest.fixture
def disk(settings: LazySettings, tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=64", "tests", folder], capture_output=True, check=False
    )
    if made.returncode:
        missing(f"the right to mount a file system ({made.stderr.decode(errors='replace').strip()})")
    with ExitStack() as stack:
        stack.callback(lambda: subprocess.run(["umount", "--lazy", folder], check=True))
        settings.FILES_DIR = folder
        yield folder


@pytest.fixture
def api(transactional_db: None) -> Client:
    token = enroll(name="Till", may_upload=True).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def fill(disk: Path) -> Path:
    """Leaves the disk without a free byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def files_of(disk: Path) -> list[str]:
    return sorted(path.name for path in disk.rglob("*") if path.is_file() and path.name != "ballast")


def upload(api: Client) -> tuple[int, str | None]:
    answer = api.post("/api/images", data=DATA, content_type="image/jpeg")
    return answer.status_code, answer.json().get("code")


def test_a_full_disk_stores_nothing_and_the_next_try_on_a_cleared_one_succeeds(disk: Path, api: Client) -> None:
    ballast = fill(disk)

    assert upload(api) == (503, "storage_unavailable")
    assert files_of(disk) == []
    assert api.get(f"/api/image/{HASH}.jpg").status_code == 404
    assert Image.objects.get().status == Image.Status.STORING

    ballast.unlink()
    assert upload(api) == (201, None)
    assert blobs().read(image_key(HASH), sha256=HASH) == DATA
    assert files_of(disk) == [f"{HASH}.jpg"]


def test_a_disk_that_is_full_in_the_middle_of_a_file_keeps_no_part_of_it(disk: Path) -> None:
    ballast = fill(disk)
    with ballast.open("r+b") as file:
        file.truncate(ballast.stat().st_size - len(DATA) // 2)

    with pytest.raises(StorageUnavailable):
        add_image(data=DATA)
    assert files_of(disk) == []


def test_a_full_disk_serves_what_it_has_also_without_room_for_a_copy(disk: Path, api: Client) -> None:
    add_image(data=DATA)
    fill(disk)

    assert api.get(f"/api/image/{HASH}.jpg").content == DATA
    assert api.get(f"/api/image/{HASH}.jpg?w=160").status_code == 503
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
