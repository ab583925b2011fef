"""The middleware before Django answers for an image as the view does, and asks no database."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import LazySettings
from django.test import Client

from config.wsgi import application
from images.blobs import Blobs, blobs, image_key
from images.models import Image
from images.services import add_image
from images.wsgi import ImagesFirst, Recent
from tests.contracts.conftest import use_bucket
from tests.images.pictures import normal_jpeg
from tests.parts import Bucket

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
PATH = f"/api/image/{HASH}.jpg"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def handed_on(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Stands for Django."""
    start_response("299 Handed on", [])
    return []


def ask(middleware: Callable[..., Iterable[bytes]], path: str = PATH, method: str = "GET", **more: str) -> Answer:
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, **more}
    setup_testing_defaults(environ)
    said: list[Any] = []
    body = b"".join(middleware(environ, lambda status, headers: said.extend((status, headers))))
    return Answer(int(said[0].split()[0]), dict(said[1]), body)


@pytest.fixture
def middleware() -> ImagesFirst:
    return ImagesFirst(handed_on)


@pytest.fixture
def on_disk(files: Path) -> Path:
    """The image's file as `store` leaves it, without a row: there may be no database."""
    blobs().put(image_key(HASH), DATA, content_type="image/jpeg", sha256=HASH)
    return files / "images" / f"{HASH}.jpg"


@pytest.mark.django_db
@pytest.mark.parametrize("delivery", ["app", "accel", "redirect"])
@pytest.mark.parametrize("query", ["", "w=160", "w=160&format=webp", "w=160&format=jpeg"])
def test_both_ways_give_one_answer(
    anyone: Client, middleware: ImagesFirst, settings: LazySettings, delivery: str, query: str
) -> None:
    settings.IMAGE_DELIVERY = delivery
    add_image(data=DATA)

    long = anyone.get(f"{PATH}?{query}")  # the view makes a derivative that isn't there
    short = ask(middleware, QUERY_STRING=query)

    assert (short.status, short.body) == (long.status_code, long.content)
    assert (short.status, bool(short.body)) == (200, delivery != "accel")
    assert short.headers.items() <= long.headers.items()
    assert "Vary" not in short.headers
    head = ask(middleware, QUERY_STRING=query, method="HEAD")
    assert (head.status, head.headers, head.body) == (200, short.headers, b"")
    assert short.headers["ETag"].startswith(f'"{HASH}')


@pytest.mark.django_db
def test_a_copy_goes_on_until_it_is_made_and_again_when_it_is_gone(
    anyone: Client, middleware: ImagesFirst, files: Path
) -> None:
    add_image(data=DATA)
    assert ask(middleware, QUERY_STRING="w=160").status == 299
    anyone.get(f"{PATH}?w=160")
    assert ask(middleware, QUERY_STRING="w=160").status == 200
    (files / "images" / "derived" / f"{HASH}_160.jpg").unlink()

    assert ask(middleware, QUERY_STRING="w=160").status == 299


def test_the_server_answers_a_stored_picture_without_any_database(on_disk: Path) -> None:
    """This test has no mark that allows a database: the view would fail here."""
    answer = ask(application)

    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["Content-Length"] == str(len(DATA))


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize(
    "more",
    [
        {"QUERY_STRING": "w=160"},
        {"QUERY_STRING": "w=161"},
        {"QUERY_STRING": "w=160&w=320"},
        {"QUERY_STRING": "format=webp"},
        {"QUERY_STRING": "v=1"},
        {"HTTP_RANGE": "bytes=0-1"},
        {"HTTP_IF_NONE_MATCH": f'"{HASH}"'},
        {"method": "POST"},
        {"path": f"{PATH}\n"},
        {"path": PATH.upper()},
        {"path": f"/api/image/{'0' * 64}.jpg"},
        {"path": f"/api/image/../{PATH}"},
        {"path": "/api/products"},
        {"path": ""},
    ],
)
def test_what_is_anything_else_goes_on(middleware: ImagesFirst, more: dict[str, str]) -> None:
    assert ask(middleware, **more).status == 299


@pytest.mark.usefixtures("on_disk")
def test_what_strangers_may_not_see_goes_on(middleware: ImagesFirst, settings: LazySettings) -> None:
    settings.IMAGES_PUBLIC = False

    assert ask(middleware).status == 299


@pytest.mark.django_db
def test_what_is_in_a_bucket_goes_on(middleware: ImagesFirst, settings: LazySettings, new_bucket: Bucket) -> None:
    use_bucket(settings, new_bucket)
    add_image(data=DATA)

    assert ask(middleware).status == 299


def test_bytes_that_are_not_those_of_their_name_go_on(middleware: ImagesFirst, on_disk: Path) -> None:
    on_disk.write_bytes(DATA[:-9] + bytes(9))

    assert ask(middleware).status == 299


@pytest.mark.parametrize("delivery", ["app", "accel"])
def test_a_picture_that_was_sent_already_is_gone_as_soon_as_its_bytes_are(
    middleware: ImagesFirst, on_disk: Path, settings: LazySettings, delivery: str
) -> None:
    settings.IMAGE_DELIVERY = delivery
    assert ask(middleware).status == 200
    on_disk.unlink()

    assert ask(middleware).status == 299


@pytest.mark.skipif("os.geteuid() == 0", reason="root may read everything")
def test_a_file_that_can_not_be_read_goes_on(middleware: ImagesFirst, on_disk: Path) -> None:
    on_disk.chmod(0)

    assert ask(middleware).status == 299


def test_a_picture_is_read_and_verified_once(
    middleware: ImagesFirst, on_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    whole = Blobs.read

    def counted(self: Blobs, key: str, *, sha256: str | None = None) -> bytes:
        assert sha256 == HASH
        read.append(key)
        return whole(self, key, sha256=sha256)

    monkeypatch.setattr(Blobs, "read", counted)

    assert {ask(middleware).body for _ in range(3)} == {DATA}
    assert read == [image_key(HASH)]


class TestRecentPictures:
    def test_take_no_more_room_than_they_may(self, files: Path) -> None:
        pictures = {sha256(data).hexdigest(): data for data in (normal_jpeg(seed) for seed in range(1, 6))}
        for hash, data in pictures.items():
            blobs().put(image_key(hash), data, content_type="image/jpeg")
        *_, before_last, last = pictures
        recent = Recent(len(pictures[before_last]) + len(pictures[last]))

        assert [recent.read(hash) for hash in pictures] == list(pictures.values())
        assert list(recent.images) == [before_last, last]
        assert recent.size == recent.most

    def test_that_are_too_large_are_sent_and_not_kept(self, on_disk: Path) -> None:
        recent = Recent(len(DATA) - 1)

        assert recent.read(HASH) == DATA
        assert (recent.images, recent.size) == ({}, 0)

    def test_are_counted_once_however_many_read_them_at_once(self, on_disk: Path) -> None:
        recent, together = Recent(10 * len(DATA)), threading.Barrier(8)

        def read(_number: int) -> bytes:
            together.wait(30)
            return recent.read(HASH)

        with ThreadPoolExecutor(8) as askers:
            assert set(askers.map(read, range(8))) == {DATA}
        assert recent.size == len(DATA)


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Image.Status.STORING, Image.Status.SWEEPING])
def test_a_picture_whose_bytes_are_there_is_served_at_whatever_step_its_row_is(
    middleware: ImagesFirst, status: Image.Status
) -> None:
    add_image(data=DATA)
    Image.objects.update(status=status)

    assert ask(middleware).body == DATA
