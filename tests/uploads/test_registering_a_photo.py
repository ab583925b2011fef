"""Registering: the same photo for the same id, and a clear no to everything else."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from normalform import CONTENT_TYPES, MAX_BYTES
from uploads import services
from uploads.models import Album, Photo

from .conftest import PNG, digest, picture, problem, register, wrong_fields

DATA = picture()


def test_a_registered_photo_is_pending_and_says_where_its_bytes_go(
    api: Client, album: Album, product: Product, storage: str
) -> None:
    answer = register(api, album, DATA, product=str(product.pk))

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "status", "upload"}
    assert body["status"] == "pending"
    assert set(body["upload"]) == {"method", "url", "headers", "expires_at"}
    assert body["upload"]["method"] == "PUT"
    assert body["upload"]["headers"]["Content-Type"] == PNG
    assert body["upload"]["expires_at"].endswith("Z")
    assert datetime.fromisoformat(body["upload"]["expires_at"]) > timezone.now() + timedelta(minutes=10)
    created = api.get(f"/api/photos/{body['id']}").json()
    assert created.pop("created_at").endswith("Z")
    assert created == {
        "id": body["id"],
        "status": "pending",
        "hash": None,
        "url": None,
        "error": None,
        "attempts": 0,
        "product": str(product.pk),
    }


def test_only_what_is_required_is_enough(api: Client, album: Album) -> None:
    body = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 5}

    answer = api.post(f"/api/albums/{album.pk}/photos", body, content_type="application/json")

    assert answer.status_code == 201


def test_a_photo_that_goes_while_it_is_registered_again_is_made_anew(
    api: Client, album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = str(uuid4())
    register(api, album, DATA, id=photo_id)
    refresh = Photo.refresh_from_db
    gone: list[object] = []

    def meanwhile(photo: Photo, **values: Any) -> None:
        if not gone:
            gone.append(Photo.objects.filter(pk=photo.pk).delete())
        refresh(photo, **values)

    monkeypatch.setattr(Photo, "refresh_from_db", meanwhile)
    answer = register(api, album, DATA, id=photo_id)

    assert len(gone) == 1
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (201, photo_id, "pending")
    assert Photo.objects.filter(pk=photo_id).exists()


def test_the_same_id_again_gives_the_same_photo_with_a_later_window(api: Client, album: Album) -> None:
    photo_id = str(uuid4())
    first = register(api, album, DATA, id=photo_id)
    Photo.objects.update(upload_expires_at=timezone.now() - timedelta(minutes=1))

    again = register(api, album, DATA, id=photo_id)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == photo_id
    assert Photo.objects.get().upload_expires_at > timezone.now()
    assert datetime.fromisoformat(again.json()["upload"]["expires_at"]) > timezone.now()


def test_a_photo_that_has_its_bytes_gets_no_target(api: Client, album: Album) -> None:
    photo_id = register(api, album, DATA).json()["id"]
    now = timezone.now()
    Photo.objects.update(status="failed", error="broken_image", failed_at=now, attempts=1)

    again = register(api, album, DATA, id=photo_id)

    assert again.status_code == 201
    assert again.json() == {"id": photo_id, "status": "failed", "upload": None}


@pytest.mark.parametrize(
    "change",
    [
        {"filename": "other.png"},
        {"content_type": "image/jpeg"},
        {"size": 7},
        {"sha256": "0" * 64},
        {"sha256": ""},
        {"product": True},
    ],
    ids=repr,
)
def test_the_same_id_with_other_data_is_a_conflict(
    api: Client, album: Album, product: Product, change: dict[str, Any]
) -> None:
    photo_id = register(api, album, DATA).json()["id"]
    if "product" in change:
        change = {"product": str(product.pk)}

    assert problem(register(api, album, DATA, id=photo_id, **change)) == (409, "conflict")


def test_the_same_id_again_is_the_same_photo_when_its_product_has_gone(
    api: Client, album: Album, product: Product
) -> None:
    named = {"id": str(uuid4()), "product": str(product.pk)}
    assert register(api, album, DATA, **named).status_code == 201
    product.delete()

    again = register(api, album, DATA, **named)

    assert (again.status_code, again.json()["id"]) == (201, named["id"])
    assert register(api, album, DATA, product=named["product"]).status_code == 400


def test_the_same_id_in_another_album_is_a_conflict(api: Client, album: Album) -> None:
    photo_id = register(api, album, DATA).json()["id"]
    other = Album.objects.create(name="Other")

    assert problem(register(api, other, DATA, id=photo_id)) == (409, "conflict")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("content_type", ["image/svg+xml", "text/html", " ", None, 5, ["image/png"], {"a": 1}, "IMAGE/PNG", "\x00"]),
        ("size", [0, -1, MAX_BYTES + 1, 2**63, 1.5, "many", None, [1], True, "1" * 2000]),
        ("sha256", ["0" * 63, "0" * 65, "A" * 64, "g" * 64, 5, ["0" * 64], "0" * 63 + "\n", "\x00" * 64]),
        ("filename", ["", None, "x" * 256, "nul\x00.png", ["a.png"], {"a": 1}, True]),
        ("product", [str(uuid4()), "not-a-uuid", 5, ["x"], {}, True, "\x00"]),
        ("id", ["not-a-uuid", 5, [], {}, True, "\x00"]),
    ],
)
def test_wrong_values_are_named(api: Client, album: Album, field: str, values: list[Any]) -> None:
    for value in values:
        answer = register(api, album, DATA, **{field: value})
        assert set(wrong_fields(answer)) == {field}, value
    assert not Photo.objects.exists()


@pytest.mark.parametrize("value", ["10" * 200, "NaN", "1e999", '"\\ud800"'])
@pytest.mark.parametrize("field", ["id", "filename", "content_type", "size", "sha256", "product"])
def test_values_that_json_does_not_have_are_refused(api: Client, album: Album, field: str, value: str) -> None:
    good = {"filename": "a.png", "content_type": PNG, "size": 5}
    body = json.dumps(good | {field: 0}).replace(f'"{field}": 0', f'"{field}": {value}')

    answer = api.post(f"/api/albums/{album.pk}/photos", body, content_type="application/json")

    assert problem(answer)[0] == 400
    assert not Photo.objects.exists()


def test_an_empty_checksum_and_null_ids_mean_none(api: Client, album: Album) -> None:
    for none in ("", None):
        assert register(api, album, DATA, sha256=none, product=None, id=None).status_code == 201


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_every_image_type_of_the_list_is_taken(api: Client, album: Album, content_type: str) -> None:
    assert register(api, album, DATA, content_type=content_type, size=MAX_BYTES).status_code == 201


@pytest.mark.parametrize(
    ("declared", "filename", "kept"),
    [
        ("image/jpg", "dish", "image/jpeg"),
        ("image/heic-sequence", "dish.heics", "image/heic"),
        ("", "dish.PNG", "image/png"),
        ("", "dish", "image/jpeg"),
        ("application/octet-stream", "dish.heic", "image/heic"),
    ],
)
def test_a_type_by_another_name_or_none_is_taken(
    api: Client, album: Album, declared: str, filename: str, kept: str
) -> None:
    """The bytes decide what it is; here they are a PNG."""
    answer = register(api, album, DATA, content_type=declared, filename=filename)

    assert answer.status_code == 201
    upload = answer.json()["upload"]
    assert upload["headers"]["Content-Type"] == kept == Photo.objects.get().content_type
    again = register(api, album, DATA, id=answer.json()["id"], content_type=declared, filename=filename)
    assert again.status_code == 201


@pytest.mark.parametrize("sent", ["image/jpg", "image/jpeg", "Image/JPEG; x=y", ""])
def test_bytes_may_come_under_any_name_of_the_type(api: Client, album: Album, sent: str) -> None:
    upload = register(api, album, DATA, content_type="image/jpg").json()["upload"]

    assert Client().put(upload["url"], DATA, content_type=sent).status_code in (200, 201, 204)


def test_a_full_album_takes_no_more_but_answers_for_those_it_has(
    api: Client, album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "ALBUM_HOLDS", 1)
    photo_id = register(api, album, DATA).json()["id"]

    assert problem(register(api, album, DATA)) == (409, "album_full")
    assert register(api, album, DATA, id=photo_id).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_many_registrations_of_one_id_at_once_make_one_photo(album: Album) -> None:
    photo_id = uuid4()
    declaration = services.Declaration("dish.png", PNG, len(DATA), digest(DATA))

    def attempt(_: int) -> str:
        try:
            registered = services.register_photo(
                album_id=album.pk, photo_id=photo_id, declaration=declaration, now=timezone.now()
            )
            return str(registered.photo.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(attempt, range(8)))

    assert ids == {str(photo_id)}
    assert Photo.objects.count() == 1


def test_an_id_in_capitals_is_the_same_id(api: Client, album: Album) -> None:
    photo_id = str(uuid4())
    body = {"id": photo_id.upper(), "filename": "a.jpg", "content_type": "image/jpeg", "size": 5}

    made = api.post(f"/api/albums/{str(album.pk).upper()}/photos", body, content_type="application/json")

    assert made.json()["id"] == photo_id
    assert api.get(f"/api/photos/{photo_id.upper()}").json()["id"] == photo_id
    assert api.post(f"/api/photos/{photo_id.upper()}/process").json()["code"] == "not_uploaded"
    assert api.post(f"/api/albums/{str(album.pk).upper()}/reconcile").status_code == 200
    assert api.delete(f"/api/photos/{photo_id.upper()}").status_code == 204
    assert not Photo.objects.exists()
