"""``manage.py upload_photos`` against a server that listens and a worker that works."""

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from catalog.models import Category, Product
from devices.models import Device
from devices.services import enroll
from tests.parts import free_port
from uploads import queueing, sender
from uploads.models import Album, Photo
from uploads.pipeline import process

from .conftest import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def menu(transactional_db: None) -> dict[str, Product]:
    category = Category.objects.create(name="Drinks")
    rows = [("Espresso", "ESP-001"), ("Tea", "TEA-001"), ("Cola", "")]
    return {name: Product.objects.create(name=name, sku=sku, price="1.00", category=category) for name, sku in rows}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three pictures, one of them below it, and other files."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    (folder / "ESP-001.png").write_bytes(picture("red"))
    (folder / "Cola.png").write_bytes(picture("black"))
    (folder / "more" / "TEA-001.PNG").write_bytes(picture("green"))
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "PAUSE", 0.02)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A worker that is done before the request ends; the ids that it was given."""
    taken: list[str] = []

    def work(photo: Photo) -> None:
        taken.append(str(photo.pk))
        process(photo_id=photo.pk)

    monkeypatch.setattr(queueing, "send_one", work)
    return taken


Upload = Callable[..., str]


@pytest.fixture
def upload(live_server: Any) -> Upload:
    """Runs the command; what it said."""

    def run(folder: Path, **options: Any) -> str:
        said, complained = StringIO(), StringIO()
        values = {"album": "Autumn", "server": live_server.url, **options}
        try:
            call_command("upload_photos", str(folder), stdout=said, stderr=complained, **values)
        except CommandError as error:
            return f"{complained.getvalue()}{error}"
        return complained.getvalue() + said.getvalue()

    return run


def test_a_folder_comes_into_its_album_and_onto_its_products(
    upload: Upload, photos: Path, menu: dict[str, Product]
) -> None:
    said = upload(photos, match="any")

    assert said == "3 of 3 photos are ready.\n"
    assert set(Photo.objects.values_list("filename", "status", "product__name", "album__name")) == {
        ("ESP-001.png", "ready", "Espresso", "Autumn"),
        ("TEA-001.PNG", "ready", "Tea", "Autumn"),
        ("Cola.png", "ready", "Cola", "Autumn"),
    }
    assert not Product.objects.filter(image=None).exists()


def test_what_has_no_product_is_said_and_comes_into_the_album(
    upload: Upload, photos: Path, menu: dict[str, Product]
) -> None:
    said = upload(photos, match="sku")

    assert said == f"{photos / 'Cola.png'}: no product found; it comes into the album only.\n3 of 3 photos are ready.\n"
    assert Photo.objects.get(filename="Cola.png").product is None


def test_a_second_run_sends_only_what_is_new(upload: Upload, photos: Path, at_once: list[str]) -> None:
    upload(photos)
    (photos / "Water.png").write_bytes(picture("blue"))

    assert upload(photos) == "4 of 4 photos are ready.\n"

    assert Album.objects.count() == 1
    assert Photo.objects.count() == 4
    assert len(at_once) == len(set(at_once)) == 4


def test_an_album_that_was_renamed_meanwhile_is_gone_on_with(upload: Upload, photos: Path) -> None:
    upload(photos)
    Album.objects.update(name="Winter")
    (photos / "Water.png").write_bytes(picture("blue"))

    assert upload(photos, album="Autumn") == "4 of 4 photos are ready.\n"

    assert Album.objects.get().name == "Winter"
    assert Photo.objects.count() == 4


def test_a_run_that_was_cut_off_is_finished_by_the_next(
    upload: Upload, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off: list[str] = []
    send = sender.Sender.put

    def put(self: sender.Sender, target: dict[str, Any], data: bytes) -> None:
        if len(cut_off) < 2:
            cut_off.append(target["url"])
            raise sender.Unreachable("the cable is out")
        send(self, target, data)

    monkeypatch.setattr(sender.Sender, "put", put)
    first = upload(photos)
    assert first.endswith("1 of 3 photos are ready.")
    assert first.count("the cable is out") == len(cut_off) == 2

    assert upload(photos) == "3 of 3 photos are ready.\n"
    assert Photo.objects.filter(status="ready").count() == Photo.objects.count() == 3


def test_a_file_that_is_no_picture_is_named_and_the_others_become_ready(upload: Upload, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")

    said = upload(photos)

    assert said == f"{photos / 'broken.jpg'}: unsupported_image\n3 of 4 photos are ready."


@pytest.mark.parametrize("match", [None, "any"])
def test_a_name_that_is_no_text_is_named_and_the_others_become_ready(
    upload: Upload, photos: Path, menu: dict[str, Product], match: str | None
) -> None:
    (photos / os.fsdecode(b"caf\xe9.png")).write_bytes((photos / "Cola.png").read_bytes())

    said = upload(photos, match=match)

    assert said == f"{photos}/caf\ufffd.png: its name is no text in UTF-8: rename it.\n3 of 4 photos are ready."
    assert Photo.objects.filter(status="ready").count() == 3


def test_a_file_that_is_refused_by_its_size_is_told_so(upload: Upload, photos: Path) -> None:
    (photos / "empty.jpg").touch()

    said = upload(photos)

    assert said.startswith(f"{photos / 'empty.jpg'}: size: ")
    assert said.endswith("3 of 4 photos are ready.")


def test_a_token_may_end_in_a_line_break(upload: Upload, photos: Path) -> None:
    token = enroll(name="Camera", may_upload=True).token

    assert upload(photos, token=f"{token}\n") == "3 of 3 photos are ready.\n"


def test_without_a_token_a_device_is_there_for_this_run_alone(upload: Upload, photos: Path) -> None:
    upload(photos)

    assert Device.objects.get().revoked_at is not None


def test_a_token_that_may_not_upload_is_refused(upload: Upload, photos: Path) -> None:
    token = enroll(name="Till 1").token

    assert upload(photos, token=token).startswith("The server refused: ")
    assert Device.objects.count() == 1
    assert not Photo.objects.exists()


def test_a_server_that_is_away_is_said_so(upload: Upload, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "TRIES", 2)

    said = upload(photos, server=f"http://127.0.0.1:{free_port()}")

    assert said.startswith("The server doesn't answer: ")
    assert Device.objects.get().revoked_at is not None


def test_what_is_no_folder_or_has_no_photos_is_said_so(upload: Upload, tmp_path: Path, settings: LazySettings) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    assert upload(tmp_path / "none") == f"{tmp_path / 'none'} is no folder."
    assert upload(empty) == f"There are no photos in {empty}."
