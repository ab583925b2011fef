"""What nobody needs goes after a grace period, and never while somebody takes it up again."""

import threading
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Category, Product
from images import store as store_module
from images.blobs import BlobMissing, StorageUnavailable, blobs, derived_key, image_key
from images.blobs.folder import LocalBlobs
from images.identity import MARKER
from images.models import Image, Pass
from images.services import add_image, image_to_refer_to, missing_images
from images.upkeep import sweep as sweep_module
from images.upkeep.passes import Budget
from images.upkeep.sweep import sweep
from tests.images.pictures import normal_jpeg

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
GRACE = timedelta(days=30)


def added(seed: int = 1, *, age: timedelta = timedelta(days=31)) -> str:
    """The hash of a stored picture that was last wanted so long ago."""
    hash = add_image(data=normal_jpeg(seed)).image.hash
    long_ago = timezone.now() - age
    Image.objects.filter(pk=hash).update(wanted_at=long_ago, unreferenced_since=long_ago)
    return hash


def counts(**options: Any) -> dict[str, int]:
    """What a pass did, without what it did not do."""
    done = sweep(grace=GRACE, **options)
    return {name: number for name, number in done.counts.items() if number}


def product(image: str | None) -> Product:
    category = Category.objects.get_or_create(name="Drinks")[0]
    return Product.objects.create(name="Tea", price=Decimal(2), category=category, image_id=image)


def exists(hash: str) -> bool:
    try:
        blobs().stat(image_key(hash))
    except BlobMissing:
        return False
    return True


def test_an_old_picture_that_nobody_refers_to_goes_with_its_derivatives(files: Path) -> None:
    hash = added()
    blobs().put(derived_key(hash, 160), b"small", content_type="image/jpeg")

    assert counts() == {"swept": 1}
    assert not Image.objects.exists()
    assert [path for path in files.rglob("*") if path.is_file() and path.name != MARKER] == []


def test_young_and_referenced_pictures_stay() -> None:
    young, shown = added(1, age=timedelta(days=29)), added(2)
    product(shown)

    assert counts() == {"unmarked": 1}
    assert exists(young)
    assert exists(shown)


def test_a_pass_is_limited_and_takes_the_longest_unwanted_first() -> None:
    hashes = [added(seed, age=timedelta(days=40 + seed)) for seed in (1, 2, 3)]

    assert counts(budget=Budget(limit=2)) == {"swept": 2}
    assert [row.pk for row in Image.objects.all()] == [hashes[0]]


def test_a_second_pass_changes_nothing() -> None:
    added()
    sweep(grace=GRACE)

    assert counts() == {}


def test_rows_that_dead_processes_left_are_finished() -> None:
    for seed, status in ((1, Image.Status.STORING), (2, Image.Status.SWEEPING)):
        Image.objects.filter(pk=added(seed, age=timedelta(hours=2))).update(status=status)
    working = added(3, age=timedelta(minutes=1))
    Image.objects.filter(pk=working).update(status=Image.Status.STORING)

    assert counts() == {"finished": 2}
    assert [row.pk for row in Image.objects.all()] == [working]
    assert exists(working)


def test_a_storage_that_fails_ends_the_pass_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hash = added()

    def fail(*arguments: object) -> None:
        raise StorageUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "delete", fail)
        assert sweep(grace=GRACE).outcome == Pass.Outcome.UNAVAILABLE
    assert Image.objects.get(pk=hash).status == Image.Status.SWEEPING
    Image.objects.update(wanted_at=timezone.now() - timedelta(hours=2))

    assert counts() == {"finished": 1}


def test_a_reference_that_is_being_taken_saves_the_picture() -> None:
    """The sweep waits for the open transaction, looks again, and finds the picture wanted."""
    hash = added()
    holder = product(None)
    held, results = threading.Event(), []

    def sweep_then() -> None:
        assert held.wait(30)
        try:
            results.append(sweep(grace=GRACE))
        finally:
            connection.close()

    sweeper = threading.Thread(target=sweep_then)
    sweeper.start()
    with transaction.atomic():
        image = image_to_refer_to(hash=hash)
        held.set()
        sweeper.join(0.3)  # it is either waiting for us or yet to come; the outcome is the same
        Product.objects.filter(pk=holder.pk).update(image=image)
    sweeper.join(30)

    assert "swept" not in results[0].counts
    assert Image.objects.get(pk=hash).status == Image.Status.STORED
    assert exists(hash)


def test_a_reference_that_was_slipped_in_behind_the_claim_gives_the_picture_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hash = added()
    claim = store_module.claim_sweep

    def claim_and_refer(name: str, **options: Any) -> bool:
        claimed = claim(name, **options)
        product(name)
        return claimed

    monkeypatch.setattr(sweep_module, "claim_sweep", claim_and_refer)

    assert counts() == {"skipped": 1}
    assert Image.objects.get(pk=hash).status == Image.Status.STORED
    assert exists(hash)


def test_a_claim_that_died_over_a_picture_that_is_shown_is_undone_as_its_bytes_are() -> None:
    sound, lost = added(1), added(2)
    for name in (sound, lost):
        product(name)
    Image.objects.filter(pk=sound).update(status=Image.Status.SWEEPING)
    Image.objects.filter(pk=lost).update(status=Image.Status.STORING)
    blobs().delete(image_key(lost))

    assert counts() == {"given_back": 2, "unmarked": 2}

    rows = {row.pk: row for row in Image.objects.all()}
    assert {row.status for row in rows.values()} == {Image.Status.STORED}
    assert rows[sound].damaged_at is None
    assert rows[lost].damaged_at is not None
    assert missing_images(hashes=[sound, lost]) == [lost]


def test_the_grace_period_of_a_picture_that_was_shown_for_years_begins_when_it_is_taken_away() -> None:
    hash = added(age=timedelta(days=1000))
    Image.objects.update(unreferenced_since=None)
    shown = product(hash)
    assert counts() == {}
    Product.objects.filter(pk=shown.pk).update(image=None)

    assert counts() == {"marked": 1}
    assert exists(hash)
    Image.objects.update(unreferenced_since=timezone.now() - timedelta(days=31))
    assert counts() == {"swept": 1}
    assert not exists(hash)


def test_a_picture_that_is_shown_again_has_a_new_grace_period() -> None:
    hash = added()
    product(hash)

    assert counts() == {"unmarked": 1}
    Product.objects.all().delete()
    assert counts() == {"marked": 1}
    assert exists(hash)


def test_many_pictures_are_marked_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "BATCH", 2)
    for seed in range(1, 6):
        added(seed, age=timedelta(0))
    Image.objects.update(unreferenced_since=None)

    assert counts() == {"marked": 5}
    assert not Image.objects.filter(unreferenced_since=None).exists()


def test_a_dry_run_says_the_same_and_touches_nothing() -> None:
    swept, left, fresh = added(1), added(2), added(3)
    Image.objects.filter(pk=left).update(status=Image.Status.SWEEPING)
    Image.objects.filter(pk=fresh).update(unreferenced_since=None)
    before = list(Image.objects.order_by("pk").values())

    assert counts(budget=Budget(dry_run=True)) == {"swept": 1, "finished": 1, "marked": 1}
    assert list(Image.objects.order_by("pk").values()) == before
    assert exists(swept)
    assert Pass.objects.get().is_dry_run


def test_time_that_is_up_ends_a_pass_and_the_next_goes_on() -> None:
    added()

    done = sweep(grace=GRACE, budget=Budget(seconds=-1))

    assert done.outcome == Pass.Outcome.MORE
    assert counts() == {"swept": 1}


def rows_of(*, used: int, unused: int) -> None:
    """So many pictures that a product shows, and that nothing has shown or wanted for long; bytes play no part."""
    long_ago = timezone.now() - timedelta(days=31)
    plain = {"width": 1, "height": 1, "size": 1, "status": Image.Status.STORED, "wanted_at": long_ago}
    names = [f"{number:064x}" for number in range(used + unused)]
    Image.objects.bulk_create(
        Image(hash=name, unreferenced_since=None if number < used else long_ago, **plain)
        for number, name in enumerate(names)
    )
    category = Category.objects.create(name="Drinks")
    Product.objects.bulk_create(
        Product(name=name, price=Decimal(2), category=category, image_id=name) for name in names[:used]
    )


def test_a_catalogue_that_lost_most_of_its_pictures_is_not_followed_by_the_store() -> None:
    rows_of(used=11, unused=12)

    done = sweep(grace=GRACE, budget=Budget(limit=5))

    assert done.outcome == Pass.Outcome.TOO_MUCH
    assert (done.counts["held_back"], done.counts.get("swept", 0)) == (12, 0)
    assert Image.objects.count() == 23
    assert sweep(grace=GRACE, budget=Budget(dry_run=True)).outcome == Pass.Outcome.TOO_MUCH
    assert counts(budget=Budget(percent=100)) == {"swept": 12}


def test_a_season_change_of_half_the_pictures_is_swept() -> None:
    rows_of(used=12, unused=12)

    assert counts(budget=Budget(percent=5)) == {"swept": 12}


def test_a_small_store_is_swept_however_little_of_it_is_left() -> None:
    rows_of(used=0, unused=10)

    assert counts() == {"swept": 10}
