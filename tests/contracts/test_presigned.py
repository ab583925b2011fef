"""Addresses in a bucket that we give to clients."""

import json
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.conf import LazySettings

from images.blobs import blobs
from tests.contracts.conftest import use_bucket
from tests.parts import ROOT, Bucket

DATA = b"the very bytes"
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def bucket(settings: LazySettings, new_bucket: Bucket) -> Bucket:
    use_bucket(settings, new_bucket)
    return new_bucket


def test_a_client_puts_once_with_the_headers_it_was_given() -> None:
    target = blobs().presigned_put("originals/one", size=len(DATA), content_type="image/png", sha256=DIGEST, seconds=60)
    assert target is not None

    first = httpx.put(target.url, content=DATA, headers=dict(target.headers))
    second = httpx.put(target.url, content=DATA, headers=dict(target.headers))

    assert (first.status_code, second.status_code) == (200, 412)
    assert blobs().read("originals/one") == DATA


def test_length_type_checksum_and_write_once_are_signed() -> None:
    target = blobs().presigned_put("originals/one", size=14, content_type="image/png", sha256=DIGEST, seconds=60)
    assert target is not None
    query = parse_qs(urlsplit(target.url).query)

    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["60"]
    assert set(query["X-Amz-SignedHeaders"][0].split(";")) == {
        "content-length", "content-type", "host", "if-none-match", "x-amz-checksum-sha256",
    }  # fmt: skip
    assert set(target.headers) == {"Content-Type", "If-None-Match", "x-amz-checksum-sha256"}


def test_without_a_known_checksum_none_is_asked_for() -> None:
    target = blobs().presigned_put("originals/one", size=14, content_type="image/png", sha256=None, seconds=60)
    assert target is not None

    assert set(target.headers) == {"Content-Type", "If-None-Match"}
    assert "checksum" not in target.url


def test_clients_are_sent_to_the_public_address(settings: LazySettings) -> None:
    settings.S3_PUBLIC_ENDPOINT_URL = "https://files.example.com"

    put = blobs().presigned_put("originals/one", size=14, content_type="image/png", sha256=None, seconds=60)
    get = blobs().presigned_get("originals/one", 60)

    assert put is not None
    assert urlsplit(put.url).netloc == "files.example.com"
    assert urlsplit(str(get)).netloc == "files.example.com"


def test_a_presigned_get_reads_the_blob() -> None:
    blobs().put("originals/one", DATA, content_type="image/png")

    answer = httpx.get(str(blobs().presigned_get("originals/one", 60)))

    assert answer.content == DATA
    assert answer.headers["Content-Type"] == "image/png"


def test_a_stored_picture_carries_its_caching_into_the_bucket() -> None:
    key = f"images/{DIGEST}.jpg"
    blobs().put(key, DATA, content_type="image/jpeg")

    answer = httpx.get(str(blobs().presigned_get(key, 60)))

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_cors_rule_of_deploy_lets_browsers_send_what_we_sign(bucket: Bucket) -> None:
    rules = json.loads((ROOT / "deploy" / "bucket-cors.json").read_text())
    target = blobs().presigned_put("originals/one", size=14, content_type="image/png", sha256=DIGEST, seconds=60)
    assert target is not None

    bucket.client().put_bucket_cors(Bucket=bucket.name, CORSConfiguration=rules)
    (rule,) = bucket.client().get_bucket_cors(Bucket=bucket.name)["CORSRules"]

    assert rule["AllowedMethods"] == ["GET", "PUT"]  # a page is redirected there for pictures, too
    assert set(rule["AllowedHeaders"]) == {name.lower() for name in target.headers}
