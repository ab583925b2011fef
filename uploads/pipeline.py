"""From an uploaded original to an image: claim → fetch → add the image → finish.

Messages may come twice, late or never. The row decides who works (a lease, taken by compare-and-set) and
whose work counts (the same lease, checked again in the final write). Every step may be repeated: an image
that is stored twice is stored once, and one that nothing refers to is swept.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.edits import Author, Way
from catalog.services import show_image
from images.blobs import BlobMissing, StorageFull, StorageUnavailable, blobs
from images.normalize import PictureRefused
from images.services import HashUnknown, add_image, hold_image

from . import measures
from .models import FIRST_BACKOFF, LONGEST_BACKOFF, MAX_ATTEMPTS, Photo, Status, move
from .originals import drop_original
from .senders import SenderRevoked, name_of

logger = logging.getLogger(__name__)


class NotAsDeclared(ValueError):
    """The stored original isn't what its client declared, or not from whom: ``code`` for programs, and in words."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class LeaseLost(RuntimeError):
    """Another worker has the photo now, or it is gone."""


def process(*, photo_id: UUID, clock: Callable[[], datetime] = timezone.now) -> None:
    """Make a pending photo into an image. Safe to call at any time, any number of times, by many workers."""
    photo = claim(photo_id, now=clock())
    if photo is None:
        logger.info("photo not pending photo=%s", photo_id)
        return
    began, outcome = perf_counter(), "put_back"
    try:
        outcome = work_on(photo, clock)
    finally:
        measures.attempted(outcome, perf_counter() - began)
    if outcome == "ready" and not settings.KEEP_ORIGINALS:
        drop_original(photo_id)


def work_on(photo: Photo, clock: Callable[[], datetime]) -> str:
    """One attempt with a photo that is ours; its outcome, one of ``measures.OUTCOMES``."""
    try:
        refuse_the_revoked(photo)
        image = add_image(data=fetch(photo), is_stored=True).image
        finish(photo, image.hash, now=clock())
    except LeaseLost:
        logger.warning("lease lost photo=%s", photo.pk)
        return "lease_lost"
    except BlobMissing:
        return unclaim(photo, "its original is missing", now=clock())
    except PictureRefused as refused:
        return fail(photo, refused.code, refused.reason, now=clock())
    except NotAsDeclared as error:
        return fail(photo, error.code, str(error), now=clock())
    except StorageFull as full:
        return wait_for_room(photo, full, now=clock())
    except StorageUnavailable as unavailable:
        return give_back(photo, unavailable.code, unavailable.reason, now=clock())
    except HashUnknown as error:
        return give_back(photo, "storage_unavailable", str(error), now=clock())
    except Exception as error:
        logger.exception("processing failed photo=%s", photo.pk)
        return give_back(photo, "processing_failed", f"{type(error).__name__}: {error}", now=clock())
    except BaseException:
        # A worker that is told to stop returns the message; without this the next one would find the photo taken.
        unclaim(photo, "its worker stops", now=clock())
        raise
    logger.info("photo ready photo=%s image=%s", photo.pk, image.hash)
    return "ready"


@transaction.atomic
def claim(photo_id: UUID, *, now: datetime) -> Photo | None:
    """Take the photo for this worker, or None when it isn't pending."""
    if not move(photo_id, Status.PENDING, Status.PROCESSING, now=now, lease=uuid4()):
        return None
    return Photo.objects.get(pk=photo_id)


def refuse_the_revoked(photo: Photo) -> None:
    """Raises NotAsDeclared when the device or login that sent ``photo`` has no access any more."""
    if Photo.objects.filter(pk=photo.pk).of_the_revoked().exists():
        raise NotAsDeclared(SenderRevoked.code, "The device or login that sent the photo has no access any more.")


def fetch(photo: Photo) -> bytes:
    """The original's bytes, verified. Raises BlobMissing, NotAsDeclared, StorageUnavailable."""
    # The size first: a bucket may have taken more than we want in memory.
    other_size = NotAsDeclared("size_mismatch", "The stored original has another size than declared.")
    if blobs().stat(photo.key).size != photo.size:
        raise other_size
    data = blobs().read(photo.key)
    if len(data) != photo.size:
        raise other_size
    if photo.sha256 and hashlib.sha256(data).hexdigest() != photo.sha256:
        raise NotAsDeclared("checksum_mismatch", "The stored original has another SHA-256 than declared.")
    return data


@transaction.atomic(durable=True)
def finish(photo: Photo, hash: str, *, now: datetime) -> None:
    """The photo is ready, and its product, if it still has one, shows the image: all or nothing.

    Raises LeaseLost when this worker's time is over, NotAsDeclared when its sender was revoked, HashUnknown when the
    image was swept meanwhile. Rows are locked in the order product, image, photo, since the verbs of the catalogue lock
    the product first as well.
    """
    refuse_the_revoked(photo)
    # The product of now, not of when the photo was claimed: it may have been deleted since.
    product_id = Photo.objects.filter(pk=photo.pk).values_list("product_id", flat=True).first()
    if product_id is not None:
        show_image(product_id=product_id, hash=hash, author=Author(Way.PHOTO, name_of(photo)))
    hold_image(hash=hash)
    if not move(photo.pk, Status.PROCESSING, Status.READY, now=now, lease=photo.lease, image_id=hash):
        raise LeaseLost


def unclaim(photo: Photo, why: str, *, now: datetime) -> str:
    """As if nobody had taken it: the attempt doesn't count. Reconciliation decides about a record without bytes."""
    attempts = photo.attempts - 1
    if not move(photo.pk, Status.PROCESSING, Status.PENDING, now=now, lease=photo.lease, attempts=attempts):
        return "lease_lost"
    logger.warning("photo put back photo=%s: %s", photo.pk, why)
    return "put_back"


def wait_for_room(photo: Photo, full: StorageFull, *, now: datetime) -> str:
    """Another try when a full disk may have room. The attempt doesn't count: nothing is wrong with the photo."""
    waits: dict[str, Any] = {"attempts": photo.attempts - 1, "queued_until": now + LONGEST_BACKOFF}
    waits |= {"error": full.code, "error_detail": readable(full.reason)}
    if not move(photo.pk, Status.PROCESSING, Status.PENDING, now=now, lease=photo.lease, **waits):
        return "lease_lost"
    logger.warning("photo waits for room photo=%s: %s", photo.pk, full.reason)
    return "given_back"


def give_back(photo: Photo, code: str, detail: str, *, now: datetime) -> str:
    """Another try later, or `fail` when there were enough."""
    if photo.attempts >= MAX_ATTEMPTS:
        return fail(photo, code, detail, now=now)
    reason: dict[str, Any] = {"error": code, "error_detail": readable(detail)}
    later = now + backoff(photo.attempts)
    if not move(photo.pk, Status.PROCESSING, Status.PENDING, now=now, lease=photo.lease, queued_until=later, **reason):
        return "lease_lost"
    logger.warning("photo given back photo=%s attempts=%d error=%s", photo.pk, photo.attempts, code)
    return "given_back"


def fail(photo: Photo, code: str, detail: str, *, now: datetime) -> str:
    """The photo failed, and says why; its original is kept for a manual retry."""
    reason: dict[str, Any] = {"error": code, "error_detail": readable(detail)}
    if not move(photo.pk, Status.PROCESSING, Status.FAILED, now=now, lease=photo.lease, **reason):
        return "lease_lost"
    logger.warning("photo failed photo=%s attempts=%d error=%s", photo.pk, photo.attempts, code)
    return "failed"


def readable(detail: str) -> str:
    """A message of whatever library as text that every database stores."""
    return detail.encode(errors="replace").decode().replace("\x00", "")[:500]


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 s, 20 s, 80 s, 320 s."""
    return FIRST_BACKOFF * 4 ** (attempts - 1)
