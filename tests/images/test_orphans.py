"""Files without a row are set aside, rows without a file are marked; never many at once."""

import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from images.blobs import StorageUnavailable, blobs, derived_key, image_key
from images.blobs.folder import LocalBlobs
from images.models import Image, Pass
from images.quarantine import IMAGES, set_aside
from images.services import add_image, missing_images
from images.store import claim_new
from images.upkeep import orphans as orphans_module
from images.upkeep.orphans import hash_before, quarantine_orphans
from images.upkeep.passes import Budget
from images.upkeep.restoring import Restored, quarantined, restore
from images.upkeep.sweep import sweep
from normalform import Normal
from tests.images.pictures import normal_jpeg

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timedelta(0)


def counts(**options: Any) -> dict[str, int]:
    done = quarantine_orphans(**{"age": NOW, **options})
    return {name: number for name, number in done.counts.items() if number}


def orphan(seed: int) -> str:
    """A picture's file without its row."""
    name = sha256(normal_jpeg(seed)).hexdigest()
    blobs().put(image_key(name), normal_jpeg(seed), content_type="image/jpeg")
    return name


def keys(prefix: str) -> list[str]:
    return [blob.key for blob in blobs().list(prefix)]


def added(seed: int) -> str:
    return add_image(data=normal_jpeg(seed)).image.hash


def test_a_file_without_a_row_is_set_aside_and_can_be_taken_back(storage: str) -> None:
    kept, name = added(1), orphan(2)

    assert counts() == {"checked": 2, "quarantined": 1}
    assert keys("images/") == [image_key(kept)]
    assert list(quarantined()) == [name]
    assert blobs().read(f"{IMAGES}{name}.jpg") == normal_jpeg(2)
    assert [row.pk for row in Image.objects.all()] == [kept]

    assert restore(name) == Restored(name)

    assert blobs().read(image_key(name), sha256=name) == normal_jpeg(2)
    assert Image.objects.usable().get(pk=name).width == 640
    assert list(quarantined()) == []
    assert counts() == {"checked": 2}


def test_young_files_are_left_to_their_writers() -> None:
    orphan(1)

    assert counts(age=timedelta(days=1)) == {"checked": 1}


def test_a_file_whose_row_is_still_storing_is_no_orphan() -> None:
    added(1)
    Image.objects.update(status=Image.Status.STORING)

    assert counts() == {"checked": 1}


def test_copies_of_a_picture_that_is_gone_are_dropped(storage: str) -> None:
    kept = added(1)
    for name in (kept, "f" * 64):
        blobs().put(derived_key(name, 160), b"small", content_type="image/jpeg")

    assert counts() == {"checked": 3, "copies_dropped": 1}
    assert keys("images/derived/") == [derived_key(kept, 160)]
    assert keys("quarantine/") == []


def test_rows_whose_file_is_gone_are_marked_wherever_they_lie_in_the_order(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans_module, "BATCH", 2)
    names = sorted(added(seed) for seed in range(1, 9))
    lost = [names[0], names[3], names[4], names[7]]
    for name in lost:
        blobs().delete(image_key(name))

    assert counts() == {"checked": 4, "lost": 4}
    assert missing_images(hashes=names) == lost


def test_a_pass_goes_on_where_the_last_one_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans_module, "BATCH", 2)
    names = sorted(orphan(seed) for seed in range(1, 7))
    outcomes = []
    for _ in range(4):
        done = quarantine_orphans(age=NOW, budget=Budget(limit=2))
        outcomes.append((done.counts.get("quarantined", 0), done.outcome))

    assert outcomes == [(2, "more"), (2, "more"), (2, "more"), (0, "done")]
    assert sorted(quarantined()) == names


def test_a_row_behind_the_place_where_a_pass_stopped_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans_module, "BATCH", 1)
    names = sorted(added(seed) for seed in range(1, 8))
    for name in names[1::2]:
        blobs().delete(image_key(name))
    lost = 0
    for _ in range(20):
        lost += quarantine_orphans(age=NOW, budget=Budget(seconds=-1)).counts.get("lost", 0)

    assert lost == 3
    assert missing_images(hashes=names) == names[1::2]


@pytest.mark.parametrize(
    ("cursor", "before"),
    [
        ("", ""),
        (f"images/{'a' * 64}.jpg", "a" * 64),
        ("images/derived/x_160.jpg", "deg"),
        ("images/a note", "a"),
        ("images/note", "g"),
        ("images/d", "d"),
    ],
)
def test_a_place_in_the_listing_is_a_place_among_the_hashes(cursor: str, before: str) -> None:
    assert hash_before(cursor) == before


def test_when_much_looks_orphaned_nothing_is_touched() -> None:
    """A database from an old backup looks just so."""
    names = sorted(orphan(seed) for seed in range(1, 13))

    done = quarantine_orphans(age=NOW)

    assert done.outcome == Pass.Outcome.TOO_MUCH
    assert done.counts["held_back"] == 12
    assert keys("images/") == [image_key(name) for name in names]
    assert quarantine_orphans(age=NOW, budget=Budget(percent=100)).counts["quarantined"] == 12


def test_when_the_disk_is_not_mounted_nothing_is_marked(settings: LazySettings, tmp_path: Path) -> None:
    names = [added(seed) for seed in range(1, 13)]
    settings.FILES_DIR = tmp_path / "empty"

    assert quarantine_orphans(age=NOW).outcome == Pass.Outcome.TOO_MUCH
    assert missing_images(hashes=names) == []


def test_a_picture_that_is_stored_while_it_is_set_aside_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    name = orphan(1)

    def stored_meanwhile(key: str, data: bytes) -> None:
        add_image(data=normal_jpeg(1))
        set_aside(key, data)

    monkeypatch.setattr("images.quarantine.set_aside", stored_meanwhile)

    assert counts() == {"checked": 1, "skipped": 1}
    assert blobs().read(image_key(name), sha256=name) == normal_jpeg(1)
    assert Image.objects.usable().filter(pk=name).exists()


def test_a_writer_waits_while_its_bytes_are_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is the lock here too: it is claimed before the file goes."""
    name = orphan(1)
    claims: list[str] = []
    delete = LocalBlobs.delete

    def look_and_delete(self: LocalBlobs, key: str) -> None:
        if key == image_key(name):
            claims.append(Image.objects.get(pk=name).status)
        delete(self, key)

    monkeypatch.setattr(LocalBlobs, "delete", look_and_delete)

    assert counts() == {"checked": 1, "quarantined": 1}
    assert claims == [Image.Status.SWEEPING]
    assert not Image.objects.exists()


def test_a_name_that_is_not_ours_is_set_aside_or_left_alone(files: Path) -> None:
    added(1)
    (files / "images" / "notes.txt").write_text("notes")
    (files / "images" / "a note.txt").write_text("note")

    assert counts() == {"checked": 3, "quarantined": 1, "refused": 1}
    assert keys(IMAGES) == [f"{IMAGES}notes.txt"]
    assert (files / "images" / "a note.txt").exists()
    assert list(quarantined()) == []


def test_quarantine_ends_after_a_month(files: Path) -> None:
    name = orphan(1)
    counts()
    old = timezone.now().timestamp() - timedelta(days=31).total_seconds()
    assert counts() == {}
    os.utime(files / IMAGES / f"{name}.jpg", (old, old))

    assert counts() == {"expired": 1}
    assert keys("quarantine/") == []


def test_drafts_of_dead_writers_are_cleared(files: Path) -> None:
    added(1)
    draft = files / "images" / ".draft-dead"
    draft.write_bytes(b"half")
    os.utime(draft, (0, 0))

    assert counts() == {"checked": 1, "drafts": 1}
    assert not draft.exists()


def test_a_dry_run_says_the_same_and_touches_nothing(files: Path) -> None:
    name, lost = orphan(1), added(2)
    blobs().delete(image_key(lost))

    assert counts(budget=Budget(dry_run=True)) == {"checked": 1, "quarantined": 1, "lost": 1}
    assert keys("images/") == [image_key(name)]
    assert keys("quarantine/") == []
    assert Image.objects.get().damaged_at is None


def test_a_storage_that_fails_ends_the_pass_and_the_next_one_begins_there(monkeypatch: pytest.MonkeyPatch) -> None:
    name = orphan(1)

    def fail(*arguments: object, **options: object) -> None:
        raise StorageUnavailable("full")

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "put", fail)
        assert quarantine_orphans(age=NOW).outcome == Pass.Outcome.UNAVAILABLE
    assert keys("images/") == [image_key(name)]
    assert counts() == {"checked": 1, "quarantined": 1}


def test_what_is_not_what_it_says_is_not_taken_back() -> None:
    blobs().put(f"{IMAGES}{'a' * 64}.jpg", b"other", content_type="image/jpeg")
    text = b"no picture"
    name = sha256(text).hexdigest()
    blobs().put(f"{IMAGES}{name}.jpg", text, content_type="image/jpeg")

    assert restore("a" * 64).trouble == "its bytes are not those of its name"
    assert restore("b" * 64).trouble == "it isn't in quarantine"
    assert restore(name).trouble == "it is no picture in normal form"
    assert not Image.objects.exists()
    assert len(keys(IMAGES)) == 2


def test_a_claim_that_died_between_copy_and_deletion_is_finished_by_the_sweep() -> None:
    name = orphan(1)
    set_aside(image_key(name), normal_jpeg(1))
    claim_new(name, Normal(b"\0", 1, 1, ""), timezone.now() - timedelta(days=1), Image.Status.SWEEPING)

    assert sweep().counts["finished"] == 1
    assert keys("images/") == []
    assert list(quarantined()) == [name]


def test_another_file_of_a_name_is_set_aside_beside_the_first(files: Path) -> None:
    first, second = b"one", b"other"
    (files / "images").mkdir(parents=True)
    for data in (first, second):
        (files / "images" / "notes.txt").write_bytes(data)
        assert counts() == {"checked": 1, "quarantined": 1}

    assert {blobs().read(key) for key in keys(IMAGES)} == {first, second}
    assert keys("images/") == []
