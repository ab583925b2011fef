"""Register → PUT → process → ready against a storage that checks signatures, as S3 and R2 do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from django.test import Client

from catalog.models import Product
from images.blobs import blobs, image_key
from tests.contracts.conftest import use_bucket
from tests.front import Front
from uploads import pipeline
from uploads.models import Album, Photo

from .conftest import digest, picture, problem, put, register, state

DATA = picture()
OTHER = bytes(reversed(DATA))


@pytest.fixture(autouse=True)
def storage(settings: LazySettings, front: Front) -> None:
    use_bucket(settings, front.bucket)


def process(api: Client, photo_id: str) -> Any:
    return api.post(f"/api/photos/{photo_id}/process")


@pytest.mark.parametrize("declared", [digest(DATA), ""], ids=["with a checksum", "without"])
def test_a_photo_goes_the_whole_way(api: Client, album: Album, product: Product, front: Front, declared: str) -> None:
    photo = register(api, album, DATA, sha256=declared, product=str(product.pk)).json()

    assert put(photo["upload"], DATA) == 200
    assert process(api, photo["id"]).status_code == 202
    pipeline.process(photo_id=Photo.objects.get().pk)

    assert state(photo["id"]) == "ready"
    product.refresh_from_db()
    assert digest(blobs().read(image_key(str(product.image_id)))) == product.image_id
    assert front.behind.keys() == [image_key(str(product.image_id))]
    refused = [seen for seen in front.seen if seen.status not in (200, 204, 404)]
    assert refused == []  # the server's own requests are signed well too


@pytest.mark.parametrize(("wrong", "status"), [(OTHER, 400), (DATA + b"!", 403), (DATA[:-1], 403)])
def test_wrong_bytes_are_refused_and_the_right_ones_still_taken(
    api: Client, album: Album, front: Front, wrong: bytes, status: int
) -> None:
    photo = register(api, album, DATA).json()

    assert put(photo["upload"], wrong) == status
    assert problem(process(api, photo["id"])) == (409, "not_uploaded")
    assert put(photo["upload"], DATA) == 200
    assert [seen.status for seen in front.seen if seen.method == "PUT"] == [status, 200]


def test_a_client_whose_answer_was_lost_sees_412_and_goes_on(api: Client, album: Album, front: Front) -> None:
    photo = register(api, album, DATA).json()
    fault = front.fail("lost response", "PUT", "originals/")

    with pytest.raises(httpx.RemoteProtocolError):
        put(photo["upload"], DATA)
    assert put(photo["upload"], DATA) == 412
    assert process(api, photo["id"]).status_code == 202

    assert fault.struck == 1
    assert Photo.objects.get().queued_until is not None


def test_an_address_that_expired_takes_nothing_and_a_fresh_one_does(
    api: Client, album: Album, settings: LazySettings, front: Front
) -> None:
    photo = register(api, album, DATA).json()
    front.clock = lambda: datetime.now(UTC) + timedelta(seconds=settings.UPLOAD_WINDOW_SECONDS + 1)

    assert put(photo["upload"], DATA) == 403
    front.clock = lambda: datetime.now(UTC)
    again = register(api, album, DATA, id=photo["id"]).json()

    assert put(again["upload"], DATA) == 200
    assert [seen.code for seen in front.seen if seen.method == "PUT"] == ["AccessDenied", ""]
