"""A bucket that answers 500 or 429, not at all, or whose answer is lost: repeated when that helps, typed when not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
from botocore.config import Config
from botocore.retries.standard import ExponentialBackoff
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from devices.services import enroll
from images import store as store_module
from images.blobs import StorageUnavailable, blobs, bucket, image_key
from images.models import Image, Pass
from images.services import add_image
from images.store import RELEASED, store
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.scrub import scrub
from images.upkeep.sweep import sweep
from normalform import normalize
from tests.contracts.conftest import use_bucket
from tests.front import Failure, Front
from tests.images.pictures import normal_jpeg

pytestmark = pytest.mark.django_db(transaction=True)

DATA = normal_jpeg(1)
HASH = sha256(DATA).hexdigest()
FAILURES: list[Failure] = ["500", "429", "time-out", "lost response"]
FOR_EVER = 1000


@pytest.fixture(autouse=True)
def impatient(settings: LazySettings, front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The bucket behind the front, and a client that waits half a second for an answer and pauses between its tries
    for a moment only: how often it tries is asked here, not how long it takes.
    """
    use_bucket(settings, front.bucket)
    options = settings.STORAGES["default"]["OPTIONS"]
    options["client_config"] = options["client_config"].merge(Config(read_timeout=0.5))
    monkeypatch.setattr(bucket, "PAUSES", (0.01,))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.01)
    bucket.client_at.cache_clear()
    yield
    bucket.client_at.cache_clear()


@pytest.fixture
def api(transactional_db: None) -> Client:
    token = enroll(name="Till", may_upload=True).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def puts(front: Front) -> list[int]:
    """How the PUTs of the picture ended."""
    return [seen.status for seen in front.seen if (seen.method, seen.key) == ("PUT", image_key(HASH))]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_write_that_fails_once_is_repeated(front: Front, failure: Failure) -> None:
    fault = front.fail(failure, "PUT", "images/")

    added = add_image(data=DATA)

    assert fault.struck == 1
    assert (added.created, added.image.status) == (True, Image.Status.STORED)
    assert front.behind.keys() == [image_key(HASH)]
    assert blobs().read(image_key(HASH), sha256=HASH) == DATA
    assert puts(front)[-1] == (412 if failure == "lost response" else 200)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_write_that_always_fails_is_a_typed_error_and_is_made_good_later(
    front: Front, failure: Failure, api: Client
) -> None:
    fault = front.fail(failure, "PUT", "images/", times=FOR_EVER)

    answer = api.post("/api/images", data=DATA, content_type="image/jpeg")

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert fault.struck >= 3
    assert (Image.objects.get().status, Image.objects.get().wanted_at) == (Image.Status.STORING, RELEASED)
    assert api.get(f"/api/image/{HASH}.jpg").status_code == 404
    fault.times = 0
    assert api.post("/api/images", data=DATA, content_type="image/jpeg").status_code == 201
    assert api.get(f"/api/image/{HASH}.jpg").content == DATA


@pytest.mark.parametrize("failure", FAILURES)
def test_a_read_that_fails_once_is_repeated_and_one_that_always_fails_is_not_missing(
    front: Front, failure: Failure, api: Client
) -> None:
    add_image(data=DATA)
    once = front.fail(failure, "GET", "images/")
    assert api.get(f"/api/image/{HASH}.jpg").content == DATA
    assert once.struck == 1

    always = front.fail(failure, "GET", "", times=FOR_EVER)
    answer = api.get(f"/api/image/{HASH}.jpg")

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer.headers["Cache-Control"] == "no-store"
    assert scrub().outcome == Pass.Outcome.UNAVAILABLE
    assert quarantine_orphans().outcome == Pass.Outcome.UNAVAILABLE
    assert always.struck >= 3
    assert Image.objects.usable().count() == 1
    assert front.behind.keys() == [image_key(HASH)]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_sweep_whose_deletion_fails_is_finished_by_the_next_one(
    front: Front, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PATIENCE", timedelta(0))
    add_image(data=DATA)
    long_ago = timezone.now() - timedelta(days=100)
    Image.objects.update(wanted_at=long_ago, unreferenced_since=long_ago)
    fault = front.fail(failure, "DELETE", "images/", times=FOR_EVER)

    assert sweep().outcome == Pass.Outcome.UNAVAILABLE
    assert Image.objects.get().status == Image.Status.SWEEPING
    assert fault.struck >= 3
    with pytest.raises(StorageUnavailable):
        store(normalize(DATA, quality=85))
    fault.times = 0
    Image.objects.update(wanted_at=long_ago)

    assert sweep().counts["finished"] == 1
    assert front.behind.keys("images/") == []


def test_however_many_send_the_same_picture_one_writes_it(front: Front) -> None:
    """R2 takes one write a second for each key."""

    def add(_: int) -> bool:
        try:
            return add_image(data=DATA).created
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as senders:
        created = list(senders.map(add, range(8)))

    assert sorted(created) == [False] * 7 + [True]
    assert puts(front) == [200]


def test_a_checksum_of_ours_goes_with_every_write_and_none_of_boto_s(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, str]] = []
    client = blobs().client  # type: ignore[attr-defined]

    def note(request: object, **_: object) -> None:
        sent.append({name.lower(): str(value) for name, value in request.headers.items()})  # type: ignore[attr-defined]

    client.meta.events.register("before-send.s3.PutObject", note)
    add_image(data=DATA)

    (headers,) = sent
    assert {name for name in headers if "checksum" in name} == {"x-amz-checksum-sha256"}
    assert "if-none-match" in headers
    assert "trailer" not in headers.get("x-amz-content-sha256", "").lower()
