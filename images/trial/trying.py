"""How a property is tried: with keys of its own, in a way that an error can't pass for the wanted answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import uuid4

import urllib3
from botocore.exceptions import ClientError

from images.blobs.bucket import BucketBlobs, code, status

from .writing import PROBES, TYPE, said

DATA = b"The very bytes, of which there are not many: 0123456789."
DIGEST = sha256(DATA).hexdigest()
OTHER = DATA[::-1]
NOBODYS = "none-of-the-secrets-that-there-are"
MANY = 1003  # keys: more than a page of a listing has


class Cannot(Exception):
    """The store lacks the property; the text says what it did."""


Property = Callable[["Trial"], None]
PROPERTIES: dict[str, Property] = {}


def must(sentence: str) -> Callable[[Property], Property]:
    """Registers a property under what a store must do."""

    def register(tried: Property) -> Property:
        PROPERTIES[sentence] = tried
        return tried

    return register


@dataclass
class Trial:
    """One walk through the properties of ``store``."""

    store: BucketBlobs

    def __post_init__(self) -> None:
        self.folder = f"{PROBES}{uuid4().hex}/"

    def new(self) -> str:
        """A key that nobody has."""
        return f"{self.folder}{uuid4().hex}"

    def ask(
        self, method: str, key: str = "", *, client: Any = None, **parameters: Any
    ) -> tuple[int, str, dict[str, Any]]:
        """Status, S3's code (empty when it went well), and the answer, of one call by the S3 client."""
        named = {"Key": key} if key else {}
        try:
            answer = getattr(client or self.store.client, method)(Bucket=self.store.bucket, **named, **parameters)
        except ClientError as error:
            return status(error), code(error), {}
        return answer["ResponseMetadata"]["HTTPStatusCode"], "", answer

    def put(self, key: str, data: bytes = DATA, **parameters: Any) -> tuple[int, str]:
        return self.ask("put_object", key, Body=data, ContentType=TYPE, **parameters)[:2]

    def there(self, data: bytes = DATA) -> str:
        """A new key that holds ``data``."""
        key = self.new()
        expect(self.put(key, data)[0], 200)
        return key

    def get(self, key: str, **parameters: Any) -> tuple[int, bytes, dict[str, Any]]:
        found, _, answer = self.ask("get_object", key, **parameters)
        return found, answer["Body"].read() if answer else b"", answer

    def holds(self, key: str, data: bytes | None) -> None:
        """``key`` holds ``data``; None: nothing."""
        found, body, _ = self.get(key)
        expect(found, 404 if data is None else 200)
        if data is not None and body != data:
            raise Cannot(f"other bytes came back: {body[:60]!r}")

    def target(self, key: str, *, checksum: bool = True, seconds: int = 60) -> tuple[str, dict[str, str]]:
        found = self.store.presigned_put(
            key, size=len(DATA), content_type=TYPE, sha256=DIGEST if checksum else None, seconds=seconds
        )
        return found.url, dict(found.headers)

    def keys(self, prefix: str, **parameters: Any) -> list[str]:
        """All keys below ``prefix``, page by page."""
        found: list[str] = []
        pages = self.store.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.store.bucket, Prefix=prefix, **parameters):
            found += [item["Key"] for item in page.get("Contents", ())]
        return found

    @cached_property
    def many(self) -> list[str]:
        """The keys of ``MANY`` objects, in order."""
        keys = [f"{self.folder}many/{number:05}" for number in range(MANY)]
        with ThreadPoolExecutor(16) as writers:
            list(writers.map(lambda key: self.put(key, b""), keys))
        return keys

    def clear(self) -> None:
        keys = self.keys(self.folder)
        with ThreadPoolExecutor(16) as writers:
            list(writers.map(self.store.delete, keys))


def expect(found: object, *wanted: object) -> None:
    if found not in wanted:
        raise Cannot(f"answers {found}, not {' or '.join(str(one) for one in wanted)}")


def answers(answer: urllib3.BaseHTTPResponse, *wanted: int) -> None:
    if answer.status not in wanted:
        expect(f"{answer.status} {said(answer)}", *wanted)
