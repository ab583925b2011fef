"""A storage that is read and can't be written: /readyz says it, also when it became so while the server runs."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from devices.services import enroll
from images.blobs import StorageUnavailable, image_key
from images.blobs.folder import LocalBlobs
from images.services import add_image
from images.trial import asking
from images.trial.writing import write_briefly, write_once
from tests.contracts.conftest import use_bucket
from tests.disks import small_disk as small_disk
from tests.front import Front
from tests.images.pictures import normal_jpeg

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

DATA = normal_jpeg(1)
FOR_EVER = 1000


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question tries a write, as it does half a minute after the last one."""
    monkeypatch.setattr(asking, "REMEMBERED_SECONDS", 0.0)
    asking.forget()


def storage_line() -> str:
    lines = Client().get("/readyz").content.decode().splitlines()
    return next(line for line in lines if line.startswith("storage"))


# --- A folder --------------------------------------------------------------------------------------------------------
@pytest.fixture
def folder() -> Iterator[Path]:
    """As the server has made it, with a picture; everybody gets as far as this."""
    folder = Path(tempfile.mkdtemp(prefix="redcoral-tests-"))
    folder.chmod(0o755)
    LocalBlobs(folder / "uploads").put(image_key(sha256(DATA).hexdigest()), DATA, content_type="image/jpeg")
    yield folder / "uploads"
    shutil.rmtree(folder)


@contextmanager
def unprivileged() -> Iterator[int]:
    """The block runs as somebody who isn't root; its user id."""
    if os.geteuid() != 0:
        yield os.geteuid()
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield os.geteuid()
    finally:
        os.seteuid(0)


def as_it_came_from_a_backup(path: Path) -> None:
    """It belongs to root, who brought it back; where nobody here is root, it takes no writes all the same."""
    if os.geteuid() == 0:
        os.chown(path, 0, 0)
    path.chmod(0o755 if os.geteuid() == 0 else 0o555)


@pytest.mark.parametrize("write", [write_once, write_briefly])
@pytest.mark.parametrize("foreign", ["", "images"], ids=["uploads", "images"])
def test_a_folder_that_belongs_to_root_is_named(
    folder: Path, foreign: str, write: Callable[[LocalBlobs], None]
) -> None:
    with unprivileged() as user:
        pass
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, -1)
    with unprivileged():
        write(LocalBlobs(folder))
    if not foreign:
        shutil.rmtree(folder / "probes")  # none of it is in a backup
    as_it_came_from_a_backup(folder / foreign)

    with unprivileged(), pytest.raises(StorageUnavailable) as refused:
        write(LocalBlobs(folder))
    (folder / foreign).chmod(0o755)

    assert refused.value.kind == "forbidden"
    assert refused.value.reason == f"Permission denied: {folder / foreign if foreign else folder}"
    assert not [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jpg"]


def test_a_folder_that_becomes_read_only_is_said_to_be_and_so_is_its_recovery(
    settings: LazySettings, small_disk: Callable[[str], Path]
) -> None:
    settings.FILES_DIR = disk = small_disk("1m")
    assert storage_line() == "storage: ok (local files)"
    assert storage_line() == "storage: ok (local files)"

    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        said = storage_line()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)

    assert said.startswith("storage: failed: storage_unavailable: Read-only file system: ")
    assert storage_line() == "storage: ok (local files)"


# --- A bucket --------------------------------------------------------------------------------------------------------
@pytest.fixture
def reader(front: Front, settings: LazySettings) -> Client:
    """Somebody who may send pictures, of a shop whose bucket has one."""
    use_bucket(settings, front.bucket)
    add_image(data=DATA)
    token = enroll(name="Till", may_upload=True).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def test_a_bucket_without_the_right_to_write_is_named_and_still_read(front: Front, reader: Client) -> None:
    fault = front.fail("403", "PUT", "", times=FOR_EVER)

    said, picture = storage_line(), reader.get(f"/api/image/{sha256(DATA).hexdigest()}.jpg")
    refused = reader.post("/api/images", data=normal_jpeg(2), content_type="image/jpeg")

    assert fault.struck >= 2
    assert said.startswith("storage: failed: storage_unavailable: ")
    assert "AccessDenied" in said
    assert picture.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")


def test_a_right_that_is_taken_away_while_the_server_runs_is_noticed(front: Front, reader: Client) -> None:
    assert storage_line() == "storage: ok (bucket)"
    assert storage_line() == "storage: ok (bucket)"

    fault = front.fail("403", "PUT", "", times=FOR_EVER)
    assert "AccessDenied" in storage_line()
    fault.times = 0

    assert storage_line() == "storage: ok (bucket)"
    assert front.behind.keys("probes/") == []
