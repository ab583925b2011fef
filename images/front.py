"""The commonest request of all, answered before Django: a whole stored picture that lies on this machine's disk.

Its bytes decide here, not its row. They are linked under their hash when they are complete, and unlinked when they are
swept or set aside: what is there and hashes to its name is the picture, at whatever step its row is. So no database is
asked, and pictures go on being served while it is away.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import Any

from django.conf import settings

from images.blobs import BlobDamaged, BlobMissing, StorageUnavailable, blobs, image_key
from images.delivery import accel_headers, etag_of, picture_headers

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

PATH = re.compile(r"\A/api/image/([0-9a-f]{64})\.jpg\Z")
# What asks for something else than the whole picture. Such requests are rare, and Django's way knows all about them.
PARTICULAR = ("QUERY_STRING", "HTTP_RANGE", "HTTP_IF_NONE_MATCH")
MOST_RECENT = 32 * 1024 * 1024  # bytes of recent pictures in a process


class PicturesFirst:
    """A WSGI application that answers GET of a stored picture itself, and leaves the rest to another one.

    Whatever isn't plain success (a picture that isn't there, or not sound; a login where one is asked for) goes on as
    well: there is the one explanation for it. So does everything that is in a bucket, where the request to it is what
    takes time, and a failing one isn't made twice.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.recent = Recent(MOST_RECENT)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (hash := asked_for(environ)) and settings.IMAGES_PUBLIC and not settings.S3_BUCKET:
            with suppress(BlobMissing, BlobDamaged, StorageUnavailable):
                headers, body = self.answer(hash)
                start_response("200 OK", list(headers.items()))
                return body
        return self.application(environ, start_response)

    def answer(self, hash: str) -> tuple[dict[str, str], list[bytes]]:
        """Raises ``BlobMissing``, ``BlobDamaged`` and ``StorageUnavailable``."""
        key = image_key(hash)
        blobs().stat(key)  # swept or set aside: not in memory either, and nginx would answer a 404 that caches keep
        headers = picture_headers(etag_of(hash), "jpeg")
        if settings.IMAGE_DELIVERY == "accel":
            return accel_headers(headers, key), []
        data = self.recent.read(hash)
        return {**headers, "Content-Length": str(len(data))}, [data]


class Recent:
    """The pictures that were read last, verified: a new one is asked for by every terminal of the shop at once."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0  # bytes
        self.pictures: dict[str, bytes] = {}  # the one that came first leaves first
        self.lock = Lock()  # of those who keep; a look needs none

    def read(self, hash: str) -> bytes:
        """Raises ``BlobMissing``, ``BlobDamaged`` and ``StorageUnavailable``."""
        data = self.pictures.get(hash)
        if data is None:
            data = blobs().read(image_key(hash), sha256=hash)
            self.keep(hash, data)
        return data

    def keep(self, hash: str, data: bytes) -> None:
        with self.lock:
            if self.pictures.setdefault(hash, data) is not data:
                return  # another thread read it too
            self.size += len(data)
            while self.size > self.most:
                self.size -= len(self.pictures.pop(next(iter(self.pictures))))


def asked_for(environ: dict[str, Any]) -> str | None:
    """The hash of the picture that this request wants whole."""
    if environ["REQUEST_METHOD"] != "GET" or any(environ.get(name) for name in PARTICULAR):
        return None
    found = PATH.match(environ.get("PATH_INFO", ""))
    return found[1] if found else None
