"""A bucket behind a front that checks signatures, lengths and checksums, and fails when told to: each picture gets
there, once, and is paid for once."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from botocore.config import Config
from django.conf import LazySettings
from django.test import Client

from images.blobs import bucket, image_key
from normalform import normalize
from studio import pipeline, reconciliation
from studio.models import Held, Item
from tests.contracts.conftest import use_bucket
from tests.front import Failure, Front
from tests.studio.provider import Running, picture
from tests.studio.workers import hasten_buckets

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

FAILURES: list[Failure] = ["500", "429", "403", "time-out", "lost response"]
FOR_EVER = 1000
HASH = sha256(normalize(picture(), quality=85).data).hexdigest()
SPREAD = {("500", "the picture"), ("time-out", "the original"), ("lost response", "the original")}


@pytest.fixture(autouse=True)
def impatient(settings: LazySettings, front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_bucket(settings, front.bucket)
    options = settings.STORAGES["default"]["OPTIONS"]
    options["client_config"] = options["client_config"].merge(Config(read_timeout=0.3))
    hasten_buckets(monkeypatch.setattr)
    bucket.client_at.cache_clear()
    yield
    bucket.client_at.cache_clear()


def stored(front: Front, item: Item) -> Item:
    """The item, of which the bucket has both objects as they should be."""
    found = Item.objects.get(pk=item.pk)
    assert found.stored_at is not None
    assert front.behind.keys() == sorted([str(found.key), image_key(str(found.image_id))])
    body = front.behind.client().get_object(Bucket=front.behind.name, Key=found.key)
    assert (body["Body"].read(), body["ContentType"]) == (picture(), "image/jpeg")
    return found


@pytest.mark.parametrize(
    ("failure", "which"),
    [
        pytest.param(failure, which, marks=() if (failure, which) in SPREAD else pytest.mark.soak)
        for failure in FAILURES
        for which in ("the original", "the picture")
    ],
)
def test_what_the_bucket_refuses_is_held_and_stored_later(
    front: Front, paid: Running, ask: Ask, staff: Client, failure: Failure, which: str
) -> None:
    item = ask()
    prefixes = {"the original": f"images/{item.owner_id}/", "the picture": image_key(HASH)}
    fault = front.fail(failure, "PUT", prefixes[which], times=FOR_EVER)

    pipeline.generate(item_id=item.pk)

    assert fault.struck
    found = staff.get(f"/api/history/{item.pk}").json()
    assert (found["status"], found["r2_key"]) == ("ready", None)
    assert staff.get(found["image_url"]).content == picture()

    fault.times = 0
    later = Item.objects.get(pk=item.pk).store_after
    assert reconciliation.scan(now=later).stored == 1
    stored(front, item)
    assert (Held.objects.count(), paid.count()) == (0, 1)
    assert not any(vars(reconciliation.scan(now=later)).values())


@pytest.mark.parametrize(
    "failure", ["500", *(pytest.param(failure, marks=pytest.mark.soak) for failure in FAILURES[1:])]
)
def test_an_original_that_cant_be_read_is_no_answer_for_ever(
    front: Front, paid: Running, ask: Ask, staff: Client, failure: Failure
) -> None:
    item = ask()
    pipeline.generate(item_id=item.pk)
    address = f"/api/r2/image/{stored(front, item).key}"
    fault = front.fail(failure, "GET", "images/", times=FOR_EVER)

    answer = staff.get(address)

    assert fault.struck
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer["Cache-Control"] == "no-store"
    fault.times = 0
    assert staff.get(address).content == picture()
