"""What a store must be able to do is tried on real ones, and one that can't is named."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from devices.services import enroll
from images.blobs import StorageUnsuitable, blobs
from images.models import Image
from images.trial import asking
from images.trial.properties import PROPERTIES
from tests.contracts.conftest import use_bucket
from tests.images.pictures import normal_jpeg
from tests.parts import Bucket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def checked() -> tuple[list[str], list[str]]:
    """What the storage of the settings can do, and what it can't."""
    out = StringIO()
    with suppress(CommandError):
        call_command("check_storage", stdout=out)
    lines = out.getvalue().splitlines()
    return [line[8:] for line in lines if line.startswith("ok")], [line[8:] for line in lines if line[:6] == "CANNOT"]


def test_seaweedfs_can_do_all_of_it_and_keeps_nothing_of_the_trial(settings: LazySettings, seaweedfs: Bucket) -> None:
    use_bucket(settings, seaweedfs)

    can, cannot = checked()

    assert cannot == []
    assert set(PROPERTIES) <= set(can)
    assert len(PROPERTIES) >= 50
    assert seaweedfs.keys("probes/") == []


def test_moto_lacks_what_it_does_not_check(settings: LazySettings, new_bucket: Bucket) -> None:
    """It takes any signature and any checksum: that is named, and nothing else is."""
    use_bucket(settings, new_bucket)

    _can, cannot = checked()

    assert {sentence.partition(":")[0] for sentence in cannot} == {
        "access",
        "checksum",
        "presigned PUT",
        "presigned GET",
        "presigned PUT and GET",
    }
    assert any(
        sentence.startswith("checksum: a wrong x-amz-checksum-sha256 is refused: answers 200") for sentence in cannot
    )
    assert new_bucket.keys("probes/") == []


def test_a_folder_is_tried_too(settings: LazySettings, tmp_path: object) -> None:
    settings.FILES_DIR = tmp_path

    assert checked() == (["it belongs to this database", "it takes what uploads write"], [])


@contextmanager
def limited(bucket: Bucket, header: str, status: int, *, ignores: bool = False) -> Iterator[Bucket]:
    """The server of ``bucket`` behind a front that answers ``status`` to this header of a PUT, or takes it away."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            if self.command == "PUT" and self.headers.get(header) and not ignores:
                xml = b"<Error><Code>NotImplemented</Code><Message>A header is not implemented</Message></Error>"
                self.answer(status, {"Content-Type": "application/xml"}, xml)
                return
            if self.command == "PUT":
                headers = {name: value for name, value in headers.items() if name.lower() != header.lower()}
            found = httpx.request(self.command, bucket.endpoint_url + self.path, content=body, headers=headers)
            skipped = {"content-length", "transfer-encoding", "connection", "date", "server", "content-encoding"}
            kept = {name: value for name, value in found.headers.items() if name.lower() not in skipped}
            self.answer(found.status_code, kept, found.content, found.headers.get("content-length"))

        do_GET = do_PUT = do_HEAD = do_DELETE = do

        def answer(self, status: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield replace(bucket, endpoint_url=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()


def storage_line() -> str:
    return next(line for line in Client().get("/readyz").content.decode().splitlines() if line.startswith("storage"))


@pytest.mark.parametrize("status", [400, 501])
@pytest.mark.parametrize("header", ["If-None-Match", "x-amz-checksum-sha256"])
def test_a_store_that_does_not_take_a_header_is_named_with_it(
    settings: LazySettings, new_bucket: Bucket, header: str, status: int
) -> None:
    asking.forget()
    with limited(new_bucket, header, status) as bucket:
        use_bucket(settings, bucket)
        Image.objects.all().delete()
        with pytest.raises(StorageUnsuitable) as unsuitable:
            blobs().put("originals/one", b"bytes", content_type="image/jpeg")
        token = enroll(name="Till", may_upload=True).token
        sender = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
        answer = sender.post("/api/images", data=normal_jpeg(1), content_type="image/jpeg")
        line = storage_line()

    assert unsuitable.value.reason.startswith(f"{header}: the store answers {status}")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unsuitable")
    assert "Retry-After" not in answer.headers
    assert "storage_unsuitable" in line
    assert header in line


def test_a_store_that_ignores_the_condition_is_named(settings: LazySettings, new_bucket: Bucket) -> None:
    asking.forget()
    with limited(new_bucket, "If-None-Match", 200, ignores=True) as bucket:
        use_bucket(settings, bucket)
        line = storage_line()

    assert "storage_unsuitable: If-None-Match: it is ignored" in line


def test_a_public_address_that_is_none_fails(settings: LazySettings, new_bucket: Bucket) -> None:
    asking.forget()
    use_bucket(settings, new_bucket)
    settings.S3_PUBLIC_ENDPOINT_URL = "http://127.0.0.1:9"

    line = storage_line()

    assert "storage_unavailable: the address that clients PUT to, at http://127.0.0.1:9" in line


def test_a_good_answer_is_remembered_and_leaves_nothing(settings: LazySettings, new_bucket: Bucket) -> None:
    asking.forget()
    use_bucket(settings, new_bucket)
    assert "storage: ok" in storage_line()
    assert new_bucket.keys("probes/") == []
    with limited(new_bucket, "If-None-Match", 501) as bucket:
        assert urlsplit(bucket.endpoint_url).netloc != urlsplit(new_bucket.endpoint_url).netloc
        use_bucket(settings, bucket)
        assert "storage_unsuitable" in storage_line()
        use_bucket(settings, new_bucket)
        assert "storage: ok" in storage_line()
