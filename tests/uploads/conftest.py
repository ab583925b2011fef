"""Albums, photos and a client that sends them, on both kinds of storage."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from PIL import Image as Picture

from catalog.models import Category, Product
from devices.services import enroll
from images.blobs import blobs
from images.services import add_image
from tests.contracts.conftest import use_bucket
from uploads import originals, queueing
from uploads.models import Album, Photo

PNG = "image/png"


def picture(color: str = "#c0392b", *, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small PNG of one colour."""
    buffer = BytesIO()
    Picture.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """Files of this test alone."""
    settings.FILES_DIR = tmp_path / "files"
    return Path(settings.FILES_DIR)


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, settings: LazySettings, folder: Path) -> str:
    """Runs the test on local files and on a bucket."""
    if request.param == "bucket":
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    return str(request.param)


@pytest.fixture
def api(db: None) -> Client:
    """A device that may upload."""
    token = enroll(name="Till 1", may_upload=True).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


@pytest.fixture
def album(db: None) -> Album:
    return Album.objects.create(name="Autumn menu")


@pytest.fixture
def product(db: None) -> Product:
    category = Category.objects.create(name="Drinks")
    return Product.objects.create(name="Lemonade", price="3.50", category=category)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that were queued, instead of messages on a broker."""
    ids: list[str] = []
    monkeypatch.setattr(queueing, "send_one", lambda photo: ids.append(str(photo.pk)))
    return ids


@pytest.fixture
def make_photo(album: Album) -> Callable[..., Photo]:
    """A pending photo that was registered a minute ago, and its bytes in storage when ``data`` is given."""

    def make(data: bytes | None = None, **values: Any) -> Photo:
        now = timezone.now()
        age = values.pop("age", timedelta(minutes=1))
        photo = Photo.objects.create(
            **{
                "album": album,
                "filename": "dish.png",
                "content_type": PNG,
                "size": len(data or b"x"),
                "upload_expires_at": now - age + timedelta(minutes=15),
                "created_at": now - age,
                "checked_at": now - age,
                **values,
            }
        )
        if data is not None:
            blobs().put(photo.key, data, content_type=PNG)
        return photo

    return make


def is_there(photo: Photo) -> bool:
    return originals.is_there(photo.key)


def processing(**values: Any) -> dict[str, Any]:
    """The columns of a photo that a worker has."""
    now = timezone.now()
    return {
        "status": "processing",
        "lease": uuid4(),
        "lease_expires_at": now + timedelta(seconds=60),
        "processing_at": now,
        "attempts": 1,
        **values,
    }


def register(api: Client, album: Album, data: bytes, **values: Any) -> Any:
    body = {"filename": "dish.png", "content_type": PNG, "size": len(data), "sha256": digest(data), **values}
    return api.post(f"/api/albums/{album.pk}/photos", body, content_type="application/json")


def put(upload: dict[str, Any], data: bytes, **headers: str) -> int:
    """What every client does with an upload target, whichever storage it leads to; the status."""
    headers = upload["headers"] | headers
    if upload["url"].startswith("/"):
        rest = {name: value for name, value in headers.items() if name != "Content-Type"}
        nobody = Client(raise_request_exception=False)
        return nobody.put(upload["url"], data, content_type=headers.get("Content-Type", ""), headers=rest).status_code
    return httpx.request(upload["method"], upload["url"], content=data, headers=headers).status_code


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of an error answer."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    return answer.status_code, answer.json()["code"]


def wrong_fields(answer: Any) -> list[str]:
    assert problem(answer)[0] == 400, answer.content
    return [error["field"] for error in answer.json()["errors"]]


def state(photo: Photo | UUID | str) -> str:
    pk = photo.pk if isinstance(photo, Photo) else photo
    return Photo.objects.values_list("status", flat=True).get(pk=pk)


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


@dataclass
class BrokenStorage:
    """An S3 server that answers 500 to everything, and remembers that it was asked."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def broken_storage(settings: LazySettings, s3: Any) -> Iterator[Callable[[], BrokenStorage]]:
    """Call it and the storage fails from then on, until the test ends or ``settings`` name another."""
    servers: list[ThreadingHTTPServer] = []

    def break_it() -> BrokenStorage:
        storage = BrokenStorage()

        class Refuse(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # which answers who waits for "100 Continue" before it sends a body

            def answer(self) -> None:
                storage.asked.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = answer

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        storage.url = f"http://127.0.0.1:{server.server_port}"
        use_bucket(settings, replace(s3, endpoint_url=storage.url))
        return storage

    yield break_it
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def stored_image(db: None) -> str:
    """The hash of an image that is stored."""
    return add_image(data=picture("#2980b9")).image.hash
