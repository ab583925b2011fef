"""Pictures come in over HTTP, and terminals ask which are lacking."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from images.blobs import StorageUnavailable
from images.blobs.folder import LocalBlobs
from images.models import Image
from images.services import add_image
from normalform import MAX_BYTES, NoMemory
from tests.images.pictures import encoded, normal_jpeg, photograph, png_of
from tests.images.test_delivery import problem

pytestmark = pytest.mark.django_db

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()


def form(data: bytes, name: str = "photo.jpg") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, data, "image/jpeg")}


def test_a_form_brings_a_picture(uploader: Client) -> None:
    answer = uploader.post("/api/images", form(DATA))

    assert answer.status_code == 201
    assert answer.json() == {
        "hash": HASH,
        "filename": f"{HASH}.jpg",
        "url": f"/api/image/{HASH}.jpg",
        "width": 640,
        "height": 480,
        "size": len(DATA),
    }
    assert uploader.get(answer.json()["url"]).content == DATA


@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded", "", "a/b"]
)
def test_the_body_itself_may_be_the_picture(uploader: Client, content_type: str) -> None:
    answer = uploader.generic("POST", "/api/images", DATA, content_type=content_type)

    assert (answer.status_code, answer.json()["hash"]) == (201, HASH)


def test_the_same_picture_again_is_known(uploader: Client) -> None:
    uploader.post("/api/images", form(DATA))

    again = uploader.generic("POST", "/api/images", DATA, content_type="image/jpeg")

    assert (again.status_code, again.json()["hash"]) == (200, HASH)


def test_a_picture_that_is_not_normal_gets_the_hash_of_what_we_made(uploader: Client) -> None:
    source = encoded(photograph(2000, 1500), "PNG")

    answer = uploader.post("/api/images", form(source, "photo.png")).json()

    assert (answer["width"], answer["height"]) == (1600, 1200)
    assert answer["hash"] == sha256(uploader.get(answer["url"]).content).hexdigest()
    assert answer["hash"] != sha256(source).hexdigest()


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "form"])
@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"\xff\xd8\xff" + bytes(MAX_BYTES - 2), 413, "too_large"),
        (b"\xff\xd8\xff" + bytes(MAX_BYTES + 2_000_000), 413, "too_large"),
        (png_of(8_001, 8_000), 413, "too_many_pixels"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_image"),
        (b"hello", 415, "unsupported_image"),
        (encoded(photograph(), comment=b"x")[:3000], 422, "broken_image"),
        (b"", 400, "invalid"),
    ],
    ids=["25 MB + 1", "27 MB", "pixels", "svg", "text", "cut off", "empty"],
)
def test_what_is_no_good_is_refused(uploader: Client, raw: bool, data: bytes, status: int, code: str) -> None:
    if raw:
        answer = uploader.generic("POST", "/api/images", data, content_type="image/jpeg")
    else:
        answer = uploader.post("/api/images", form(data))

    problem(answer, status, code)
    assert not Image.objects.exists()


def test_more_than_the_limit_is_refused_without_reading(uploader: Client) -> None:
    class Body(BytesIO):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            return super().read(size)

    body = Body(b"x" * 100)
    announced = {"CONTENT_LENGTH": str(MAX_BYTES + 10_000_000), "wsgi.input": body}
    answer = uploader.generic("POST", "/api/images", content_type="image/jpeg", **announced)  # type: ignore[arg-type]

    problem(answer, 413, "too_large")
    assert body.reads == 0
    assert not Image.objects.exists()


@pytest.mark.parametrize(
    ("fields", "content_type"),
    [
        ({}, None),
        ({"file": "just text"}, None),
        ({"picture": SimpleUploadedFile("a.jpg", DATA)}, None),
        (b"no boundary", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", "application/json"),
    ],
)
def test_a_form_without_a_file_is_refused(uploader: Client, fields: Any, content_type: str | None) -> None:
    if content_type:
        answer = uploader.generic("POST", "/api/images", fields, content_type=content_type)
    else:
        answer = uploader.post("/api/images", fields)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", ["/api/images", "/api/images/missing"])
def test_only_devices_with_the_scope_may(anyone: Client, terminal: Callable[..., Client], url: str) -> None:
    for client, status in ((anyone, 401), (terminal(may_upload=False), 403)):
        answer = client.post(url, {"hashes": []}, content_type="application/json")
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert anyone.post(url).headers["WWW-Authenticate"] == "Bearer"


def test_a_storage_that_fails_is_said_to(uploader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> bool:
        raise StorageUnavailable("full")

    monkeypatch.setattr(LocalBlobs, "put", fail)

    answer = uploader.post("/api/images", form(DATA))

    problem(answer, 503, "storage_unavailable")
    assert answer.headers["Retry-After"]


def test_a_lack_of_memory_is_no_fault_of_the_picture(uploader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise NoMemory("none")

    monkeypatch.setattr("normalform.normalize", fail)

    answer = uploader.post("/api/images", form(encoded(photograph(40, 30), "PNG")))

    problem(answer, 503, "over_capacity")
    assert answer.headers["Retry-After"]
    assert not Image.objects.exists()


def missing(client: Client, hashes: Any) -> Any:
    return client.post("/api/images/missing", {"hashes": hashes}, content_type="application/json")


def test_missing_names_each_lacking_hash_once_in_the_order_asked(uploader: Client) -> None:
    add_image(data=DATA)
    other, another = "b" * 64, "a" * 64

    answer = missing(uploader, [other, HASH, another, other, HASH])

    assert answer.status_code == 200
    assert answer.json() == {"missing": [other, another]}
    assert missing(uploader, []).json() == {"missing": []}


@pytest.mark.parametrize("status", [Image.Status.STORING, Image.Status.SWEEPING])
def test_an_image_that_is_not_stored_is_missing(uploader: Client, status: Image.Status) -> None:
    add_image(data=DATA)
    Image.objects.update(status=status)

    assert missing(uploader, [HASH]).json() == {"missing": [HASH]}


def test_asking_extends_the_life_of_what_is_there(uploader: Client) -> None:
    asked, other = add_image(data=DATA).image, add_image(data=normal_jpeg(2)).image
    long_ago = timezone.now() - timedelta(days=29)
    Image.objects.update(wanted_at=long_ago)

    missing(uploader, [asked.hash])

    asked.refresh_from_db()
    other.refresh_from_db()
    assert timezone.now() - asked.wanted_at < timedelta(minutes=1)
    assert other.wanted_at == long_ago


def test_a_thousand_hashes_at_once_and_no_more(uploader: Client) -> None:
    hashes = [f"{number:064x}" for number in range(1001)]

    assert missing(uploader, hashes[:1000]).json() == {"missing": hashes[:1000]}
    problem(missing(uploader, hashes), 400, "invalid")


@pytest.mark.parametrize(
    "hashes",
    [
        None, "", HASH, {}, {"a": 1}, 7, [7], [None], [True], [[HASH]], [{}], [""], [HASH.upper()], [f" {HASH}"],
        [HASH + "\n"], ["x" * 64], [HASH[:-1]], [HASH[:-1] + "\0"], ["../" * 20],
    ],
)  # fmt: skip
def test_hashes_that_are_none_are_named(uploader: Client, hashes: Any) -> None:
    answer = missing(uploader, hashes)

    problem(answer, 400, "invalid")
    assert answer.json()["errors"][0]["field"].startswith("hashes")


@pytest.mark.parametrize(
    "body", ["", "[]", "7", "null", "{", "\xff", '{"hashes"', "NaN", "[" * 50_000, r'{"hashes": ["\ud800"]}']
)
def test_a_body_that_is_no_object_is_refused(uploader: Client, body: str) -> None:
    answer = uploader.generic("POST", "/api/images/missing", body.encode("latin-1"), content_type="application/json")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_schema_describes_pictures(anyone: Client) -> None:
    paths = anyone.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()["paths"]

    add = paths["/api/images"]["post"]
    read = paths["/api/image/{name}"]["get"]
    assert set(add["requestBody"]["content"]) == {"multipart/form-data", "image/*"}
    assert {"200", "201", "400", "413", "415", "422", "503"} <= set(add["responses"])
    assert read["responses"]["200"]["content"]["image/jpeg"]["schema"] == {"type": "string", "format": "binary"}
    assert (add["operationId"], read["operationId"]) == ("images_add", "image_read")
    assert paths["/api/images/missing"]["post"]["operationId"] == "images_missing"
