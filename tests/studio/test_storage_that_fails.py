"""A picture that was paid for is never lost: the storage may fail at any step, and come back."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from images.blobs import blobs, image_key
from images.services import add_image
from studio import pipeline, reconciliation, services, storing
from studio.models import Allowance, Call, Held, Item, Status
from tests.contracts.conftest import use_bucket
from tests.images.pictures import normal_jpeg
from tests.parts import Bucket
from tests.studio.provider import Running, picture
from tests.studio.workers import hasten_buckets
from tests.uploads.conftest import BrokenStorage

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

Break = Callable[[], BrokenStorage]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten_buckets(monkeypatch.setattr)


def again(item: Item) -> Item:
    return Item.objects.get(pk=item.pk)


def test_a_picture_is_there_before_the_storage_has_it_and_goes_to_its_product_then(
    paid: Running, ask: Ask, staff: Client, product: Product,
    settings: LazySettings, broken_storage: Break, new_bucket: Bucket,
) -> None:  # fmt: skip
    item = ask(product_id=product.pk)
    storage = broken_storage()
    pipeline.generate(item_id=item.pk)

    found = staff.get(f"/api/history/{item.pk}").json()
    assert storage.asked
    assert (found["status"], found["r2_key"], found["hash"], found["placed"]) == ("ready", None, None, False)
    assert staff.get(found["image_url"]).content == picture()
    address, wish = f"/api/history/{item.pk}/use", {"product": str(product.pk)}
    assert staff.post(address, wish, content_type="application/json").json()["code"] == "not_ready"

    first = again(item).store_after
    assert first is not None
    assert reconciliation.scan(now=first).stored == 0
    assert again(item).store_after == first + storing.pause(1)
    assert Held.objects.count() == 1

    use_bucket(settings, new_bucket)
    assert reconciliation.scan(now=first + storing.pause(1)).stored == 1

    found = staff.get(f"/api/history/{item.pk}").json()
    product.refresh_from_db()
    assert (found["placed"], product.image_id) == (True, found["hash"])
    assert staff.get(found["r2_url"] + "?through=app").content == picture()
    assert new_bucket.keys() == sorted([found["r2_key"], image_key(found["hash"])])
    assert (Held.objects.count(), paid.count()) == (0, 1)


def test_storing_is_tried_again_after_1_4_and_16_minutes_and_then_hourly() -> None:
    assert [storing.pause(attempts).total_seconds() / 60 for attempts in range(5)] == [1, 4, 16, 60, 60]


@pytest.mark.parametrize("is_gone", [False, True], ids=["the storage is down", "the photo is gone"])
def test_a_photo_that_cant_be_read_is_not_asked_about_and_costs_nothing(
    paid: Running, ask: Ask, manager: User, settings: LazySettings, broken_storage: Break, new_bucket: Bucket,
    is_gone: bool,
) -> None:  # fmt: skip
    use_bucket(settings, new_bucket)
    data = normal_jpeg(seed=81)
    photo = add_image(data=data).image
    item = ask(source=photo.hash)
    if is_gone:
        blobs().delete(image_key(photo.hash))
    else:
        broken_storage()
    pipeline.generate(item_id=item.pk)
    assert again(item).status == Status.PENDING
    Item.objects.filter(pk=item.pk).update(queued_until=None, attempts=4)
    pipeline.generate(item_id=item.pk)

    failed = again(item)
    assert failed.error == ("processing_failed" if is_gone else "storage_unavailable")
    assert [call.status for call in Call.objects.all()] == ["refused"] * 2
    assert (paid.count(), list(Allowance.objects.values_list("used", flat=True))) == (0, [0, 0])

    use_bucket(settings, new_bucket)
    if is_gone:
        blobs().put(image_key(photo.hash), data, content_type="image/jpeg")
    services.retry(owner_id=manager.pk, item_id=item.pk, now=timezone.now())
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, paid.count()) == (Status.READY, 1)
