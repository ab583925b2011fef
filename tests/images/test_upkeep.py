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
from images.folder import LocalBlobs
from images.models import Image
from images.services import add_image, image_to_refer_to
from images.upkeep import Pass, delete_unreferenced
from tests.images.pictures import normal_jpeg

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
GRACE = timedelta(days=30)


def added(seed: int = 1, *, age: timedelta = timedelta(days=31)) -> str:
    """The hash of a stored picture that was last wanted so long ago."""
    hash = add_image(data=normal_jpeg(seed)).image.hash
    Image.objects.filter(pk=hash).update(wanted_at=timezone.now() - age)
    return hash


def product(image: str | None) -> Product:
    category = Category.objects.create(name="Drinks")
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

    done = delete_unreferenced(older_than=GRACE)

    assert done == Pass(swept=1)
    assert not Image.objects.exists()
    assert [path for path in files.rglob("*") if path.is_file()] == []


def test_young_and_referenced_pictures_stay() -> None:
    young, shown = added(1, age=timedelta(days=29)), added(2)
    product(shown)

    assert delete_unreferenced(older_than=GRACE) == Pass()
    assert exists(young)
    assert exists(shown)


def test_a_pass_is_limited_and_takes_the_longest_unwanted_first() -> None:
    hashes = [added(seed, age=timedelta(days=40 + seed)) for seed in (1, 2, 3)]

    assert delete_unreferenced(older_than=GRACE, limit=2).swept == 2
    assert [row.pk for row in Image.objects.all()] == [hashes[0]]


def test_a_second_pass_changes_nothing() -> None:
    added()
    delete_unreferenced(older_than=GRACE)

    assert delete_unreferenced(older_than=GRACE) == Pass()


def test_rows_that_dead_processes_left_are_finished() -> None:
    for seed, status in ((1, Image.Status.STORING), (2, Image.Status.SWEEPING)):
        Image.objects.filter(pk=added(seed, age=timedelta(hours=2))).update(status=status)
    working = added(3, age=timedelta(minutes=1))
    Image.objects.filter(pk=working).update(status=Image.Status.STORING)

    assert delete_unreferenced(older_than=GRACE) == Pass(finished=2)
    assert [row.pk for row in Image.objects.all()] == [working]
    assert exists(working)


def test_a_storage_that_fails_ends_the_pass_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hash = added()

    def fail(*arguments: object) -> None:
        raise StorageUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "delete", fail)
        assert delete_unreferenced(older_than=GRACE) == Pass(unknown=1)
    assert Image.objects.get(pk=hash).status == Image.Status.SWEEPING
    Image.objects.update(wanted_at=timezone.now() - timedelta(hours=2))

    assert delete_unreferenced(older_than=GRACE) == Pass(finished=1)


def test_a_reference_that_is_being_taken_saves_the_picture() -> None:
    """The sweep waits for the open transaction, looks again, and finds the picture wanted."""
    hash = added()
    holder = product(None)
    held, results = threading.Event(), []

    def sweep() -> None:
        assert held.wait(30)
        try:
            results.append(delete_unreferenced(older_than=GRACE))
        finally:
            connection.close()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    with transaction.atomic():
        image = image_to_refer_to(hash=hash)
        held.set()
        sweeper.join(0.3)  # it is either waiting for us or yet to come; the outcome is the same
        Product.objects.filter(pk=holder.pk).update(image=image)
    sweeper.join(30)

    assert results[0].swept == 0
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

    monkeypatch.setattr("images.upkeep.claim_sweep", claim_and_refer)

    assert delete_unreferenced(older_than=GRACE) == Pass(skipped=1)
    assert Image.objects.get(pk=hash).status == Image.Status.STORED
    assert exists(hash)


def test_uploads_and_sweeps_at_the_same_time_never_leave_a_row_without_bytes() -> None:
    stop = threading.Event()
    errors: list[BaseException] = []

    def sweep() -> None:
        try:
            while not stop.is_set():
                delete_unreferenced(older_than=timedelta(0))
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)
        finally:
            connection.close()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    rounds = []
    try:
        for _ in range(40):
            rounds.append(add_image(data=DATA).created)
            with transaction.atomic():
                row = Image.objects.select_for_update().filter(pk=HASH, status=Image.Status.STORED).first()
                assert row is None or exists(HASH)
    finally:
        stop.set()
        sweeper.join(30)

    assert errors == []
    assert sum(rounds) > 1, "the sweeper never came between"
