"""What goes with an item or its owner, and what stays: products' pictures, what was spent, files that nobody names."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from images.blobs import blobs, image_key
from images.models import Image
from images.services import add_image
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.sweep import sweep
from studio import pipeline
from studio.models import Call, Held, Item, Status
from tests.contracts.conftest import use_bucket
from tests.images.pictures import normal_jpeg
from tests.parts import Bucket
from tests.studio.provider import Running
from tests.studio.workers import hasten_buckets
from tests.uploads.conftest import BrokenStorage

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bucket(settings: LazySettings, new_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    hasten_buckets(monkeypatch.setattr)
    use_bucket(settings, new_bucket)
    return new_bucket


def test_an_original_that_the_storage_refuses_to_delete_is_set_aside_later(
    bucket: Bucket, broken_storage: Callable[[], BrokenStorage], settings: LazySettings,
    staff: Client, product: Product, ask: Ask,
) -> None:  # fmt: skip
    item = ask("", product_id=product.pk)
    pipeline.generate(item_id=item.pk)
    item.refresh_from_db()
    storage = broken_storage()
    assert staff.delete(f"/api/history/{item.pk}").status_code == 204
    assert any(asked.startswith("DELETE") for asked in storage.asked)
    assert staff.get(f"/api/history/{item.pk}").status_code == 404

    use_bucket(settings, bucket)
    assert blobs().stat(str(item.key))
    assert quarantine_orphans(age=timedelta(0)).counts["quarantined"] == 1
    assert [blob.key for blob in blobs().list("images/")] == [image_key(str(item.image_id))]
    product.refresh_from_db()
    assert product.image_id == item.image_id


@pytest.mark.parametrize(
    ("words", "steps", "status"),
    [
        ("a soup", "", Status.PENDING),
        ("a soup", "claim", Status.GENERATING),
        ("[404]", "all", Status.FAILED),
        ("a soup", "all", Status.READY),
    ],
)
def test_in_every_state_it_can_be_deleted(
    paid: Running, staff: Client, ask: Ask, words: str, steps: str, status: str
) -> None:
    item = ask(words)
    if steps == "claim":
        pipeline.claim(item.pk, now=timezone.now())
    elif steps:
        pipeline.generate(item_id=item.pk)
    item.refresh_from_db()
    assert item.status == status
    assert [staff.delete(f"/api/history/{item.pk}").status_code for _ in range(2)] == [204, 404]
    assert (Item.objects.count(), Held.objects.count()) == (0, 0)


def test_what_was_spent_outlives_who_spent_it_and_a_late_answer_is_taken_into_account(
    paid: Running, manager: User, ask: Ask
) -> None:
    pipeline.generate(item_id=ask().pk)
    late = pipeline.claim(ask("another").pk, now=timezone.now())
    assert late is not None
    manager.delete()
    assert not pipeline.ask(late, clock=timezone.now)
    assert not Item.objects.exists()
    calls = [(call.username, call.owner, call.item, call.status) for call in Call.objects.all()]
    assert calls == [("manager", None, None, "answered")] * 2


def test_pictures_that_a_history_names_are_in_use(staff: Client, product: Product, ask: Ask) -> None:
    """The one that was made, the photo that it improves, and what the product showed before; until it is deleted."""
    photo, before = (add_image(data=normal_jpeg(seed=seed)).image.hash for seed in (91, 92))
    Product.objects.filter(pk=product.pk).update(image_id=before)
    item = ask("", product_id=product.pk, source=photo)
    pipeline.generate(item_id=item.pk)
    item.refresh_from_db()
    assert (item.source_id, item.replaced_id) == (photo, before)
    Product.objects.all().delete()

    def swept() -> int:
        long_ago = timezone.now() - timedelta(days=2)
        Image.objects.update(wanted_at=long_ago)
        Image.objects.exclude(unreferenced_since=None).update(unreferenced_since=long_ago)
        return sweep(grace=timedelta(days=1)).counts.get("swept", 0)

    assert (swept(), swept()) == (0, 0)
    assert staff.delete(f"/api/history/{item.pk}").status_code == 204
    assert (swept(), swept()) == (0, 3)


def test_an_item_has_one_open_call_at_most(paid: Running, ask: Ask) -> None:
    item = ask()
    pipeline.claim(item.pk, now=timezone.now())
    call = {"item": item, "provider": "openai", "username": "manager", "opened_at": timezone.now()}
    with pytest.raises(IntegrityError):
        Call.objects.create(**call, day=timezone.localdate())
