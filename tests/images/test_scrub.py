"""Every picture is compared with its name now and then; what is wrong comes back with the next upload."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from images.blobs import BlobMissing, StorageUnavailable, blobs, derived_key, image_key
from images.blobs.folder import LocalBlobs
from images.models import Image, Pass
from images.quarantine import DAMAGED
from images.services import HashUnknown, add_image, image_to_refer_to, missing_images
from images.upkeep import scrub as scrub_module
from images.upkeep.passes import Budget, Running
from images.upkeep.scrub import scrub, share_of
from tests.images.pictures import normal_jpeg

pytestmark = pytest.mark.django_db(transaction=True)


def counts(**options: Any) -> dict[str, int]:
    return {name: number for name, number in scrub(**options).counts.items() if number}


def rot(name: str) -> bytes:
    """Flips one bit of the stored bytes, as a disk does; the rotten bytes."""
    data = bytearray(blobs().read(image_key(name)))
    data[len(data) // 2] ^= 1
    blobs().delete(image_key(name))
    blobs().put(image_key(name), bytes(data), content_type="image/jpeg")
    return bytes(data)


def added(seed: int) -> str:
    return add_image(data=normal_jpeg(seed)).image.hash


def test_rot_is_marked_set_aside_and_repaired_by_the_next_upload(storage: str, anyone: Client) -> None:
    sound, rotten = added(1), added(2)
    anyone.get(f"/api/image/{rotten}.jpg?w=160")
    wrong = rot(rotten)

    assert counts() == {"checked": 2, "damaged": 1}

    assert anyone.get(f"/api/image/{rotten}.jpg").status_code == 404
    assert anyone.get(f"/api/image/{sound}.jpg").status_code == 200
    assert missing_images(hashes=[sound, rotten]) == [rotten]
    with transaction.atomic(), pytest.raises(HashUnknown):
        image_to_refer_to(hash=rotten)
    (aside,) = blobs().list(DAMAGED)
    assert aside.key == f"{DAMAGED}{rotten}-{sha256(wrong).hexdigest()[:16]}.jpg"
    assert blobs().read(aside.key) == wrong
    for key in (image_key(rotten), derived_key(rotten, 160)):
        with pytest.raises(BlobMissing):
            blobs().stat(key)

    again = add_image(data=normal_jpeg(2))

    assert (again.image.hash, again.created, again.image.damaged_at) == (rotten, False, None)
    assert anyone.get(f"/api/image/{rotten}.jpg").content == normal_jpeg(2)
    assert missing_images(hashes=[rotten]) == []
    assert counts() == {"checked": 2}


def test_lost_bytes_are_noticed(storage: str) -> None:
    lost = added(1)
    blobs().delete(image_key(lost))

    assert counts() == {"checked": 1, "lost": 1}
    assert missing_images(hashes=[lost]) == [lost]
    assert counts() == {"checked": 1, "still_damaged": 1}


def test_an_upload_repairs_what_no_scrub_has_seen_yet(storage: str) -> None:
    rotten = added(1)
    rot(rotten)

    assert not add_image(data=normal_jpeg(1)).created
    assert blobs().read(image_key(rotten), sha256=rotten) == normal_jpeg(1)
    assert counts() == {"checked": 1}


def test_bytes_that_a_backup_brought_back_are_believed_again() -> None:
    lost = added(1)
    blobs().delete(image_key(lost))
    scrub()
    blobs().put(image_key(lost), normal_jpeg(1), content_type="image/jpeg")

    assert counts() == {"checked": 1, "sound_again": 1}
    assert Image.objects.get().damaged_at is None


def test_the_longest_unchecked_come_first_a_share_in_each_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub_module, "FEWEST", 2)
    names = [added(seed) for seed in range(1, 6)]
    for days, name in enumerate(names):
        Image.objects.filter(pk=name).update(checked_at=timezone.now() - timedelta(days=10 - days))
    Image.objects.filter(pk=names[4]).update(checked_at=None)
    began = timezone.now()

    assert counts() == {"checked": 2}
    assert set(Image.objects.filter(checked_at__gt=began).values_list("pk", flat=True)) == {names[4], names[0]}
    assert counts() == {"checked": 2}
    assert counts() == {"checked": 2}
    assert not Image.objects.filter(checked_at__lt=began).exists()
    assert counts(everything=True) == {"checked": 5}


def test_the_share_gets_through_the_store_in_time(settings: LazySettings) -> None:
    settings.IMAGE_SCRUB_DAYS = 10

    assert [share_of(number) for number in (0, 100, 24_000, 1_000_000)] == [50, 50, 100, 4167]


def test_when_much_is_wrong_nothing_is_touched() -> None:
    """A disk that isn't mounted looks just so."""
    names = [added(seed) for seed in range(1, 13)]
    files = {name: blobs().read(image_key(name)) for name in names}
    for name in names:
        blobs().delete(image_key(name))

    done = scrub()

    assert done.outcome == Pass.Outcome.TOO_MUCH
    assert done.counts["held_back"] == 12
    assert missing_images(hashes=names) == []
    for name, data in files.items():
        blobs().put(image_key(name), data, content_type="image/jpeg")
    assert counts() == {"checked": 12}


def test_a_storage_that_does_not_answer_condemns_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    added(1)

    def fail(*arguments: object, **options: object) -> None:
        raise StorageUnavailable("silent")

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "open", fail)
        assert scrub().outcome == Pass.Outcome.UNAVAILABLE
    assert not Image.objects.exclude(damaged_at=None).exists()
    assert counts() == {"checked": 1}


def test_a_dry_run_says_what_is_wrong_and_leaves_it() -> None:
    rotten = added(1)
    wrong = rot(rotten)
    before = list(Image.objects.values())

    assert counts(budget=Budget(dry_run=True)) == {"checked": 1, "damaged": 1}
    assert list(Image.objects.values()) == before
    assert blobs().read(image_key(rotten)) == wrong


def test_a_narrower_copy_that_rotted_is_made_again(anyone: Client, files: Path) -> None:
    name = added(1)
    copies = [anyone.get(f"/api/image/{name}.jpg?w=160").content, anyone.get(f"/api/image/{name}.jpg?w=320").content]
    path = files / derived_key(name, 160)
    path.write_bytes(copies[0][:-40])

    assert counts() == {"checked": 1, "copies_dropped": 1}
    assert not path.exists()
    assert anyone.get(f"/api/image/{name}.jpg?w=160").content == copies[0]
    assert anyone.get(f"/api/image/{name}.jpg?w=320").content == copies[1]


def test_what_a_terminal_met_damaged_is_checked_first(
    anyone: Client, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub_module, "FEWEST", 1)
    older, met = added(1), added(2)
    Image.objects.filter(pk=older).update(checked_at=timezone.now() - timedelta(days=100))
    rot(met)

    assert anyone.get(f"/api/image/{met}.jpg").status_code == 404
    assert counts() == {"checked": 1, "damaged": 1}
    assert Image.objects.get(pk=met).damaged_at is not None


def test_a_repair_during_the_scrub_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    rotten = added(1)
    rot(rotten)
    brake = Running.brake

    def repaired_meanwhile(self: Running, *arguments: Any, **options: Any) -> None:
        add_image(data=normal_jpeg(1))
        brake(self, *arguments, **options)

    monkeypatch.setattr(Running, "brake", repaired_meanwhile)

    assert counts() == {"checked": 1, "damaged": 1}
    assert Image.objects.get().damaged_at is None
    assert blobs().read(image_key(rotten), sha256=rotten) == normal_jpeg(1)


def test_a_pass_over_several_batches_meets_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub_module, "BATCH", 2)
    names = [added(seed) for seed in range(1, 8)]
    for name in names[::3]:
        rot(name)

    for budget in (Budget(dry_run=True), Budget()):
        assert counts(everything=True, budget=budget) == {"checked": 7, "damaged": 3}
    assert counts(everything=True) == {"checked": 7, "still_damaged": 3}
