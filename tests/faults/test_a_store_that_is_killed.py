"""SIGKILL at every step of storing, repairing and sweeping: nothing wrong is left, and nothing that stays for ever."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from catalog.models import Category, Product
from images import store as store_module
from images.blobs import BlobMissing, blobs, derived_key, image_key
from images.identity import must_be_ours
from images.models import Image
from images.store import store
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.passes import Budget
from images.upkeep.sweep import sweep
from tests.contracts.conftest import use_bucket
from tests.faults.killed_process import KilledProcess, small
from tests.parts import shared_environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

LONG_AGO = timedelta(days=100)


both = pytest.mark.parametrize("dying", ["folder", "bucket"], indirect=True)


@pytest.fixture
def dying(
    request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KilledProcess]:
    monkeypatch.setattr(store_module, "PATIENCE", timedelta(0))
    settings.FILES_DIR = tmp_path / "data" / "uploads"
    if getattr(request, "param", "folder") == "bucket":
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    else:  # so that every run takes the same steps
        (tmp_path / "data" / "uploads" / "images" / "derived").mkdir(parents=True)
    with KilledProcess({**shared_environment(), "DATA_DIR": str(tmp_path / "data")}) as process:
        yield process


def data_of(seed: int) -> bytes:
    return bytes(small(seed).data)


def name_of(seed: int) -> str:
    return sha256(data_of(seed)).hexdigest()


def put_again(seed: int) -> Image:
    """What the next client does."""
    return store(small(seed))[0]


def check(seed: int) -> None:
    """A picture that can be served has its bytes, and nothing half written lies under a hash."""
    name = name_of(seed)
    usable = Image.objects.usable().filter(pk=name).exists()
    if usable or (is_there(name) and not Image.objects.filter(pk=name).exclude(damaged_at=None).exists()):
        assert blobs().read(image_key(name)) == data_of(seed)


def is_there(name: str) -> bool:
    try:
        return bool(blobs().stat(image_key(name)))
    except BlobMissing:
        return False


def age(name: str) -> None:
    Image.objects.filter(pk=name).update(wanted_at=timezone.now() - LONG_AGO)


def deaths(
    dying: KilledProcess, action: str, prepare: Callable[[int], None], go_on: Callable[[int], None]
) -> list[str]:
    """Kills one run after the other, each a step later, until one gets through; the steps that were hit."""
    steps: list[str] = []
    for die_at in count():
        seed = die_at + 1
        prepare(seed)
        step = dying.run(action, seed=seed, die_at=die_at)
        assert not step.startswith("failed"), step
        check(seed)
        if step == "finished":
            break
        steps.append(step)
        go_on(seed)
        check(seed)
    return steps


def check_steps(steps: list[str], *wanted: str) -> None:
    in_folder = {"after open", "half way through the bytes", "after fsync", "after link", "after unlink"}
    expected = {*wanted, *(in_folder if blobs().path("images/x") else {"after PutObject"})}
    assert expected <= set(steps), f"these were never hit: {expected - set(steps)}"


@both
def test_the_next_client_stores_what_a_killed_one_began(dying: KilledProcess) -> None:
    def go_on(seed: int) -> None:
        image = put_again(seed)
        assert (image.pk, image.status) == (name_of(seed), Image.Status.STORED)
        assert blobs().read(image_key(image.pk)) == data_of(seed)

    steps = deaths(dying, "store", lambda seed: None, go_on)

    check_steps(steps, "a row is storing", "a row is stored")
    assert not Image.objects.exclude(status=Image.Status.STORED).exists()


def test_upkeep_removes_what_a_killed_client_began_and_nobody_took_up(dying: KilledProcess) -> None:
    def go_on(seed: int) -> None:
        stored = Image.objects.usable().filter(pk=name_of(seed)).exists()
        age(name_of(seed))
        assert sweep().outcome == "done"
        assert is_there(name_of(seed)) == stored
        assert Image.objects.filter(pk=name_of(seed)).exists() == stored

    steps = deaths(dying, "store", lambda seed: None, go_on)
    quarantine_orphans(age=-timedelta(minutes=1), budget=Budget(percent=100))

    check_steps(steps, "a row is storing")
    assert not Image.objects.exclude(status=Image.Status.STORED).exists()


def test_a_killed_sweep_is_finished_by_the_next_one_or_by_whoever_stores_the_picture(dying: KilledProcess) -> None:
    def prepare(seed: int) -> None:
        image = put_again(seed)
        blobs().put(derived_key(image.pk, 160), b"small", content_type="image/jpeg")
        Image.objects.update(wanted_at=timezone.now())  # of earlier rounds
        Image.objects.filter(pk=image.pk).update(
            wanted_at=timezone.now() - LONG_AGO, unreferenced_since=timezone.now() - LONG_AGO
        )

    def go_on(seed: int) -> None:
        age(name_of(seed))
        if seed % 2:
            put_again(seed)
            assert blobs().read(image_key(name_of(seed))) == data_of(seed)
        else:
            Image.objects.filter(pk=name_of(seed)).update(unreferenced_since=timezone.now() - LONG_AGO)
            sweep()
            assert not Image.objects.filter(pk=name_of(seed)).exists()
            assert not is_there(name_of(seed))

    must_be_ours()  # so that the steps are those of sweeping
    steps = deaths(dying, "sweep", prepare, go_on)

    assert {"a row is sweeping", "after unlink", "a row is gone"} <= set(steps)


def test_a_killed_repair_is_never_believed(dying: KilledProcess) -> None:
    """The row is shown by a product, so no sweep may take it, whatever its bytes are."""
    category = Category.objects.create(name="Drinks")

    def prepare(seed: int) -> None:
        image = put_again(seed)
        Product.objects.create(name=image.pk, price="2.00", category=category, image=image)
        blobs().delete(image_key(image.pk))
        blobs().put(image_key(image.pk), data_of(seed)[:-9], content_type="image/jpeg")
        Image.objects.filter(pk=image.pk).update(damaged_at=timezone.now())  # or check() would find it now

    def go_on(seed: int) -> None:
        age(name_of(seed))
        sweep()
        assert Image.objects.get(pk=name_of(seed)).status == Image.Status.STORED
        check(seed)
        assert put_again(seed).damaged_at is None
        assert blobs().read(image_key(name_of(seed))) == data_of(seed)

    steps = deaths(dying, "store", prepare, go_on)

    check_steps(steps, "a row is storing", "a row is stored")
    assert Image.objects.usable().count() == len(steps) + 1


def test_two_processes_that_store_the_same_bytes_both_succeed_and_one_creates(dying: KilledProcess) -> None:
    for seed in range(1, 11):
        assert dying.run("store", seed=seed, times=2) == "10 11"
        assert blobs().read(image_key(name_of(seed))) == data_of(seed)
    assert Image.objects.usable().count() == 10
    root = blobs().path("images")
    assert root is not None
    assert [path for path in root.iterdir() if path.name.startswith(".")] == []
