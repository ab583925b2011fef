"""PUT to the target: exactly what was declared, once, while the window is open."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import Http404
from django.test import Client
from django.utils import timezone

from images.blobs import blobs
from uploads import targets
from uploads.models import Album, Photo

from .conftest import is_there, picture, problem, processing, put, register, state

DATA = picture()


def send(upload: dict[str, Any], data: bytes, content_type: str = "image/png") -> Any:
    """PUT to an address of our own, without any login."""
    return Client(raise_request_exception=False).put(upload["url"], data, content_type=content_type)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_the_same_client_code_serves_both_storages(api: Client, album: Album, storage: str) -> None:
    body = register(api, album, DATA).json()

    assert put(body["upload"], DATA) == 200

    photo = Photo.objects.get()
    assert blobs().read(photo.key) == DATA


def test_a_second_put_is_told_that_the_bytes_are_there(api: Client, album: Album, storage: str) -> None:
    upload = register(api, album, DATA).json()["upload"]
    other = bytes(reversed(DATA))

    assert [put(upload, DATA), put(upload, DATA), put(upload, other)] == [200, 412, 412]

    assert blobs().read(Photo.objects.get().key) == DATA


def test_our_own_address_is_relative_and_says_already_uploaded(api: Client, album: Album) -> None:
    upload = register(api, album, DATA).json()["upload"]

    assert upload["url"].startswith("/api/uploads/")
    assert send(upload, DATA).status_code == 200
    assert problem(send(upload, DATA)) == (412, "already_uploaded")


def test_a_ready_photo_takes_no_bytes_again(
    api: Client, album: Album, make_photo: Callable[..., Photo], folder: Path
) -> None:
    photo = make_photo(DATA)
    upload = vars(targets.target_for(photo, now=timezone.now()))
    blobs().delete(photo.key)
    Photo.objects.update(**processing())

    assert problem(send(upload, DATA)) == (412, "already_uploaded")
    assert leftovers(folder) == []


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (DATA + b"x", (413, "too_large")),
        (DATA[:-1], (422, "size_mismatch")),
        (b"", (422, "size_mismatch")),
        (bytes(reversed(DATA)), (422, "checksum_mismatch")),
    ],
)
def test_other_bytes_than_declared_leave_nothing_behind(
    api: Client, album: Album, folder: Path, data: bytes, answer: tuple[int, str]
) -> None:
    upload = register(api, album, DATA).json()["upload"]

    assert problem(send(upload, data)) == answer

    assert leftovers(folder) == []
    assert send(upload, DATA).status_code == 200  # and the right ones are still welcome


def test_a_body_that_is_longer_than_it_says_is_refused(api: Client, album: Album, folder: Path) -> None:
    """Without a usable length only reading can tell."""

    class Endless:
        read_bytes = 0

        def read(self, size: int = -1, /) -> bytes:
            assert size > 0
            self.read_bytes += size
            return b"x" * size

    register(api, album, DATA, sha256="")
    photo, endless = Photo.objects.get(), Endless()

    with pytest.raises(targets.UploadRefused) as refused:
        targets.receive(photo=photo, stream=endless, length=None, content_type="")

    assert refused.value.code == "too_large"
    assert endless.read_bytes == photo.size + 1
    assert leftovers(folder) == []


def test_a_client_that_leaves_halfway_leaves_nothing_behind(api: Client, album: Album, folder: Path) -> None:
    class Broken:
        pieces = [DATA[:10]]

        def read(self, size: int = -1, /) -> bytes:
            if not self.pieces:
                raise ConnectionResetError
            return self.pieces.pop()

    register(api, album, DATA)

    with pytest.raises(targets.UploadRefused) as refused:
        targets.receive(photo=Photo.objects.get(), stream=Broken(), length=len(DATA), content_type="image/png")

    assert refused.value.code == "size_mismatch"
    assert leftovers(folder) == []


def test_another_content_type_than_declared_is_refused(api: Client, album: Album) -> None:
    upload = register(api, album, DATA).json()["upload"]

    assert problem(send(upload, DATA, "text/html")) == (422, "type_mismatch")
    assert send(upload, DATA, "IMAGE/PNG; charset=binary").status_code == 200


def test_an_expired_address_is_refused(api: Client, album: Album, make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(upload_expires_at=timezone.now() - timedelta(seconds=2))
    upload = vars(targets.target_for(photo, now=timezone.now()))

    assert problem(send(upload, b"x")) == (403, "upload_expired")
    assert not is_there(photo)


@pytest.mark.parametrize("change", [lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"), lambda url: url + "x"])
def test_an_altered_address_is_refused(api: Client, album: Album, change: Callable[[str], str]) -> None:
    upload = register(api, album, DATA).json()["upload"]

    assert problem(send({"url": change(upload["url"])}, DATA)) == (403, "upload_denied")


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "%ff%fe", "%F0%9F%8D%8B", "." * 500])
@pytest.mark.django_db
def test_an_address_that_is_none_of_ours_is_refused(token: str) -> None:
    assert problem(send({"url": f"/api/uploads/{token}"}, DATA)) == (403, "upload_denied")


def test_a_photo_that_was_cleaned_up_takes_no_bytes(api: Client, album: Album, folder: Path) -> None:
    body = register(api, album, DATA).json()
    api.delete(f"/api/photos/{body['id']}")

    assert problem(send(body["upload"], DATA)) == (404, "not_found")
    assert leftovers(folder) == []


def test_a_photo_that_is_cleaned_up_while_its_bytes_come_leaves_none(api: Client, album: Album, folder: Path) -> None:
    register(api, album, DATA)

    class Meanwhile:
        pieces = [b"", DATA]

        def read(self, size: int = -1, /) -> bytes:
            Photo.objects.all().delete()
            return self.pieces.pop()

    with pytest.raises(Http404):
        targets.receive(photo=Photo.objects.get(), stream=Meanwhile(), length=len(DATA), content_type="image/png")

    assert leftovers(folder) == []


def test_whoever_sends_what_another_cleans_up_is_told_so(
    api: Client, album: Album, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = register(api, album, DATA).json()["upload"]
    put = blobs().put

    def meanwhile(*arguments: Any, **values: Any) -> bool:
        Photo.objects.all().delete()
        return put(*arguments, **values)

    monkeypatch.setattr(type(blobs()), "put", lambda self, *arguments, **values: meanwhile(*arguments, **values))

    assert problem(send(upload, DATA)) == (404, "not_found")
    assert leftovers(folder) == []


def test_other_methods_are_not_allowed(api: Client, album: Album) -> None:
    upload = register(api, album, DATA).json()["upload"]

    for method in ("get", "post", "delete", "patch"):
        assert problem(getattr(Client(), method)(upload["url"])) == (405, "method_not_allowed")


def test_sending_changes_no_state(api: Client, album: Album) -> None:
    body = register(api, album, DATA).json()
    put(body["upload"], DATA)

    assert state(body["id"]) == "pending"


def test_a_full_disk_is_said_so(api: Client, album: Album, folder: Path) -> None:
    upload = register(api, album, DATA).json()["upload"]
    folder.parent.mkdir(exist_ok=True)
    folder.symlink_to("/proc/nowhere")  # a folder that nobody can make

    answer = send(upload, DATA)

    assert answer.status_code == 503
    assert problem(answer) == (503, "storage_unavailable")
    assert answer["Retry-After"] == "5"
