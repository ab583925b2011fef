"""Whoever is killed at whichever step, whatever the storage does meanwhile, and however often the message comes: nobody
pays twice for one request, and nothing is lost once it is held."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from itertools import product as combinations
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from catalog.models import Product
from images.blobs import blobs, image_key
from studio import pipeline, reconciliation
from studio.models import Allowance, Call, Held, Item, Status
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket
from tests.studio.provider import Running, picture
from tests.studio.workers import KILLED, STEPS, Workers, hasten_buckets
from tests.uploads.conftest import BrokenStorage

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

STORAGES = ("up", "down", "coming back")
WORDS = ("a soup", "[url]")
HOUR = timedelta(hours=1)

MATRIX = list(combinations(STEPS, WORDS, STORAGES, (1, 2), (1, 2)))
# Each step with each kind of answer, and each pair of the others.
SPREAD = {
    (step, words, STORAGES[(number + kind) % 3], 1 + number % 2, 1 + (number + 1 + kind) // 2 % 2)
    for number, step in enumerate(STEPS)
    for kind, words in enumerate(WORDS)
}


def again(item: Item) -> Item:
    return Item.objects.get(pk=item.pk)


def everything() -> list[Any]:
    models: tuple[Any, ...] = (Item, Call, Held, Allowance)
    return [row for model in models for row in model.objects.order_by("pk").values()]


def is_known(item: Item, data: bytes) -> bool:
    """Whether the item's original is these bytes, and its picture is there too."""
    is_original = blobs().read(str(item.key), sha256=sha256(data).hexdigest()) == data
    return is_original and bool(blobs().read(image_key(str(item.image_id)), sha256=str(item.image_id)))


@pytest.mark.parametrize(
    ("step", "words", "storage", "messages", "number"),
    [case if case in SPREAD else pytest.param(*case, marks=pytest.mark.soak) for case in MATRIX],
)
def test_a_worker_that_is_killed_at_any_step_never_pays_twice_and_loses_nothing(
    paid: Running, ask: Ask, workers: Workers, product: Product, settings: LazySettings, new_bucket: Bucket,
    broken_storage: Callable[[], BrokenStorage], monkeypatch: pytest.MonkeyPatch,
    step: str, words: str, storage: str, messages: int, number: int,
) -> None:  # fmt: skip
    hasten_buckets(monkeypatch.setattr)
    item = ask(words, product_id=product.pk)
    use_bucket(settings, new_bucket)
    broken = broken_storage() if storage != "up" else None

    ends = workers.run(item, [step] * number, times=messages)
    assert sorted(ends) == [KILLED] + [0] * (number - 1), "one of them had the item, and is dead"
    assert again(item).status == (Status.READY if step == "finish" else Status.GENERATING)

    if storage == "coming back":
        use_bucket(settings, new_bucket)
    workers.run(item, [""] * number, times=messages, later=HOUR.total_seconds(), reconciles=True)
    now = timezone.now() + 3 * HOUR  # no lease of theirs lives then
    reconciliation.scan(now=now)
    pipeline.generate(item_id=item.pk, clock=lambda: now)
    is_unknown = step in ("claim", "ask")  # the call was noted: nobody asks again by itself
    if storage == "down":
        assert (again(item).status, again(item).stored_at) == (Status.FAILED if is_unknown else Status.READY, None)
        assert (bool(broken and broken.asked), Held.objects.count()) == ((False, 0) if is_unknown else (True, 1))
        use_bucket(settings, new_bucket)
    now += HOUR
    reconciliation.scan(now=now)

    left = again(item)
    product.refresh_from_db()
    if is_unknown:
        assert (left.status, left.error, product.image_id) == (Status.FAILED, "outcome_unknown", None)
    else:
        assert (left.status, left.stored_at is not None, left.placed_at is not None) == (Status.READY, True, True)
        assert is_known(left, picture())
        assert product.image_id == left.image_id
    assert [call.status for call in Call.objects.all()] == ["unanswered" if is_unknown else "answered"]
    assert (paid.count(), Held.objects.count()) == (0 if step == "claim" else 1, 0)

    before = everything()
    assert not any(vars(reconciliation.scan(now=now)).values()), "a second pass changes nothing"
    pipeline.generate(item_id=item.pk, clock=lambda: now)
    assert everything() == before


@pytest.mark.parametrize("step", ["look", "store", "finish"])
def test_a_pass_that_is_killed_while_it_stores_is_made_good_by_the_next(
    paid: Running, ask: Ask, workers: Workers, product: Product, settings: LazySettings, new_bucket: Bucket,
    broken_storage: Callable[[], BrokenStorage], monkeypatch: pytest.MonkeyPatch, step: str,
) -> None:  # fmt: skip
    hasten_buckets(monkeypatch.setattr)
    item = ask("[url]", product_id=product.pk)
    broken = broken_storage()
    pipeline.generate(item_id=item.pk)
    assert broken.asked
    assert (again(item).status, again(item).stored_at) == (Status.READY, None)
    use_bucket(settings, new_bucket)

    assert workers.run(item, [step], later=HOUR.total_seconds(), reconciles=True) == [KILLED]
    assert (again(item).stored_at is not None) == (step == "finish")
    now = timezone.now() + 3 * HOUR
    reconciliation.scan(now=now)

    product.refresh_from_db()
    assert is_known(again(item), picture())
    assert (product.image_id, Held.objects.count(), paid.count()) == (again(item).image_id, 0, 1)
    assert not any(vars(reconciliation.scan(now=now)).values())
