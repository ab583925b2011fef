"""The commonest request of all, answered before Django: a stored picture, or a copy of it, on this machine's disk.

The bytes decide here, not its row. They are linked under their hash when they are complete, and unlinked when they are
swept or set aside: what is there and hashes to its name is the picture, at whatever step its row is. So no database is
asked, and pictures go on being served while it is away.
"""

import os
import re
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from django.conf import settings

from images.blobs import SUFFIXES, WIDTHS, BlobDamaged, BlobMissing, blobs, image_key
from images.delivery import Copy, accel_headers, etag_of, picture_headers

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

PATH = re.compile(r"\A/api/image/([0-9a-f]{64})\.jpg\Z")
QUERY = re.compile(rf"\A(?:w=({'|'.join(map(str, WIDTHS))})(?:&format=({'|'.join(SUFFIXES)}))?)?\Z")
# What asks for something else than all the bytes. Such requests are rare, and Django's way knows all about them.
PARTICULAR = ("HTTP_RANGE", "HTTP_IF_NONE_MATCH")
MOST_RECENT = 32 * 1024 * 1024  # bytes of recent pictures in a process


class PicturesFirst:
    """A WSGI application that answers GET and HEAD of a stored picture itself, and leaves the rest to another one.

    Whatever isn't plain success (a picture that isn't there, or not sound; a copy to be made; a login that is needed)
    goes on as well: there is the one explanation for it. So does everything that is in a bucket, where the request to
    it is what takes time, and a failing one isn't made twice.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.recent = Recent(MOST_RECENT)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (wanted := asked_for(environ)) and settings.IMAGES_PUBLIC and not settings.S3_BUCKET:
            try:
                headers, body = self.answer(*wanted)
            except (BlobMissing, BlobDamaged, OSError):
                pass  # whatever it is, Django's way meets it again and says it
            else:
                start_response("200 OK", list(headers.items()))
                return body if environ["REQUEST_METHOD"] == "GET" else []
        return self.application(environ, start_response)

    def answer(self, hash: str, copy: Copy | None) -> tuple[dict[str, str], list[bytes]]:
        """Raises ``BlobMissing``, ``BlobDamaged`` and ``OSError``."""
        key = copy.key(hash) if copy else image_key(hash)
        # What was swept or set aside isn't sent from memory either, and nginx would answer a 404 that caches keep. Not
        # by `blobs`: this is done for every picture, and building paths takes ten times as long as asking the disk.
        os.stat(f"{settings.FILES_DIR}/{key}")
        headers = picture_headers(etag_of(hash, copy), copy.format if copy else "jpeg")
        if settings.IMAGE_DELIVERY == "accel":
            return accel_headers(headers, key), []
        data = blobs().read(key) if copy else self.recent.read(hash)
        return {**headers, "Content-Length": str(len(data))}, [data]


class Recent:
    """The pictures that were read last, verified: a new one is asked for by every terminal of the shop at once.

    Not their copies, whose bytes nothing proves: one that rotted would outlive its replacement here.
    """

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


def asked_for(environ: dict[str, Any]) -> tuple[str, Copy | None] | None:
    """The hash of the picture, and which copy of it, of which this request is about all bytes; None: something else."""
    found = PATH.match(environ.get("PATH_INFO", ""))
    if not found or environ["REQUEST_METHOD"] not in ("GET", "HEAD") or any(map(environ.get, PARTICULAR)):
        return None
    query = QUERY.match(environ.get("QUERY_STRING", ""))
    if not query:
        return None
    return found[1], Copy(int(query[1]), query[2] or "jpeg") if query[1] else None
