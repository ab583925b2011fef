"""Blobs in an S3 or R2 bucket, through the client of django-storages."""

import base64
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import lru_cache, partial
from io import BytesIO
from typing import Any, BinaryIO, TypeVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from images.blobs import reasons
from images.blobs.interface import (
    Blob,
    BlobDamaged,
    BlobMissing,
    Blobs,
    Presigned,
    Readable,
    StorageFull,
    StorageUnavailable,
    StorageUnsuitable,
    checked_key,
    checked_prefix,
    chunks,
    digest,
)

IMMUTABLE = "public, max-age=31536000, immutable"
# Two conditional writes of one key at the same time: the storage asks the later one to come again.
CONFLICT = {"ConditionalRequestConflict", "409", "OperationAborted"}
# Seconds between rounds of attempts. boto3 makes three attempts in each round (5xx, 429), perhaps all within a moment.
# R2 takes one write a second for each key, then answers 429: the pauses together last longer than that.
PAUSES = (0.4, 1.2)
# 400 for what the next try may not meet.
PASSING = {"RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch", "ExpiredToken"}
HEADERS = "If-None-Match or x-amz-checksum-sha256"
PAGE = 1000  # keys of a listing in one answer

T = TypeVar("T")


class BucketBlobs(Blobs):
    """``client`` does the work; ``public`` signs URLs for clients, which may know the bucket by another address."""

    def __init__(self, client: Any, bucket: str, *, public: Any = None) -> None:
        self.client, self.bucket, self.public = client, bucket, public or client
        self.name = f"{client.meta.endpoint_url}/{bucket}"

    def put(self, key: str, data: bytes | BinaryIO, *, content_type: str, sha256: str | None = None) -> bool:
        checked_key(key)
        with rewindable(data) as body:
            found, size = digest(body)
            if sha256 is not None and found != sha256:
                raise BlobDamaged(key)
            parameters = {
                "Bucket": self.bucket,
                "Key": key,
                "ContentType": content_type,
                "ContentLength": size,
                "ChecksumSHA256": in_base64(found),
                "IfNoneMatch": "*",
            }
            if key.startswith("images/"):
                parameters["CacheControl"] = IMMUTABLE  # a public domain serves the object with it
            start = None if isinstance(body, bytes) else body.tell()

            def send() -> None:
                if start is not None and not isinstance(body, bytes):
                    body.seek(start)
                self.client.put_object(**parameters, Body=body)

            try:
                patiently(send)
            except ClientError as error:
                if status(error) == 412:  # also when the answer to our own first attempt was lost
                    return False
                if cant(error):
                    raise self.unsuitable(key, error) from error
                raise unavailable(key, error) from error
            except (BotoCoreError, HTTPError, OSError) as error:
                raise unavailable(key, error) from error
            return True

    def unsuitable(self, key: str, error: ClientError) -> StorageUnsuitable:
        """Names what this store refuses of a write, by trying it with one part at a time."""
        parts: dict[str, dict[str, str]] = {
            "any write": {},
            "If-None-Match": {"IfNoneMatch": "*"},
            "x-amz-checksum-sha256": {"ChecksumSHA256": in_base64(digest(b"")[0])},
        }
        refused = []
        for name, part in parts.items():
            place = {"Bucket": self.bucket, "Key": f"probes/{uuid4().hex}"}
            try:
                self.client.put_object(**place, Body=b"", **part)
                self.client.delete_object(**place)
            except (ClientError, BotoCoreError, HTTPError, OSError) as another:
                if isinstance(another, ClientError) and cant(another):
                    refused.append(name)
        what = " and ".join(refused[:1] if refused[:1] == ["any write"] else refused) or HEADERS
        return StorageUnsuitable(f"{what}: the store answers {status(error)} {code(error)} ({key}: {error})")

    @contextmanager
    def open(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[Readable]:
        checked_key(key)
        parameters: dict[str, Any] = {"Bucket": self.bucket, "Key": key}
        if length == 0:
            self.stat(key)
            yield BytesIO()
            return
        if start or length is not None:
            parameters["Range"] = f"bytes={start}-" + ("" if length is None else str(start + length - 1))
        with failures(key):
            try:
                stream = patiently(partial(self.client.get_object, **parameters))["Body"]
            except ClientError as error:
                if status(error) != 416:
                    raise
                stream = BytesIO()  # the range begins behind the last byte
        with closing(stream):
            yield Body(key, stream)

    def stat(self, key: str) -> Blob:
        with failures(key):
            try:
                found = patiently(partial(self.client.head_object, Bucket=self.bucket, Key=checked_key(key)))
            except ClientError as error:
                if status(error) != 404:
                    raise
                # HEAD has no body to say what is missing: the key, the bucket, or the whole service behind a proxy.
                self.client.head_bucket(Bucket=self.bucket)
                raise BlobMissing(key) from error
        return Blob(key, found["ContentLength"], found["LastModified"])

    def delete(self, key: str) -> None:
        with failures(key):
            patiently(partial(self.client.delete_object, Bucket=self.bucket, Key=checked_key(key)))

    def list(self, prefix: str, *, after: str = "") -> Iterator[Blob]:
        parameters = {
            "Bucket": self.bucket,
            "Prefix": checked_prefix(prefix),
            "MaxKeys": PAGE,
            **({"StartAfter": after} if after else {}),
        }
        while True:
            with failures(prefix):
                page = patiently(partial(self.client.list_objects_v2, **parameters))
            for found in page.get("Contents", []):
                yield Blob(found["Key"], found["Size"], found["LastModified"])
            if not page.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = page["NextContinuationToken"]

    def clear_drafts(self, prefix: str, *, before: datetime) -> int:
        checked_prefix(prefix)
        return 0  # a PUT that breaks off leaves nothing in a bucket

    def path(self, key: str) -> None:
        checked_key(key)

    @property
    def endpoint(self) -> str:
        address: str = self.public.meta.endpoint_url
        return address

    def presigned_get(self, key: str, seconds: int) -> str:
        url: str = self.public.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": checked_key(key)}, ExpiresIn=seconds
        )
        return url

    def presigned_put(self, key: str, *, size: int, content_type: str, sha256: str | None, seconds: int) -> Presigned:
        parameters = {
            "Bucket": self.bucket,
            "Key": checked_key(key),
            "ContentLength": size,
            "ContentType": content_type,
            "IfNoneMatch": "*",
        }
        # Content-Length is signed but not listed: every HTTP client sends it by itself, and a browser doesn't let a
        # script set it. A body of another length fails the signature.
        headers = {"Content-Type": content_type, "If-None-Match": "*"}
        if sha256 is not None:
            parameters["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = in_base64(sha256)
        url = self.public.generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds)
        return Presigned(url, headers)


class Body:
    """The bytes of an answer; a connection that breaks while they are read is a failure of the storage."""

    def __init__(self, key: str, stream: Any) -> None:
        self.key, self.stream = key, stream

    def read(self, size: int = -1, /) -> bytes:
        with failures(self.key):
            data: bytes = self.stream.read(None if size < 0 else size)
            return data


def bucket_blobs() -> BucketBlobs:
    """The bucket of the settings."""
    options = settings.STORAGES["default"]["OPTIONS"]
    public = settings.S3_PUBLIC_ENDPOINT_URL
    return BucketBlobs(
        client_at(options["endpoint_url"], options["region_name"], options["access_key"], os.getpid()),
        settings.S3_BUCKET,
        public=client_at(public, options["region_name"], options["access_key"], os.getpid()) if public else None,
    )


@lru_cache(maxsize=8)
def client_at(endpoint_url: str | None, region: str, access_key: str | None, process: int) -> Any:
    """django-storages' client, once for a process: it would make one for each thread, in half a second.

    Clients are thread-safe, but a process that was forked must not share its parent's connections.
    """
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": endpoint_url}
    return S3Storage(**options).connection.meta.client


def client_with(**keys: str) -> Any:
    """A client of the same store with other keys: ``access_key``, ``secret_key``."""
    return S3Storage(**{**settings.STORAGES["default"]["OPTIONS"], **keys}).connection.meta.client


def patiently(request: Callable[[], T]) -> T:
    """The result of ``request``, which is repeated while the storage asks to come again."""
    for pause in PAUSES:
        try:
            return request()
        except ClientError as error:
            if status(error) != 429 and code(error) not in CONFLICT:
                raise
        time.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - spreads attempts, no secret
    return request()


@contextmanager
def failures(key: str) -> Iterator[None]:
    """Only ``NoSuchKey`` is missing; 403 (S3's answer without ListBucket), 5xx, time-outs are unavailable."""
    try:
        yield
    except ClientError as error:
        if code(error) == "NoSuchKey":
            raise BlobMissing(key) from error
        raise unavailable(key, error) from error
    except StorageUnavailable:
        raise
    except (BotoCoreError, HTTPError, OSError) as error:
        raise unavailable(key, error) from error


@contextmanager
def rewindable(data: bytes | BinaryIO) -> Iterator[bytes | BinaryIO]:
    """Bytes that can be read twice: once for the checksum, then for each attempt."""
    if isinstance(data, bytes) or data.seekable():
        yield data
        return
    with tempfile.TemporaryFile() as copy:
        for chunk in chunks(data):
            copy.write(chunk)
        copy.seek(0)
        yield copy


def unavailable(key: str, error: Exception) -> StorageUnavailable:
    if isinstance(error, ClientError) and status(error) == 507:
        return StorageFull(f"{key}: {error}")
    kind = reasons.kind_of_status(status(error)) if isinstance(error, ClientError) else reasons.kind_of(error)
    return StorageUnavailable(f"{key}: {error}", kind=kind)


def cant(error: ClientError) -> bool:
    """Whether the store says that it doesn't know how, not that something went wrong on the way."""
    return status(error) == 501 or (status(error) == 400 and code(error) not in PASSING)


def code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def in_base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
