"""From an uploaded original to an image: claim → fetch → verify → store → finish.

Messages may come twice, late or never. The row decides who works (a lease, taken by compare-and-set) and
whose work counts (the same lease, checked again in the final write). Every step may be repeated: an image
that is stored twice is stored once, and one that nobody refers to is swept.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from catalog.services import hold_product, show_image
from images.blobs import BlobMissing, StorageUnavailable, blobs
from images.models import Image
from images.normalize import PictureRefused
from images.services import HashUnknown, ImageTakenOver, hold_image, keep_image, settle_image

from . import measures
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


def at_once(do: Callable[..., object], *arguments: object) -> None:
    do(*arguments)


def process(
    *,
    photo_id: UUID,
    clock: Callable[[], datetime] = timezone.now,
    afterwards: Callable[..., object] = at_once,
) -> None:
    """Make a pending photo into an image. Safe to call at any time, any number of times, by many workers.

    ``afterwards`` is given what is left to do once the photo's state is safe, and may do it later, or in a thread.
    """
    with unhurried_commits():
        photo = claim(photo_id, now=clock())
    if photo is None:
        log.info("photo not pending photo=%s", photo_id)
        return
    began, outcome = perf_counter(), "put_back"
    try:
        outcome = work_on(photo, clock)
    finally:
        afterwards(conclude, photo_id, outcome, perf_counter() - began)


def conclude(photo_id: UUID, outcome: str, seconds: float) -> None:
    """What nobody waits for: the turn is counted, and the original of a ready photo goes."""
    measures.attempted(outcome, seconds)
    if outcome == "ready" and not settings.KEEP_ORIGINALS:
        drop_original(photo_id)


@contextmanager
def unhurried_commits() -> Iterator[None]:
    """On SQLite no commit in here waits for the disk.

    Which is for steps that are simply done again when a power cut took them back. Commits go to the disk in their
    order: the next one that waits keeps these as well. PostgreSQL shares such waits among all who commit, and to ask
    it would take longer.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    wait_for_the_disk("NORMAL")
    try:
        yield
    finally:
        wait_for_the_disk("FULL")


def wait_for_the_disk(how: str) -> None:
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA synchronous={how}")


def work_on(photo: Photo, clock: Callable[[], datetime]) -> str:
    """One attempt with a photo that is ours; its outcome, one of ``measures.OUTCOMES``."""
    try:
        image = make_ready(photo, clock)
    except LeaseLost:
        log.warning("lease lost photo=%s", photo.pk)
        return "lease_lost"
    except BlobMissing:
        return unclaim(photo, "its original is missing", now=clock())
    except PictureRefused as refused:
        return fail(photo, refused.code, refused.reason, now=clock())
    except NotAsDeclared as error:
        return fail(photo, error.code, str(error) or (error.__doc__ or ""), now=clock())
    except (StorageUnavailable, HashUnknown) as error:
        return give_back(photo, "storage_unavailable", str(error), now=clock())
    except Exception as error:
        log.exception("processing failed photo=%s", photo.pk)
        return give_back(photo, "processing_failed", f"{type(error).__name__}: {error}", now=clock())
    except BaseException:
        # A worker that is told to stop returns the message; without this the next one would find the photo taken.
        unclaim(photo, "its worker stops", now=clock())
        raise
    log.info("photo ready photo=%s image=%s", photo.pk, image.hash)
    return "ready"


def make_ready(photo: Photo, clock: Callable[[], datetime]) -> Image:
    """Everything from the original to the final write. Raises what `fetch` and `finish` do."""
    with unhurried_commits():
        data = fetch(photo)
        image = keep_image(data=data)
    while True:
        try:
            finish(photo, image, now=clock())
        except ImageTakenOver:
            # By somebody with the same picture, when we took too long. It goes on as long as the photo is ours.
            with unhurried_commits():
                image = keep_image(data=data)
        except BaseException:
            with suppress(Exception):  # what happened is more than that somebody may have to wait for our claim
                settle_image(image)
            raise
        else:
            return image


def claim(photo_id: UUID, *, now: datetime) -> Photo | None:
    """Take the photo for this worker, or None when it isn't pending."""
    return move(photo_id, Status.PENDING, Status.PROCESSING, now=now, lease=uuid4())


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
def finish(photo: Photo, image: Image, *, now: datetime) -> None:
    """The image is stored, the photo ready, and its product, if it still has one, shows it: all or nothing.

    Raises LeaseLost when this worker's turn is over, HashUnknown when the image was swept meanwhile, ImageTakenOver
    when it is to be kept once more.
    """
    ready = move(photo.pk, Status.PROCESSING, Status.READY, now=now, lease=photo.lease, image_id=image.hash)
    if ready is None:
        raise LeaseLost
    # The product of now, not of when we took the photo: it may have gone, or come, meanwhile.
    if ready.product_id is not None:
        hold_product(product_id=ready.product_id)
    settled = settle_image(image)
    if ready.product_id is not None:
        show_image(product_id=ready.product_id, hash=image.hash)
    if not settled:
        hold_image(hash=image.hash)  # after the product: everybody locks products before images


def unclaim(photo: Photo, why: str, *, now: datetime) -> str:
    """As if nobody had taken it: the attempt doesn't count. Reconciliation decides about a record without bytes."""
    attempts = photo.attempts - 1
    if not move(photo.pk, Status.PROCESSING, Status.PENDING, now=now, lease=photo.lease, attempts=attempts):
        return "lease_lost"
    log.warning("photo put back photo=%s: %s", photo.pk, why)
    return "put_back"


def give_back(photo: Photo, code: str, detail: str, *, now: datetime) -> str:
    """Another try later, or `fail` when there were enough."""
    if photo.attempts >= MAX_ATTEMPTS:
        return fail(photo, code, detail, now=now)
    reason: dict[str, Any] = {"error": code, "error_detail": readable(detail)}
    later = now + backoff(photo.attempts)
    if not move(photo.pk, Status.PROCESSING, Status.PENDING, now=now, lease=photo.lease, queued_until=later, **reason):
        return "lease_lost"
    log.warning("photo given back photo=%s attempts=%d error=%s", photo.pk, photo.attempts, code)
    return "given_back"


def fail(photo: Photo, code: str, detail: str, *, now: datetime) -> str:
    """The photo failed, and says why; its original is kept for a manual retry."""
    reason: dict[str, Any] = {"error": code, "error_detail": readable(detail)}
    if not move(photo.pk, Status.PROCESSING, Status.FAILED, now=now, lease=photo.lease, **reason):
        return "lease_lost"
    log.warning("photo failed photo=%s attempts=%d error=%s", photo.pk, photo.attempts, code)
    return "failed"


def readable(detail: str) -> str:
    """A message of whatever library as text that every database stores."""
    return detail.encode(errors="replace").decode().replace("\x00", "")[:500]


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 s, 20 s, 80 s, 320 s."""
    return FIRST_BACKOFF * 4 ** (attempts - 1)
