"""Several machines with one database need a bucket: one that would keep pictures on a disk of its own isn't started."""

import subprocess
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from images.blobs import blobs
from images.identity import MARKER, must_be_ours
from images.models import Storage
from tests.contracts.conftest import use_bucket
from tests.parts import ROOT, Bucket, shared_environment
from tests.running import SERVE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a second machine doesn't share SQLite"),
]


def may_start() -> None:
    call_command("check_storage", "--before-start")


@pytest.fixture
def second_machine(settings: LazySettings, tmp_path: Path) -> None:
    """This one: the database's storage is a folder of another machine, which started first."""
    settings.FILES_DIR = tmp_path / "first"
    may_start()
    Storage.objects.update(machine="0" * 64)
    settings.FILES_DIR = tmp_path / "second"


def test_a_second_machine_with_a_disk_of_its_own_is_not_started(second_machine: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="need a bucket"):
        may_start()

    served = subprocess.run(
        [*SERVE, "--no-demo"],
        cwd=ROOT,
        env={**shared_environment(), "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert served.returncode == 1
    assert "Several machines need a bucket" in served.stdout
    assert "Traceback" not in served.stdout + served.stderr


def test_an_operator_can_say_that_the_pictures_were_brought_there(second_machine: None) -> None:
    call_command("check_storage", "--adopt")

    may_start()


def test_a_machine_whose_disk_is_not_mounted_is_started(settings: LazySettings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "mounted"
    may_start()
    settings.FILES_DIR = tmp_path / "not mounted"

    may_start()

    assert not blobs().path(MARKER).exists()  # type: ignore[union-attr]


def test_a_folder_that_several_share_is_one(settings: LazySettings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path
    may_start()
    Storage.objects.update(machine="0" * 64)

    may_start()


def test_with_a_bucket_there_may_be_any_number(settings: LazySettings, new_bucket: Bucket) -> None:
    use_bucket(settings, new_bucket)
    may_start()
    must_be_ours()
    Storage.objects.update(machine="0" * 64)

    may_start()


def test_a_machine_that_was_not_told_of_the_bucket_is_not_started(
    settings: LazySettings, new_bucket: Bucket, tmp_path: Path
) -> None:
    use_bucket(settings, new_bucket)
    must_be_ours()
    settings.S3_BUCKET, settings.FILES_DIR = "", tmp_path

    with pytest.raises(CommandError, match="need a bucket"):
        may_start()
