"""A write as uploads do it: conditional, with its SHA-256, and by an address that was signed for a client."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import urllib3

from images.blobs import Blobs, StorageUnavailable, StorageUnsuitable

PROBES = "probes/"
TYPE = "application/octet-stream"
LEFT_BEHIND = timedelta(days=1)  # what a process that died in a trial left is as old
TIMEOUT = urllib3.Timeout(connect=3, read=10)


def write_briefly(store: Blobs) -> None:
    """A write as the server itself does it. Raises StorageUnavailable."""
    key = f"{PROBES}{uuid4().hex}"
    store.look_at_folders()
    store.put(key, b"", content_type=TYPE)
    store.delete(key)


def write_once(store: Blobs) -> None:
    """One write of each kind, and what must be refused afterwards. Raises StorageUnavailable."""
    store.look_at_folders()
    keys = [f"{PROBES}{uuid4().hex}" for _ in range(2)]
    data = uuid4().bytes
    try:
        if not store.put(keys[0], data, content_type=TYPE, sha256=sha256(data).hexdigest()):
            raise StorageUnsuitable("If-None-Match: a new key is said to be there")
        if store.put(keys[0], data[::-1], content_type=TYPE):
            raise StorageUnsuitable("If-None-Match: it is ignored, and what was there is overwritten")
        if store.read(keys[0]) != data:
            raise StorageUnsuitable("what is read isn't what was written")
        by_a_client(store, keys[1], data)
        for blob in store.list(PROBES):
            if blob.modified < datetime.now(UTC) - LEFT_BEHIND:
                store.delete(blob.key)
    finally:
        with suppress(StorageUnavailable):  # what failed is told already
            for key in keys:
                store.delete(key)


def by_a_client(store: Blobs, key: str, data: bytes) -> None:
    """The PUT of a client that got an address; nothing where the server itself takes the bytes."""
    target = store.presigned_put(key, size=len(data), content_type=TYPE, sha256=sha256(data).hexdigest(), seconds=60)
    if target is None:
        return
    place = f"the address that clients PUT to, at {store.endpoint}"
    try:
        first, second = (send("PUT", target.url, data, dict(target.headers)) for _ in range(2))
    except urllib3.exceptions.HTTPError as error:
        raise StorageUnavailable(f"{place}: {error}", kind="unreachable") from error
    if first.status in (400, 403, 501):
        raise StorageUnsuitable(f"{place}, answers {first.status} {said(first)}")
    if first.status != 200:
        raise StorageUnavailable(f"{place}, answers {first.status} {said(first)}", kind="server_error")
    if second.status != 412:
        raise StorageUnsuitable(f"If-None-Match: {place}, answers {second.status}, not 412, when the key is there")


def send(
    method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    """A request as a client's, once. Raises urllib3's HTTPError."""
    return urllib3.request(method, url, body=body, headers=headers, retries=False, redirect=False, timeout=TIMEOUT)


def said(answer: urllib3.BaseHTTPResponse) -> str:
    """What an answer of S3 says, on one line."""
    return " ".join(answer.data.decode(errors="replace").split())[:300]
