"""Where the bytes of an original come from: the app, the bucket, and when they are gone the provider or our picture."""

from datetime import timedelta

import pytest
import urllib3
from django.conf import LazySettings
from django.test import Client

from images.blobs import blobs
from studio import pipeline
from studio.models import ADDRESS_IS_GOOD, Item
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket

from .conftest import Ask
from .provider import Running, picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored(paid: Running, ask: Ask, settings: LazySettings, new_bucket: Bucket) -> Item:
    """A picture of a provider's address, whose original is in a bucket that clients may be sent to."""
    use_bucket(settings, new_bucket)
    settings.IMAGE_DELIVERY = "redirect"
    item = ask("[url]")
    pipeline.generate(item_id=item.pk)
    return Item.objects.get(pk=item.pk)


def test_the_bucket_sends_it_to_its_owner_alone(stored: Item, staff: Client) -> None:
    address = f"/api/r2/image/{stored.key}"
    answer = staff.get(address)
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    assert urllib3.request("GET", answer["Location"]).data == picture()
    assert Client().get(address).status_code == 401
    assert staff.get(address, headers={"If-None-Match": f'"{str(stored.key)[-68:-4]}"'}).status_code == 304


def test_its_public_domain_has_it_too(stored: Item, staff: Client, settings: LazySettings) -> None:
    settings.R2_PUBLIC_DOMAIN = "pictures.example.com"
    answer = staff.get(f"/api/r2/image/{stored.key}")
    assert (answer.status_code, answer["Location"]) == (302, f"https://pictures.example.com/{stored.key}")
    assert answer["Cache-Control"] == "private, max-age=300"


def test_through_the_app_nobody_is_sent_to_the_bucket(stored: Item, staff: Client) -> None:
    answer = staff.get(f"/api/r2/image/{stored.key}?through=app")
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, picture(), "image/jpeg")
    assert (answer["X-Content-Type-Options"], answer["Content-Length"]) == ("nosniff", str(len(picture())))


def test_when_it_is_gone_the_providers_address_has_it_for_50_minutes_and_then_we_do(
    stored: Item, staff: Client, paid: Running
) -> None:
    blobs().delete(str(stored.key))
    addresses = [f"/api/r2/image/{stored.key}", f"/api/history/{stored.pk}/image"]
    through_app = staff.get(f"{addresses[0]}?through=app")
    assert (through_app.status_code, through_app.json()["code"]) == (404, "not_found")
    assert through_app["Cache-Control"] == "no-store"
    for answer in map(staff.get, addresses):
        assert (answer.status_code, answer["Location"]) == (302, f"{paid.origin}/picture.jpg")
        assert answer["Cache-Control"] == "no-store"
    assert stored.answered_at is not None
    Item.objects.update(answered_at=stored.answered_at - ADDRESS_IS_GOOD - timedelta(minutes=1))
    for answer in map(staff.get, addresses):
        assert (answer.status_code, answer["Location"]) == (302, f"/api/image/{stored.image_id}.jpg")
