"""Originals that no photo needs are set aside first and deleted much later, and never many in one run."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings

from clocks.rows import bring_back
from images.blobs import Blob, BlobMissing, KeyRefused, StorageUnavailable, blobs
from images.identity import must_be_ours
from images.quarantine import OCTETS, QUARANTINE, expired, set_aside

from .models import ORIGINALS, Photo

logger = logging.getLogger(__name__)

ORPHAN_AGE = timedelta(days=1)
LIMIT = 100  # objects that one run moves or deletes; a mistake stays small
BATCH = 500  # photos asked for in one query


@dataclass
class Orphans:
    """What one run did."""

    quarantined: int = 0  # moved: no record has them
    dropped: int = 0  # deleted: their photo is ready, only the pipeline's own deletion was lost
    failed: int = 0  # deleted: their photo failed long ago; outside the limit, since their rows say that it is meant
    expired: int = 0  # deleted from quarantine
    drafts: int = 0  # cleared: writers that died left them; outside the limit, since nothing ever reads one

    @property
    def total(self) -> int:
        return self.quarantined + self.dropped + self.expired


def quarantine_orphans(*, now: datetime, limit: int = LIMIT) -> Orphans:
    """Sets aside originals older than a day that have no record, and deletes those whose photo is ready.

    Those of photos that failed go after ``FAILED_ORIGINAL_DAYS``. At most ``limit`` other objects are touched. Drafts
    that are a day old, which writers that died left behind, are cleared.
    """
    orphans = Orphans()
    try:
        must_be_ours()
        bring_back(Photo.objects.filter(status=Photo.Status.FAILED), now=now, failed_at=timedelta())
        for blob, status in unneeded(now=now):
            if orphans.total >= limit:
                break
            if status == Photo.Status.FAILED:
                blobs().delete(blob.key)
                orphans.failed += 1
            elif status is None:
                orphans.quarantined += quarantine(blob)
            else:
                blobs().delete(blob.key)
                orphans.dropped += 1
        quarantined = QUARANTINE + ORIGINALS
        for blob in expired(quarantined, now=now):
            if orphans.total >= limit:
                break
            blobs().delete(blob.key)
            orphans.expired += 1
        orphans.drafts = sum(blobs().clear_drafts(name, before=now - ORPHAN_AGE) for name in (ORIGINALS, quarantined))
    except StorageUnavailable as error:
        logger.warning("orphan scan stopped; the next run goes on: %s", error.reason)
    logger.info("orphans %s", " ".join(f"{name}={value}" for name, value in asdict(orphans).items()))
    return orphans


def unneeded(*, now: datetime) -> Iterator[tuple[Blob, str | None]]:
    """Originals of some age that nothing needs, each with the status of its photo.

    They have no record (None), or their photo is ready, unless ``KEEP_ORIGINALS``, or it failed long ago.
    """
    failed_before = now - timedelta(days=settings.FAILED_ORIGINAL_DAYS)
    old = (blob for blob in blobs().list(ORIGINALS) if blob.modified <= now - ORPHAN_AGE)
    while batch := list(islice(old, BATCH)):
        ids = {blob.key: photo_id_of(blob.key) for blob in batch}
        rows = Photo.objects.filter(pk__in=filter(None, ids.values())).values_list("pk", "status", "failed_at")
        known = {pk: (status, failed_at) for pk, status, failed_at in rows}
        for blob in batch:
            match known.get(photo_id) if (photo_id := ids[blob.key]) else None:
                case None:
                    yield blob, None
                case Photo.Status.READY, _ if not settings.KEEP_ORIGINALS:
                    yield blob, Photo.Status.READY
                case Photo.Status.FAILED, failed_at if failed_at and failed_at <= failed_before:
                    yield blob, Photo.Status.FAILED


def photo_id_of(key: str) -> UUID | None:
    """The photo that a key belongs to; None for a key that no photo ever had."""
    try:
        photo_id = UUID(key.removeprefix(ORIGINALS))
    except ValueError:
        return None
    return photo_id if key == f"{ORIGINALS}{photo_id}" else None


def quarantine(blob: Blob) -> bool:
    """Moves one object: the copy is there before the original goes. False when there is nothing to move."""
    try:
        data = blobs().read(blob.key)
    except BlobMissing:
        return False
    except KeyRefused:
        logger.warning("orphan left alone key=%r: no key of ours", blob.key)
        return False
    set_aside(blob.key, data)
    blobs().delete(blob.key)
    photo_id = photo_id_of(blob.key)
    if photo_id and Photo.objects.filter(pk=photo_id).exists():
        # Registered again meanwhile, and its client may have been told that the bytes are there. One that registers
        # from now on finds none, and sends them.
        blobs().put(blob.key, data, content_type=OCTETS)
        logger.warning("orphan given back key=%s: it has a record now", blob.key)
        return False
    logger.warning("orphan quarantined key=%s size=%d", blob.key, blob.size)
    return True
