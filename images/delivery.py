"""Images over HTTP. Nothing ever changes under a hash, so every cache may keep the answer for ever.

An image has at most 2 MB (normal form), so it is answered from memory: no open file waits for a slow terminal.
"""

import fcntl
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _

from images.blobs import BlobDamaged, BlobMissing, StorageFull, blobs, derived_key, image_key, unavailable
from images.models import Image
from images.normalize import PictureRefused, derive
from images.services import doubt
from refusals import Refusal

logger = logging.getLogger(__name__)

RANGE = re.compile(r"\Abytes=(\d{0,18})-(\d{0,18})\Z")
PRESIGNED_SECONDS = 300
MAKERS = 16  # locks for all derivatives together: so many are made at once on this machine


class ImageNotFound(Refusal):
    status, code = 404, "not_found"
    detail = _("No image has this hash.")  # yet: it may arrive a second later


class RangeRefused(Refusal):
    status, code = 416, "range_not_satisfiable"
    detail = _("The range begins behind the end of the picture.")


@dataclass(frozen=True)
class Derivative:
    """Which derivative of an image: ``width`` is one of ``WIDTHS``, ``format`` of ``SUFFIXES``."""

    width: int
    format: str = "jpeg"

    def key(self, hash: str) -> str:
        return derived_key(hash, self.width, self.format)


def deliver(request: HttpRequest, image: Image, derivative: Derivative | None) -> HttpResponse:
    """The answer for a stored image, or for a derivative of it, which is made when it isn't there yet.

    Raises ``RangeRefused``, ``StorageUnavailable``, ``OverCapacity``, and ``ImageNotFound`` when the image's bytes are
    lost or damaged; the next scrub checks such an image first.
    """
    try:
        return answer(request, image, derivative)
    except (BlobMissing, BlobDamaged, PictureRefused) as error:
        logger.exception("the bytes of a stored image are missing or damaged")
        doubt(image.hash)
        raise ImageNotFound from error


def answer(request: HttpRequest, image: Image, derivative: Derivative | None) -> HttpResponse:
    etag = etag_of(image.hash, derivative)
    headers = image_headers(etag, derivative.format if derivative else "jpeg")
    if matches(request.headers.get("If-None-Match"), etag):
        del headers["Content-Type"]
        return HttpResponseNotModified(headers=headers)
    key = image_key(image.hash)
    size = image.size
    unkept: bytes | None = None
    if derivative is not None:
        key = derivative.key(image.hash)
        try:
            size = derivative_size(image, derivative)
        except StorageFull as full:
            logger.warning("%s is made for one caller and not kept: %s", key, full.reason)
            unkept = made(image, derivative)
            size = len(unkept)
    if unkept is None and (elsewhere := handed_over(request, key, headers)):
        return elsewhere
    first, last, status = asked_range(request, size, etag)
    if status == 416:
        raise RangeRefused(headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if request.method == "HEAD":
        body = b""
    else:
        body = content(key, first, last, size) if unkept is None else unkept[first : last + 1]
    if status == 200 and body and derivative is None and sha256(body).hexdigest() != image.hash:
        raise BlobDamaged(key)  # served once, it would sit in caches for a year
    response = HttpResponse(body, status=status, headers=headers)
    response.headers["Content-Length"] = str(last - first + 1)
    return response


def etag_of(hash: str, derivative: Derivative | None = None) -> str:
    if derivative is None:
        return f'"{hash}"'
    suffix = "" if derivative.format == "jpeg" else f"-{derivative.format}"
    return f'"{hash}-{derivative.width}{suffix}"'


def image_headers(etag: str, format: str) -> dict[str, str]:
    """The headers of every image, whoever sends its bytes."""
    return {
        "Content-Type": f"image/{format}",
        "ETag": etag,
        "Cache-Control": f"{'public' if settings.IMAGES_PUBLIC else 'private'}, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }


def accel_headers(headers: dict[str, str], key: str) -> dict[str, str]:
    """``headers`` for an answer whose bytes nginx sends: the file of this key. nginx adds its own Accept-Ranges."""
    kept = {name: value for name, value in headers.items() if name != "Accept-Ranges"}
    return {**kept, "X-Accel-Redirect": f"/protected/{key}"}


def content(key: str, first: int, last: int, size: int) -> bytes:
    with blobs().open(key, start=first, length=None if last + 1 == size else last - first + 1) as file:
        body = file.read()
    if len(body) != last - first + 1:
        raise BlobDamaged(f"{key} has not the size that it had")
    return body


def handed_over(request: HttpRequest, key: str, headers: dict[str, str]) -> HttpResponse | None:
    """An answer that lets nginx or the bucket send the bytes; None where the settings or the request don't allow it."""
    store = blobs()
    # Ranges are answered here: nginx doesn't know our tags, so no If-Range would ever match, and its 416 would be
    # cached for a year.
    if settings.IMAGE_DELIVERY == "accel" and store.path(key) and "Range" not in request.headers:
        store.stat(key)  # for a missing file nginx would answer 404 with our headers, and caches would keep that
        return HttpResponse(headers=accel_headers(headers, key))
    # A presigned URL is for GET alone, and HEAD needs no bytes.
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
    """First byte, last byte and status. One range is honoured; several ranges or an odd one get the whole image."""
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


def derivative_size(image: Image, derivative: Derivative) -> int:
    """The size of a derivative in bytes; it is made when it isn't there yet."""
    key, store = derivative.key(image.hash), blobs()
    with suppress(BlobMissing):
        return store.stat(key).size
    with only_maker(key):
        with suppress(BlobMissing):
            return store.stat(key).size
        data = made(image, derivative)
        # Another machine may have been faster, perhaps with another encoder: what is stored counts.
        return len(data) if store.put(key, data, content_type=f"image/{derivative.format}") else store.stat(key).size


def made(image: Image, derivative: Derivative) -> bytes:
    """A derivative's bytes, made now."""
    # Checked, because a derivative of damaged bytes would outlive them.
    source = blobs().read(image_key(image.hash), sha256=image.hash)
    return derive(source, width=derivative.width, quality=settings.IMAGE_QUALITY, format=derivative.format)


@contextmanager
def only_maker(key: str) -> Iterator[None]:
    """Holds a derivative's lock among all threads and processes of this machine; a process that dies frees it.

    Raises ``StorageUnavailable``. Several machines with one bucket may each make the derivative; the first one counts.
    """
    path = settings.DATA_DIR / "locks" / f"derivatives-{crc32(key.encode()) % MAKERS}"
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise unavailable(str(path), error) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of this opening of the file: it keeps threads apart as well
        yield
