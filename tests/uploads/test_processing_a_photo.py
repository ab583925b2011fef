"""From original to image: what becomes ready, what fails and why, and what is kept."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from catalog.models import Product
from images.blobs import blobs
from images.models import Image
from images.services import image_url
from uploads import originals, pipeline, services
from uploads.models import Album, Photo

from .conftest import digest, is_there, picture, problem, processing, put, register, state

DATA = picture()


def process(api: Client, photo_id: object) -> Any:
    return api.post(f"/api/photos/{photo_id}/process")


def test_a_photo_becomes_an_image_that_its_product_shows(
    api: Client, album: Album, product: Product, storage: str, sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    body = register(api, album, DATA, product=str(product.pk)).json()
    assert put(body["upload"], DATA) == 200
    with django_capture_on_commit_callbacks(execute=True):
        answer = process(api, body["id"])
    assert (answer.status_code, answer.json()) == (202, {"id": body["id"], "status": "pending"})
    assert sent == [body["id"]]
    photo = Photo.objects.get()

    pipeline.process(photo_id=photo.pk)

    shown = api.get(f"/api/photos/{photo.pk}").json()
    assert shown["status"] == "ready"
    assert shown["url"] == image_url(shown["hash"])
    assert (shown["error"], shown["attempts"]) == (None, 1)
    assert hashlib.sha256(blobs().read(f"images/{shown['hash']}.jpg")).hexdigest() == shown["hash"]
    product.refresh_from_db()
    assert product.image_id == shown["hash"]
    assert not is_there(photo)
    assert process(api, photo.pk).json() == {"id": str(photo.pk), "status": "ready"}


def test_the_same_picture_again_is_stored_once(make_photo: Callable[..., Photo]) -> None:
    for photo in (make_photo(DATA), make_photo(DATA)):
        pipeline.process(photo_id=photo.pk)

    assert Image.objects.count() == 1
    assert set(Photo.objects.values_list("status", "image_id")) == {("ready", Image.objects.get().pk)}


def test_the_original_stays_where_the_settings_want_it(
    make_photo: Callable[..., Photo], settings: LazySettings, storage: str
) -> None:
    settings.KEEP_ORIGINALS = True
    photo = make_photo(DATA)

    pipeline.process(photo_id=photo.pk)

    assert state(photo) == "ready"
    assert blobs().read(photo.key) == DATA


def test_a_photo_without_a_product_becomes_ready(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(DATA)
    pipeline.process(photo_id=photo.pk)
    assert state(photo) == "ready"


def test_a_product_that_went_meanwhile_stops_nobody(
    make_photo: Callable[..., Photo], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA, product=product)
    fetch = pipeline.fetch

    def slowly(photo: Photo) -> bytes:
        product.delete()
        return fetch(photo)

    monkeypatch.setattr(pipeline, "fetch", slowly)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.product_id) == ("ready", None)


@pytest.mark.parametrize(
    ("data", "declared", "code"),
    [
        (b"%PDF-1.4 not a picture", {}, "unsupported_image"),
        (DATA[: len(DATA) // 2], {}, "broken_image"),
        (DATA, {"size": len(DATA) + 1}, "size_mismatch"),
        (DATA, {"sha256": "0" * 64}, "checksum_mismatch"),
    ],
)
def test_what_is_no_picture_fails_with_its_reason_and_is_kept(
    api: Client, make_photo: Callable[..., Photo], data: bytes, declared: dict[str, Any], code: str
) -> None:
    photo = make_photo(data, **declared)

    pipeline.process(photo_id=photo.pk)

    shown = api.get(f"/api/photos/{photo.pk}").json()
    assert (shown["status"], shown["error"], shown["hash"]) == ("failed", code, None)
    assert Photo.objects.get().error_detail
    assert is_there(photo)
    assert not Image.objects.exists()


def test_processing_a_failed_photo_again_begins_anew(
    api: Client,
    make_photo: Callable[..., Photo],
    sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    photo = make_photo(DATA, sha256="0" * 64)
    pipeline.process(photo_id=photo.pk)
    Photo.objects.update(sha256=digest(DATA))

    with django_capture_on_commit_callbacks(execute=True):
        answer = process(api, photo.pk)

    assert answer.json()["status"] == "pending"
    assert sent == [str(photo.pk)]
    photo.refresh_from_db()
    assert (photo.attempts, photo.error, photo.error_detail) == (0, "", "")
    pipeline.process(photo_id=photo.pk)
    assert state(photo) == "ready"


def test_asking_twice_sends_one_message(
    api: Client,
    make_photo: Callable[..., Photo],
    sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    photo = make_photo(DATA)

    with django_capture_on_commit_callbacks(execute=True):
        answers = [process(api, photo.pk) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert sent == [str(photo.pk)]


def test_a_photo_that_a_worker_has_is_left_to_it(
    api: Client, make_photo: Callable[..., Photo], sent: list[str]
) -> None:
    photo = make_photo(DATA, **processing())

    assert process(api, photo.pk).json() == {"id": str(photo.pk), "status": "processing"}
    assert sent == []


def test_a_photo_that_was_not_uploaded_is_said_so(api: Client, make_photo: Callable[..., Photo], storage: str) -> None:
    photo = make_photo()

    assert problem(process(api, photo.pk)) == (409, "not_uploaded")
    assert Photo.objects.get().queued_until is None


def test_a_photo_that_a_worker_finishes_while_the_storage_is_asked_is_not_called_missing(
    api: Client, make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(DATA)

    def after_a_worker(key: str) -> bool:
        pipeline.process(photo_id=photo.pk)
        return originals.is_there(key)

    monkeypatch.setattr(services, "is_there", after_a_worker)

    assert process(api, photo.pk).json() == {"id": str(photo.pk), "status": "ready"}
    assert not is_there(photo)


def test_a_failed_photo_whose_original_is_gone_stays_failed(api: Client, make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(b"no picture")
    pipeline.process(photo_id=photo.pk)
    blobs().delete(photo.key)

    assert problem(process(api, photo.pk)) == (409, "not_uploaded")
    assert state(photo) == "failed"


def test_a_failed_photo_that_is_cleaned_up_while_it_is_tried_again_is_not_found(
    api: Client, make_photo: Callable[..., Photo], sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(b"no picture")
    pipeline.process(photo_id=photo.pk)

    def meanwhile(key: str) -> bool:
        return originals.is_there(key) and bool(Photo.objects.filter(pk=photo.pk).delete())

    monkeypatch.setattr(services, "is_there", meanwhile)

    assert problem(process(api, photo.pk)) == (404, "not_found")
    assert sent == []


def test_a_worker_that_finds_no_original_gives_the_photo_back(make_photo: Callable[..., Photo], storage: str) -> None:
    photo = make_photo()

    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    assert (photo.status, photo.attempts, photo.queued_until, photo.error) == ("pending", 0, None, "")


def test_an_unknown_photo_is_not_found(api: Client) -> None:
    for photo_id in ("00000000-0000-4000-8000-000000000000", "x", "%00"):
        assert problem(process(api, photo_id)) == (404, "not_found")
        assert problem(api.get(f"/api/photos/{photo_id}")) == (404, "not_found")


def test_a_message_for_a_photo_that_is_gone_does_nothing(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(DATA)
    Photo.objects.all().delete()

    pipeline.process(photo_id=photo.pk)

    assert not Image.objects.exists()
