"""The front before moto refuses what S3 refuses, so a flow that passes it would pass S3."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from django.conf import LazySettings

from images.blobs import Presigned, blobs
from images.blobs.bucket import in_base64
from tests.contracts.conftest import use_bucket
from tests.front import Front
from tests.parts import Bucket
from tests.sigv4 import Refused, Request, verify

KEY = "originals/one"
DATA = b"the very bytes"
DIGEST = sha256(DATA).hexdigest()
OTHER = b"other 14 bytes"
TYPE = "image/png"


@pytest.fixture
def target(settings: LazySettings, front: Front) -> Presigned:
    use_bucket(settings, front.bucket)
    presigned = blobs().presigned_put(KEY, size=len(DATA), content_type=TYPE, sha256=DIGEST, seconds=60)
    assert presigned is not None
    return presigned


def put(
    target: Presigned, data: bytes = DATA, changed: Mapping[str, str | None] = MappingProxyType({})
) -> tuple[int, str]:
    """Status and S3's code for a PUT whose headers are those of the target but for ``changed`` (None: not sent)."""
    headers = {name: value for name, value in {**target.headers, **changed}.items() if value is not None}
    answer = httpx.put(target.url, content=data, headers=headers)
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_what_was_signed_comes_through_once(target: Presigned, front: Front) -> None:
    assert put(target) == (200, "")
    assert put(target)[0] == 412
    assert blobs().read(KEY) == DATA
    assert [seen.status for seen in front.seen if seen.method == "PUT"] == [200, 412]


NOT_AS_SIGNED = {
    "a longer body": lambda target: put(target, DATA + b"!"),
    "a shorter body": lambda target: put(target, DATA[:-1]),
    "another type": lambda target: put(target, changed={"Content-Type": "text/html"}),
    "no type": lambda target: put(target, changed={"Content-Type": None}),
    "without write-once": lambda target: put(target, changed={"If-None-Match": None}),
    "without the checksum": lambda target: put(target, changed={"x-amz-checksum-sha256": None}),
    "the checksum of other bytes": lambda target: put(
        target, OTHER, {"x-amz-checksum-sha256": in_base64(sha256(OTHER).hexdigest())}
    ),
    "another key": lambda target: put(replace(target, url=target.url.replace("/one?", "/two?"))),
    "a longer life": lambda target: put(replace(target, url=target.url.replace("Expires=60", "Expires=61"))),
    "another signature": lambda target: put(replace(target, url=target.url[:-8] + "0" * 8)),
    "another query": lambda target: put(replace(target, url=target.url + "&acl=")),
}  # fmt: skip


@pytest.mark.parametrize("wrong", NOT_AS_SIGNED)
def test_another_request_than_was_signed_is_refused(target: Presigned, front: Front, wrong: str) -> None:
    assert NOT_AS_SIGNED[wrong](target) == (403, "SignatureDoesNotMatch")
    assert front.behind.keys() == []


def test_other_bytes_of_the_same_length_are_refused(target: Presigned, front: Front) -> None:
    assert put(target, OTHER) == (400, "BadDigest")
    assert front.behind.keys() == []


def test_a_header_for_the_storage_that_nobody_signed_is_refused(target: Presigned, front: Front) -> None:
    assert put(target, changed={"x-amz-acl": "public-read"}) == (403, "AccessDenied")
    assert front.behind.keys() == []


def test_an_address_without_signature_is_refused(target: Presigned, front: Front) -> None:
    assert put(replace(target, url=target.url.partition("?")[0])) == (403, "AccessDenied")
    assert front.behind.keys() == []


@pytest.mark.parametrize(("seconds", "code"), [(59, None), (61, "AccessDenied")])
def test_an_address_is_good_until_it_expires(target: Presigned, front: Front, seconds: int, code: str | None) -> None:
    parts = urlsplit(target.url)
    headers = {name.lower(): value for name, value in target.headers.items()}
    request = Request(
        "PUT",
        f"{parts.path}?{parts.query}",
        {**headers, "host": parts.netloc, "content-length": str(len(DATA))},
        DATA,
    )
    signed_at = datetime.strptime(dict(request.query)["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    def look() -> str | None:
        try:
            verify(request, keys={front.behind.access_key: front.behind.secret_key},
                   now=signed_at + timedelta(seconds=seconds))  # fmt: skip
        except Refused as refused:
            return refused.code
        return None

    assert look() == code


def test_a_client_with_another_secret_is_refused(front: Front) -> None:
    stranger = replace(front.bucket, secret_key="guessed").client()

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.put_object(Bucket=front.bucket.name, Key=KEY, Body=DATA)
    assert front.behind.keys() == []


def test_moto_alone_refuses_nothing_of_it(settings: LazySettings, new_bucket: Bucket) -> None:
    """Else the front would be superfluous."""
    use_bucket(settings, new_bucket)
    target = blobs().presigned_put(KEY, size=len(DATA), content_type=TYPE, sha256=DIGEST, seconds=60)
    assert target is not None

    assert put(replace(target, url=target.url[:-4] + "0000"), OTHER)[0] == 200
