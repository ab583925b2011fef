"""The commonest request of all, answered before Django: an image, or a derivative of it, on this machine's disk.

The bytes decide here, not the row. A file is linked under its hash when it is complete, and unlinked when it is swept
or set aside. So a file that is there and has the hash of its name is the image, whatever state its row is in. The
database isn't asked, and images are served while it is away.
"""

import os
import re
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from django.conf import settings

from images.blobs import HASH_PATTERN, SUFFIXES, WIDTHS, BlobDamaged, BlobMissing, blobs, image_key
from images.delivery import Derivative, accel_headers, etag_of, image_headers

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

PATH = re.compile(rf"\A/api/image/({HASH_PATTERN})\.jpg\Z")
QUERY = re.compile(rf"\A(?:w=({'|'.join(map(str, WIDTHS))})(?:&format=({'|'.join(SUFFIXES)}))?)?\Z")
# Headers that ask for something else than all the bytes. Such requests are rare, and Django's view answers them.
PARTICULAR = ("HTTP_RANGE", "HTTP_IF_NONE_MATCH")
MOST_RECENT = 32 * 1024 * 1024  # bytes of recent images in a process


class ImagesFirst:
    """WSGI middleware that answers GET and HEAD of a stored image, and hands every other request on.

    Whatever isn't plain success is handed on too, since the view explains it: an image that isn't there or is damaged,
    a derivative that has to be made, a login that is needed. So is everything when images lie in a bucket: the request
    to the bucket is what takes time, and one that fails isn't made twice.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.recent = Recent(MOST_RECENT)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (wanted := asked_for(environ)) and settings.IMAGES_PUBLIC and not settings.S3_BUCKET:
            try:
                headers, body = self.answer(*wanted)
            except (BlobMissing, BlobDamaged, OSError):
                pass  # the view meets the same failure and explains it
            else:
                start_response("200 OK", list(headers.items()))
                return body if environ["REQUEST_METHOD"] == "GET" else []
        return self.application(environ, start_response)

    def answer(self, hash: str, derivative: Derivative | None) -> tuple[dict[str, str], list[bytes]]:
        """Raises ``BlobMissing``, ``BlobDamaged`` and ``OSError``."""
        key = derivative.key(hash) if derivative else image_key(hash)
        # An image that was swept or set aside isn't sent from memory either, and nginx would answer a 404 that caches
        # keep. Not by `blobs`: this is done for every image, and building paths takes ten times as long as asking the
        # disk.
        os.stat(f"{settings.FILES_DIR}/{key}")
        headers = image_headers(etag_of(hash, derivative), derivative.format if derivative else "jpeg")
        if settings.IMAGE_DELIVERY == "accel":
            return accel_headers(headers, key), []
        data = blobs().read(key) if derivative else self.recent.read(hash)
        return {**headers, "Content-Length": str(len(data))}, [data]


class Recent:
    """The verified images that were read last: a new one is asked for by every terminal of the shop at once.

    Derivatives aren't kept, since nothing proves their bytes: one that rotted would outlive its replacement here.
    """

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0  # bytes
        self.images: dict[str, bytes] = {}  # by hash; the one that came first leaves first
        self.lock = Lock()  # held to change `images`; reading needs none

    def read(self, hash: str) -> bytes:
        """Raises ``BlobMissing``, ``BlobDamaged`` and ``StorageUnavailable``."""
        data = self.images.get(hash)
        if data is None:
            data = blobs().read(image_key(hash), sha256=hash)
            self.keep(hash, data)
        return data

    def keep(self, hash: str, data: bytes) -> None:
        with self.lock:
            if self.images.setdefault(hash, data) is not data:
                return  # another thread read it too
            self.size += len(data)
            while self.size > self.most:
                self.size -= len(self.images.pop(next(iter(self.images))))


def asked_for(environ: dict[str, Any]) -> tuple[str, Derivative | None] | None:
    """The hash of the image, and which derivative of it, whose bytes this request asks for; None: something else."""
    found = PATH.match(environ.get("PATH_INFO", ""))
    if not found or environ["REQUEST_METHOD"] not in ("GET", "HEAD") or any(map(environ.get, PARTICULAR)):
        return None
    query = QUERY.match(environ.get("QUERY_STRING", ""))
    if not query:
        return None
    return found[1], Derivative(int(query[1]), query[2] or "jpeg") if query[1] else None
