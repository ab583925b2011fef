"""A database knows its storage: in another one nothing counts as missing, and nothing is cleaned up."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from images.blobs import StorageMistaken, blobs
from images.identity import MARKER, must_be_ours
from images.models import Image, Pass, Storage
from images.services import add_image
from images.trial import asking
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.scrub import scrub
from images.upkeep.sweep import sweep
from tests.contracts.conftest import use_bucket
from tests.images.pictures import normal_jpeg
from tests.parts import Bucket
from uploads import upkeep
from uploads.models import Album, Photo
from uploads.reconciliation import reconcile_album

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture(autouse=True)
def storage_is_ours() -> None:
    """Nothing is taken for granted here."""


@pytest.fixture(params=["folder", "bucket"])
def elsewhere(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path) -> None:
    """A shop with five pictures and a marked storage, whose settings now name another, empty one."""
    settings.FILES_DIR = tmp_path / "ours"
    for number in range(5):
        add_image(data=normal_jpeg(number))
    must_be_ours()
    if request.param == "folder":
        settings.FILES_DIR = tmp_path / "mistyped"
    else:
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    asking.forget()


def storage_line() -> str:
    lines = Client().get("/readyz").content.decode().splitlines()
    return next(line for line in lines if line.startswith("storage"))


def test_the_first_question_marks_the_storage_of_a_new_database(settings: LazySettings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path
    must_be_ours()
    must_be_ours()

    assert Storage.objects.get().is_marked
    assert UUID(blobs().read(MARKER).decode()) == Storage.objects.get().marker


@pytest.mark.parametrize("work", [sweep, scrub, quarantine_orphans])
def test_upkeep_touches_nothing_in_a_storage_that_is_not_the_database_s(elsewhere: None, work: object) -> None:
    done = work()  # type: ignore[operator]

    assert done.outcome == Pass.Outcome.UNAVAILABLE
    assert Image.objects.usable().count() == 5
    assert list(blobs().list("images/")) == []


def test_readyz_says_that_it_is_another_one(elsewhere: None) -> None:
    assert "storage_mistaken" in storage_line()
    assert Client().get("/readyz").status_code == 503


def test_a_database_that_knows_no_marker_looks_for_its_pictures(settings: LazySettings, tmp_path: Path) -> None:
    """As after an update from a version without markers, with a disk that isn't mounted."""
    settings.FILES_DIR = tmp_path / "ours"
    add_image(data=normal_jpeg(1))
    settings.FILES_DIR = tmp_path / "mistyped"

    with pytest.raises(StorageMistaken):
        must_be_ours()
    settings.FILES_DIR = tmp_path / "ours"
    must_be_ours()
    assert Storage.objects.get().is_marked


def test_the_storage_of_another_database_is_not_taken(settings: LazySettings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path
    blobs().put(MARKER, uuid4().hex.encode(), content_type="text/plain")

    with pytest.raises(StorageMistaken):
        must_be_ours()
    assert not Storage.objects.exists()


def test_an_operator_can_say_that_it_is_the_right_one(elsewhere: None) -> None:
    before = Storage.objects.get().marker
    blobs().put(MARKER, b"nothing of ours", content_type="text/plain")

    call_command("check_storage", "--adopt", stdout=StringIO()) if not blobs().endpoint else None
    if blobs().endpoint:
        from images.identity import adopt

        adopt()

    must_be_ours()
    assert Storage.objects.get().marker != before


def test_records_of_photos_are_not_cleaned_in_another_storage(elsewhere: None) -> None:
    album = Album.objects.create()
    long_ago = timezone.now() - timedelta(days=1)
    Photo.objects.create(album=album, filename="a.jpg", content_type="image/jpeg", size=5, upload_expires_at=long_ago)

    counts = reconcile_album(album_id=album.pk, now=timezone.now())

    assert (counts.cleaned, counts.unknown) == (0, 1)
    assert Photo.objects.count() == 1


def test_originals_are_not_set_aside_in_another_storage(elsewhere: None) -> None:
    key = f"originals/{uuid4()}"
    blobs().put(key, b"bytes", content_type="image/jpeg")

    upkeep.quarantine_orphans(now=timezone.now() + timedelta(days=3))

    assert [blob.key for blob in blobs().list("originals/")] == [key]


def test_a_storage_that_does_not_answer_is_no_mistaken_one(settings: LazySettings, s3: Bucket) -> None:
    must_be_ours()
    use_bucket(settings, Bucket("http://127.0.0.1:9", "nowhere"))

    line = storage_line()

    assert "storage_unavailable" in line
    assert "mistaken" not in line
