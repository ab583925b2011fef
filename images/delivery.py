"""Stored pictures over HTTP: nothing ever changes under a hash, so every cache may keep it for ever.

A stored picture has 2 MB at most (normal form), so it is answered from memory: no open file waits for a slow
terminal.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from images.blobs import BlobDamaged, BlobMissing, StorageUnavailable, blobs, derived_key, image_key
from images.models import Image
from images.normalize import derive

RANGE = re.compile(r"\Abytes=(\d{0,18})-(\d{0,18})\Z")
PRESIGNED_SECONDS = 300
MAKERS = 16  # locks for all derivatives together: so many are made at once on this machine


class NoSuchRange(ValueError):
    """The range begins behind the last byte; ``size`` is the number of bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


@dataclass(frozen=True)
class Copy:
    """A narrower copy of a picture, of a width and a format that there are."""

    width: int
    format: str = "jpeg"

    def key(self, hash: str) -> str:
        return derived_key(hash, self.width, self.format)


def deliver(request: HttpRequest, image: Image, copy: Copy | None) -> HttpResponse:
    """The answer for a stored image, or for a narrower copy of it.

    Raises ``NoSuchRange``, ``StorageUnavailable``, and ``BlobMissing`` or ``BrokenImage`` when the bytes are not what
    they were.
    """
    etag = etag_of(image.hash, copy)
    headers = picture_headers(etag, copy.format if copy else "jpeg")
    if matches(request.headers.get("If-None-Match"), etag):
        del headers["Content-Type"]
        return HttpResponseNotModified(headers=headers)
    key = image_key(image.hash)
    size = image.size
    if copy is not None:
        key = copy.key(image.hash)
        size = derivative_size(image, copy)
    if answer := handed_over(request, key, headers):
        return answer
    first, last, status = asked_range(request, size, etag)
    if status == 416:
        raise NoSuchRange(size)
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    body = b"" if request.method == "HEAD" else content(key, first, last, size)
    if status == 200 and body and copy is None and sha256(body).hexdigest() != image.hash:
        # Served once, it would sit in caches for a year.
        raise BlobMissing(f"{key} is damaged")
    response = HttpResponse(body, status=status, headers=headers)
    response.headers["Content-Length"] = str(last - first + 1)
    return response


def etag_of(hash: str, copy: Copy | None = None) -> str:
    if copy is None:
        return f'"{hash}"'
    return f'"{hash}-{copy.width}"' if copy.format == "jpeg" else f'"{hash}-{copy.width}-{copy.format}"'


def picture_headers(etag: str, format: str) -> dict[str, str]:
    """What is said of every picture, however its bytes travel."""
    return {
        "Content-Type": f"image/{format}",
        "ETag": etag,
        "Cache-Control": f"{'public' if settings.IMAGES_PUBLIC else 'private'}, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }


def accel_headers(headers: dict[str, str], key: str) -> dict[str, str]:
    """The same where nginx sends the file of this key: it adds its own Accept-Ranges."""
    kept = {name: value for name, value in headers.items() if name != "Accept-Ranges"}
    return {**kept, "X-Accel-Redirect": f"/protected/{key}"}


def content(key: str, first: int, last: int, size: int) -> bytes:
    with blobs().open(key, start=first, length=None if last + 1 == size else last - first + 1) as file:
        body = file.read()
    if len(body) != last - first + 1:
        raise BlobMissing(f"{key} has not the size that it had")
    return body


def handed_over(request: HttpRequest, key: str, headers: dict[str, str]) -> HttpResponse | None:
    """An answer that lets nginx or the bucket send the bytes, where the settings say so and it can be."""
    store = blobs()
    # A range is ours: nginx doesn't know our tags, so no If-Range would ever fit, and its 416 would be kept for a year.
    if settings.IMAGE_DELIVERY == "accel" and store.path(key) and "Range" not in request.headers:
        store.stat(key)  # nginx would answer a missing file with 404 and our headers, and caches would keep that
        return HttpResponse(headers=accel_headers(headers, key))
    # A presigned URL is good for GET alone, and HEAD needs no bytes.
    if settings.IMAGE_DELIVERY != "redirect" or request.method == "HEAD":
        return None
    if settings.R2_PUBLIC_DOMAIN and store.path(key) is None:
        domain = settings.R2_PUBLIC_DOMAIN.removeprefix("https://").strip("/")
        return HttpResponse(
            status=302, headers={"Location": f"https://{domain}/{key}", "Cache-Control": "public, max-age=300"}
        )
    if url := store.presigned_get(key, PRESIGNED_SECONDS):
        return HttpResponse(status=302, headers={"Location": url, "Cache-Control": "no-store"})
    return None


def matches(header: str | None, etag: str) -> bool:
    """If-None-Match compares weakly."""
    if not header:
        return False
    return header.strip() == "*" or etag in {found.removeprefix("W/") for found in parse_etags(header)}


def asked_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int, int]:
    """First byte, last byte and status: one range is honoured, several or odd ones get the whole."""
    whole = 0, size - 1, 200
    found = RANGE.match(request.headers.get("Range", "").strip())
    if not found or found[0] == "bytes=-" or request.method == "HEAD":
        return whole
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != etag:
        return whole
    if not found[1]:  # the last so many
        length = int(found[2])
        return (max(0, size - length), size - 1, 206) if length else (0, 0, 416)
    first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    if found[2] and int(found[2]) < first:
        return whole
    return (first, last, 206) if first < size else (0, 0, 416)


def derivative_size(image: Image, copy: Copy) -> int:
    """The size of a derivative, which is made when it isn't there yet."""
    key, store = copy.key(image.hash), blobs()
    with suppress(BlobMissing):
        return store.stat(key).size
    with only_maker(key):
        with suppress(BlobMissing):
            return store.stat(key).size
        try:
            source = store.read(image_key(image.hash), sha256=image.hash)  # a copy of rot would outlive it
        except BlobDamaged as error:
            raise BlobMissing(f"{image.hash} is damaged") from error
        made = derive(source, width=copy.width, quality=settings.IMAGE_QUALITY, format=copy.format)
        # Another process may have been faster, perhaps with another encoder: what is there counts.
        return len(made) if store.put(key, made, content_type=f"image/{copy.format}") else store.stat(key).size


@contextmanager
def only_maker(key: str) -> Iterator[None]:
    """One maker for each derivative, among all threads and processes of this machine; a dead one lets go.

    Raises ``StorageUnavailable``. Of several machines with one bucket each may make its own, and the first one counts.
    """
    path = settings.DATA_DIR / "locks" / f"derivatives-{crc32(key.encode()) % MAKERS}"
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise StorageUnavailable(error.errno, f"{error.strerror}: {path}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of this opening of the file: it keeps threads apart as well
        yield
