"""A picture that is swept and taken up again, over and over: whoever refers to it finds its bytes."""

import os
import random
import threading
from collections import Counter
from datetime import timedelta
from hashlib import sha256

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Category, Product
from images.blobs import blobs, image_key
from images.models import Image
from images.services import HashUnknown, image_to_refer_to
from images.store import claim_sweep, finish_sweep, store
from normalform import normalize
from tests.images.pictures import normal_jpeg
from tests.parts import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg(1, 48, 32)
HASH = sha256(DATA).hexdigest()
NORMAL = normalize(DATA, quality=85)
GRACE = timedelta(milliseconds=50)
AGES_AGO = timedelta(days=100)


@pytest.fixture(autouse=True)
def quick(settings: LazySettings, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power cut would do isn't asked here, only who comes before whom."""
    settings.FILES_DIR = tmp_path
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def sweep_until(stop: threading.Event, counts: Counter[str], errors: list[BaseException]) -> None:
    try:
        while not stop.is_set():
            token = timezone.now()
            if not Image.objects.filter(pk=HASH, wanted_at__lt=token - GRACE).exists():
                stop.wait(0.0005)
                continue
            if claim_sweep(HASH, cutoff=token - GRACE, token=token):
                counts["swept" if finish_sweep(HASH, token) else "given back"] += 1
    except BaseException as error:  # noqa: BLE001 - the test looks at it
        errors.append(error)
    finally:
        connection.close()


def run(rounds: int, product: Product) -> Counter[str]:
    dice = random.Random(rounds)  # noqa: S311 - a schedule, no secret
    counts: Counter[str] = Counter()
    errors: list[BaseException] = []
    stop = threading.Event()
    sweeper = threading.Thread(target=sweep_until, args=(stop, counts, errors))
    sweeper.start()
    try:
        for _ in range(rounds):
            long_ago = timezone.now() - AGES_AGO
            unused = Image.objects.filter(pk=HASH, status=Image.Status.STORED)
            unused.update(wanted_at=long_ago, unreferenced_since=long_ago)
            threading.Event().wait(dice.choice((0, 0, 0.0005, 0.002)))
            if dice.random() < 0.7:
                counts["stored anew" if store(NORMAL)[1] else "stored again"] += 1
            if refer(product):
                counts["referred"] += 1
                assert blobs().read(image_key(HASH), sha256=HASH) == DATA
                Product.objects.filter(pk=product.pk).update(image=None)
            else:
                counts["came too late"] += 1
    finally:
        stop.set()
        sweeper.join(60)
    assert errors == []
    return counts


def refer(product: Product) -> bool:
    """As the API does it; False: the picture is unknown by now, and a client would send it again."""
    try:
        with transaction.atomic():
            image = image_to_refer_to(hash=HASH)
            Product.objects.filter(pk=product.pk).update(image=image)
    except HashUnknown:
        return False
    return True


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(300, marks=pytest.mark.timeout(600)),
        pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_whoever_refers_to_a_picture_finds_its_bytes(rounds: int) -> None:
    category = Category.objects.create(name="Drinks")
    product = Product.objects.create(name="Tea", price="2.00", category=category)

    counts = run(rounds, product)

    assert min(counts["swept"], counts["stored anew"], counts["stored again"], counts["referred"]) > rounds / 100, (
        counts
    )
    wait_until(lambda: not Image.objects.exclude(status=Image.Status.STORED).exists(), what="every claim's end")
    for image in Image.objects.all():
        assert blobs().read(image_key(image.pk), sha256=image.pk) == DATA
