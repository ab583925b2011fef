"""From an uploaded original to an image: claim → fetch → verify → store → finish.

Messages may come twice, late or never. The row decides who works (a lease, taken by compare-and-set) and
whose work counts (the same lease, checked again in the final write). Every step may be repeated: an image
that is stored twice is stored once, and one that nobody refers to is swept.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalog.services import show_image
from images.blobs import BlobMissing, StorageUnavailable, blobs
from images.normalize import ImageRefused
from images.services import HashUnknown, add_image, image_to_refer_to

from .models import Photo, Status, move
from .services import drop_original

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
FIRST_BACKOFF = timedelta(seconds=5)


class NotAsDeclared(ValueError):
    """The stored original isn't what its client declared."""

    code = "not_as_declared"


class SizeDiffers(NotAsDeclared):
    """The stored original has another size than declared."""

    code = "size_mismatch"


class ChecksumDiffers(NotAsDeclared):
    """The stored original has another SHA-256 than declared."""

    code = "checksum_mismatch"


class LeaseLost(RuntimeError):
    """Another worker has the photo now, or it is gone."""


def process(*, photo_id: UUID, clock: Callable[[], datetime] = timezone.now) -> None:
    """Make a pending photo into an image. Safe to call at any time, any number of times, by many workers."""
    photo = claim(photo_id, now=clock())
    if photo is None:
        log.info("photo not pending photo=%s", photo_id)
        return
    try:
        image = add_image(data=fetch(photo)).image
        finish(photo, image.hash, now=clock())
    except LeaseLost:
        log.warning("lease lost photo=%s", photo_id)
    except BlobMissing:
        unclaim(photo, now=clock())
    except (ImageRefused, NotAsDeclared) as error:
        fail(photo, error.code, str(error) or (error.__doc__ or ""), now=clock())
    except (StorageUnavailable, HashUnknown) as error:
        give_back(photo, "storage_unavailable", str(error), now=clock())
    except Exception as error:
        log.exception("processing failed photo=%s", photo_id)
        give_back(photo, "processing_failed", f"{type(error).__name__}: {error}", now=clock())
    else:
        log.info("photo ready photo=%s image=%s", photo_id, image.hash)
        drop_original(photo_id)


def claim(photo_id: UUID, *, now: datetime) -> Photo | None:
    """Take the photo for this worker, or None when it isn't pending.

    An attempt counts from here, because the attempt may kill us.
    """
    lease = uuid4()
    if not move(photo_id, Status.PENDING, Status.PROCESSING, now=now, lease=lease, attempts=F("attempts") + 1):
        return None
    return Photo.objects.filter(pk=photo_id, lease=lease).first()


def fetch(photo: Photo) -> bytes:
    """The original's bytes, verified. Raises BlobMissing, NotAsDeclared, StorageUnavailable."""
    # The size first: a bucket may have taken more than we want in memory.
    if blobs().stat(photo.key).size != photo.size:
        raise SizeDiffers
    data = blobs().read(photo.key)
    if len(data) != photo.size:
        raise SizeDiffers
    if photo.sha256 and hashlib.sha256(data).hexdigest() != photo.sha256:
        raise ChecksumDiffers
    return data


@transaction.atomic(durable=True)
def finish(photo: Photo, hash: str, *, now: datetime) -> None:
    """The photo is ready and its product, if it still has one, shows it: both or neither.

    Raises LeaseLost when this worker's turn is over, HashUnknown when the image was swept meanwhile.
    """
    if not move(photo.pk, Status.PROCESSING, Status.READY, now=now, lease=photo.lease, image_id=hash):
        raise LeaseLost
    # Read again, behind the lock of our own write: the product may have gone meanwhile.
    product_id = Photo.objects.values_list("product_id", flat=True).get(pk=photo.pk)
    if product_id is not None:
        show_image(product_id=product_id, hash=hash)
    image_to_refer_to(hash=hash)  # after the product: everybody locks products before images


def unclaim(photo: Photo, *, now: datetime) -> None:
    """The original isn't there (yet): as if nobody had looked. Reconciliation decides about the record."""
    attempts = photo.attempts - 1
    if move(photo.pk, Status.PROCESSING, Status.PENDING, now=now, lease=photo.lease, attempts=attempts):
        log.warning("original missing photo=%s", photo.pk)


def give_back(photo: Photo, code: str, detail: str, *, now: datetime) -> None:
    """Another try later, or `fail` when there were enough."""
    if photo.attempts >= MAX_ATTEMPTS:
        fail(photo, code, detail, now=now)
        return
    later = now + backoff(photo.attempts)
    if move(
        photo.pk,
        Status.PROCESSING,
        Status.PENDING,
        now=now,
        lease=photo.lease,
        queued_until=later,
        error=code,
        error_detail=readable(detail),
    ):
        log.warning("photo given back photo=%s attempts=%d error=%s", photo.pk, photo.attempts, code)


def fail(photo: Photo, code: str, detail: str, *, now: datetime) -> None:
    """The photo failed, and says why; its original is kept for a manual retry."""
    if move(
        photo.pk,
        Status.PROCESSING,
        Status.FAILED,
        now=now,
        lease=photo.lease,
        error=code,
        error_detail=readable(detail),
    ):
        log.warning("photo failed photo=%s attempts=%d error=%s", photo.pk, photo.attempts, code)


def readable(detail: str) -> str:
    """A message of whatever library as text that every database stores."""
    return detail.encode(errors="replace").decode().replace("\x00", "")[:500]


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 s, 20 s, 80 s, 320 s."""
    return FIRST_BACKOFF * 4 ** (attempts - 1)
