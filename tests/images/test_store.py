"""The row is the lock of its bytes, whoever dies when and whoever comes at the same time."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from images import store as store_module
from images.blobs import Blobs, StorageUnavailable, blobs, image_key
from images.blobs.folder import LocalBlobs
from images.models import Image
from images.services import Added, HashUnknown, add_image, image_to_refer_to, image_url
from images.store import RELEASED, claim_new, claim_sweep, finish_sweep, store
from normalform import normalize
from tests.images.pictures import encoded, normal_jpeg, photograph
from tests.parts import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
NORMAL = normalize(DATA, quality=85)
AGES_AGO = timedelta(days=100)


def in_threads(number: int, work: Callable[[], Any]) -> list[Any]:
    """What ``work`` returned or raised in each of ``number`` threads that began together."""
    results: list[Any] = []
    start = threading.Barrier(number)

    def run() -> None:
        try:
            start.wait()
            results.append(work())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def row() -> Image:
    return Image.objects.get(pk=HASH)


def aged(status: Image.Status = Image.Status.STORED) -> Image:
    long_ago = timezone.now() - AGES_AGO
    Image.objects.filter(pk=HASH).update(status=status, wanted_at=long_ago, unreferenced_since=long_ago)
    return row()


def test_a_picture_is_stored_under_the_hash_of_its_bytes(files: Path) -> None:
    added = add_image(data=DATA)

    assert added.created
    assert (added.image.hash, added.image.status) == (HASH, Image.Status.STORED)
    assert (added.image.width, added.image.height, added.image.size) == (640, 480, len(DATA))
    assert (files / "images" / f"{HASH}.jpg").read_bytes() == DATA
    assert image_url(HASH) == f"/api/image/{HASH}.jpg"


def test_the_same_picture_again_stores_nothing_and_is_wanted_again(files: Path) -> None:
    add_image(data=DATA)
    aged()

    added = add_image(data=DATA)

    assert not added.created
    assert timezone.now() - added.image.wanted_at < timedelta(minutes=1)
    assert [path.name for path in files.rglob("*.jpg")] == [f"{HASH}.jpg"]


def test_what_is_not_normal_is_stored_as_we_made_it(files: Path) -> None:
    added = add_image(data=encoded(photograph(), "PNG"))

    stored = blobs().read(image_key(added.image.hash))
    assert sha256(stored).hexdigest() == added.image.hash
    assert added.image.encoder.startswith("Pillow")


def test_of_many_writers_at_once_one_creates_and_all_succeed() -> None:
    results = in_threads(6, lambda: add_image(data=DATA))

    assert all(isinstance(result, Added) for result in results), results
    assert sorted(result.created for result in results) == [False] * 5 + [True]
    assert row().status == Image.Status.STORED
    assert blobs().read(image_key(HASH)) == DATA


def test_a_second_writer_waits_for_the_first_and_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    puts: list[str] = []
    may_go_on = threading.Event()
    put = LocalBlobs.put

    def slow_put(self: Blobs, key: str, data: bytes, **options: Any) -> bool:
        puts.append(key)
        assert may_go_on.wait(30)
        return put(self, key, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalBlobs, "put", slow_put)
    results: list[Any] = []
    first = threading.Thread(target=lambda: results.extend(in_threads(1, lambda: add_image(data=DATA))))
    first.start()
    wait_until(lambda: puts, what="the first writer's put")
    second = threading.Thread(target=lambda: results.extend(in_threads(1, lambda: add_image(data=DATA))))
    second.start()
    may_go_on.set()
    first.join(30)
    second.join(30)

    assert sorted(result.created for result in results) == [False, True]
    assert puts == [image_key(HASH)]


def test_a_new_row_is_inserted_as_the_orm_would() -> None:
    now = timezone.now()

    assert claim_new(HASH, NORMAL, now)

    by_hand: dict[str, Any] = dict(Image.objects.values().get())
    Image.objects.all().delete()
    Image(hash=HASH, width=640, height=480, size=len(DATA), wanted_at=now).save()
    by_the_orm: dict[str, Any] = dict(Image.objects.values().get())
    assert now <= by_hand.pop("created_at") <= by_the_orm.pop("created_at")
    assert by_hand == by_the_orm


def test_a_row_that_is_there_stays_as_it_is() -> None:
    assert claim_new(HASH, NORMAL, timezone.now())
    before = Image.objects.values().get()

    assert not claim_new(HASH, replace(NORMAL, width=4), timezone.now())

    assert Image.objects.values().get() == before


def test_a_broken_constraint_is_no_row_that_is_there() -> None:
    with pytest.raises(IntegrityError):
        claim_new(HASH, replace(NORMAL, width=0), timezone.now())

    assert not Image.objects.exists()


def test_a_row_that_a_dead_writer_left_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PATIENCE", timedelta(seconds=0.1))
    claim_new(HASH, NORMAL, timezone.now())  # and dies

    image, created = store(NORMAL)

    assert created
    assert image.status == Image.Status.STORED
    assert blobs().read(image_key(HASH)) == DATA


def test_a_writer_that_was_overtaken_succeeds_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    put = LocalBlobs.put
    overtaken: list[Image] = []

    def put_and_be_overtaken(self: Blobs, key: str, data: bytes, **options: Any) -> bool:
        monkeypatch.setattr(LocalBlobs, "put", put)
        monkeypatch.setattr(store_module, "PATIENCE", timedelta(0))
        overtaken.append(store(NORMAL)[0])
        return put(self, key, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalBlobs, "put", put_and_be_overtaken)

    image, created = store(NORMAL)

    assert overtaken
    assert (image.status, created) == (Image.Status.STORED, False)


def test_a_storage_that_fails_leaves_no_stored_row_and_the_next_try_need_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: object, **options: object) -> bool:
        raise StorageUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "put", fail)
        with pytest.raises(StorageUnavailable):
            add_image(data=DATA)
    assert (row().status, row().wanted_at) == (Image.Status.STORING, RELEASED)
    with transaction.atomic(), pytest.raises(HashUnknown):
        image_to_refer_to(hash=HASH)

    monkeypatch.setattr(store_module, "PAUSE", 60)

    assert add_image(data=DATA).created


def test_a_writer_that_meets_a_sweep_waits_and_begins_anew() -> None:
    add_image(data=DATA)
    aged()
    token = timezone.now()
    assert claim_sweep(HASH, cutoff=token, token=token)
    results: list[Any] = []
    writer = threading.Thread(target=lambda: results.extend(in_threads(1, lambda: add_image(data=DATA))))
    writer.start()

    assert finish_sweep(HASH, token)
    writer.join(30)

    assert [result.created for result in results] == [True]
    assert row().status == Image.Status.STORED
    assert blobs().read(image_key(HASH)) == DATA


def test_a_writer_does_not_wait_for_ever_for_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PATIENCE", timedelta(seconds=0.1))
    add_image(data=DATA)
    Image.objects.filter(pk=HASH).update(status=Image.Status.SWEEPING, wanted_at=timezone.now())

    with pytest.raises(StorageUnavailable):
        store(NORMAL)


def test_a_sweep_that_died_is_finished_by_the_writer_that_meets_it() -> None:
    add_image(data=DATA)
    aged(Image.Status.SWEEPING)
    blobs().delete(image_key(HASH))

    image, created = store(NORMAL)

    assert (image.status, created) == (Image.Status.STORED, True)
    assert blobs().read(image_key(HASH)) == DATA


def test_bytes_that_were_lost_come_back_with_the_next_upload() -> None:
    add_image(data=DATA)
    blobs().delete(image_key(HASH))

    assert not add_image(data=DATA).created
    assert blobs().read(image_key(HASH)) == DATA


def test_adding_refuses_to_run_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        add_image(data=DATA)


def test_a_reference_needs_a_transaction_and_stamps_the_row() -> None:
    add_image(data=DATA)
    aged()

    with pytest.raises(transaction.TransactionManagementError):
        image_to_refer_to(hash=HASH)
    with transaction.atomic():
        image = image_to_refer_to(hash=HASH)

    assert image.hash == HASH
    assert timezone.now() - row().wanted_at < timedelta(minutes=1)


@pytest.mark.parametrize("hash", ["f" * 64, "", "../x", "a\0" * 32, "\ud800", HASH.upper(), HASH + "\n"])
def test_a_reference_to_nothing_is_unknown(hash: str) -> None:
    with transaction.atomic(), pytest.raises(HashUnknown):
        image_to_refer_to(hash=hash)


@pytest.mark.parametrize("status", [Image.Status.STORING, Image.Status.SWEEPING])
def test_references_are_taken_to_stored_images_only(status: Image.Status) -> None:
    add_image(data=DATA)
    Image.objects.update(status=status)

    with transaction.atomic(), pytest.raises(HashUnknown):
        image_to_refer_to(hash=HASH)
