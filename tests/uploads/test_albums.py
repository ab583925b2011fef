"""Albums over the API."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from devices.services import enroll
from uploads.models import Album, Photo

from .conftest import problem, processing, wrong_fields


def test_an_album_is_made_and_read_back(api: Client) -> None:
    made = api.post("/api/albums", {"name": "Autumn menu"}, content_type="application/json")

    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "name": "Autumn menu",
        "counts": {"pending": 0, "processing": 0, "ready": 0, "failed": 0},
    }
    assert api.get(f"/api/albums/{made.json()['id']}").json() == made.json()


def test_an_album_counts_its_photos_by_state(
    api: Client, album: Album, make_photo: Callable[..., Photo], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _ in range(3):
        make_photo()
    make_photo(**processing())

    with django_assert_max_num_queries(3):  # the device, the album, the counts
        counts = api.get(f"/api/albums/{album.pk}").json()["counts"]

    assert counts == {"pending": 3, "processing": 1, "ready": 0, "failed": 0}


@pytest.mark.parametrize("name", ["", "  ", None, "x" * 201, "nul\x00", ["a"], {"a": 1}, True], ids=repr)
def test_a_name_that_is_none_is_refused(api: Client, name: object) -> None:
    answer = api.post("/api/albums", {"name": name}, content_type="application/json")

    assert wrong_fields(answer) == ["name"]
    assert not Album.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'"x"', b"\xff", b"NaN", b"[" * 100_000, b'{"name": "\\ud800"}', b"{}"]
)
def test_a_body_that_is_no_object_is_refused(api: Client, body: bytes) -> None:
    assert problem(api.post("/api/albums", body, content_type="application/json"))[0] == 400


def test_an_unknown_album_is_not_found(api: Client) -> None:
    unknown = uuid4()
    for answer in (
        api.get(f"/api/albums/{unknown}"),
        api.post(f"/api/albums/{unknown}/reconcile"),
        api.get("/api/albums/not-a-uuid"),
        api.post("/api/albums/not-a-uuid/photos", {}, content_type="application/json"),
    ):
        assert problem(answer) == (404, "not_found")


@pytest.mark.django_db
def test_only_who_may_upload_gets_in() -> None:
    reader = Client(headers={"Authorization": f"Bearer {enroll(name='Kitchen').token}"})
    addresses = [
        ("post", "/api/albums"),
        ("get", f"/api/albums/{uuid4()}"),
        ("post", f"/api/albums/{uuid4()}/photos"),
        ("post", f"/api/albums/{uuid4()}/reconcile"),
        ("get", f"/api/photos/{uuid4()}"),
        ("delete", f"/api/photos/{uuid4()}"),
        ("post", f"/api/photos/{uuid4()}/process"),
    ]
    for method, address in addresses:
        nobody = getattr(Client(), method)(address)
        assert problem(nobody)[0] == 401
        assert nobody["WWW-Authenticate"].startswith("Bearer")
        assert problem(getattr(reader, method)(address)) == (403, "forbidden")


def test_staff_get_in(admin_client: Client) -> None:
    assert admin_client.post("/api/albums", {"name": "Mine"}, content_type="application/json").status_code == 201


def test_an_album_that_is_made_again_under_its_id_is_the_same(api: Client, db: None) -> None:
    body = {"id": str(uuid4()), "name": "Autumn menu"}

    first, again = (api.post("/api/albums", body, content_type="application/json") for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["id"] == body["id"]
    other = api.post("/api/albums", {**body, "name": "Winter menu"}, content_type="application/json")
    assert problem(other) == (409, "conflict")
    assert Album.objects.get().name == "Autumn menu"


@pytest.mark.parametrize("id", ["no id", 7, [], ""], ids=repr)
def test_an_id_that_is_none_is_refused(api: Client, db: None, id: object) -> None:
    body = {"id": id, "name": "Autumn menu"}

    assert wrong_fields(api.post("/api/albums", body, content_type="application/json")) == ["id"]


def test_an_album_lists_its_photos_in_their_order(
    api: Client, album: Album, make_photo: Callable[..., Photo], django_assert_num_queries: Callable[..., Any]
) -> None:
    photos = [make_photo(filename=f"{number}.png") for number in range(3)]
    make_photo(album=Album.objects.create(name="Other"))

    with django_assert_num_queries(3):  # the device, the album, its photos
        listed = api.get(f"/api/albums/{album.pk}/photos").json()["photos"]

    assert [photo["filename"] for photo in listed] == ["0.png", "1.png", "2.png"]
    assert {key: value for key, value in listed[0].items() if key != "filename"} == api.get(
        f"/api/photos/{photos[0].pk}"
    ).json()
