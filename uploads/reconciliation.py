"""Makes the records of photos agree with the storage, whatever died when.

A look-up of an original has three answers. *There*: the photo is queued again. *Missing*: the record is deleted, once
its upload window and a margin are over. *Unknown*: nothing is done; an error never counts as missing. No lock is held
while the storage is asked. So every action is a compare-and-set on what was seen, and passes may run side by side.
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import transaction

from clocks.rows import bring_back
from images.blobs import StorageUnavailable
from images.identity import must_be_ours

from . import measures, pipeline
from .broker import waiting
from .models import ALBUM_HOLDS, LEASE, LONGEST_BACKOFF, MAX_ATTEMPTS, Photo, PhotoQuerySet, Status, move
from .originals import is_there
from .queueing import QUEUED_FOR, queue

logger = logging.getLogger(__name__)

# After the window closed: a PUT that began in time may take so long, and clocks may differ by so much.
MARGIN = timedelta(minutes=5)
ALBUM_BATCH = 500  # photos of an album that are looked up before those that are there are queued
ALBUM_LASTS = 20.0  # seconds; then a pass begins no further batch, since its client waits for the answer
# After so many failures in a row the storage counts as down, and a pass asks it no more.
STORAGE_IS_DOWN = 2
# While so many messages wait for a worker, their photos count as queued even after ``queued_until``.
MANY_WAIT = 100


class Found(Enum):
    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass
class Counts:
    """What one pass did: ``checked`` is the sum of the others."""

    checked: int = 0
    requeued: int = 0
    cleaned: int = 0
    skipped: int = 0
    unknown: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


def reconcile_album(*, album_id: UUID, now: datetime) -> Counts:
    """All photos of one album, whatever their age: for a client that lost a step.

    What is queued or being worked on is skipped. When the storage is down or slow, the photos that it wasn't asked
    about count as unknown; the next pass begins with them.
    """
    over = monotonic() + ALBUM_LASTS
    photos = Photo.objects.filter(album_id=album_id)
    bring_times_back(photos, now=now)
    free_abandoned(photos, now=now, limit=ALBUM_HOLDS)
    under_way = photos.filter(status__in=[Status.PENDING, Status.PROCESSING]).count()
    left = photos.pending().unqueued(now=now).exclude(checked_at=now)  # this pass had those that were checked now
    counts = Counts()
    while batch := take(left, now=now, limit=ALBUM_BATCH):
        counts += decide(batch, now=now)
        if counts.unknown >= STORAGE_IS_DOWN or monotonic() >= over:
            break
    unasked = left.count()
    busy = max(0, under_way - counts.checked - unasked)
    counts += Counts(checked=unasked + busy, skipped=busy, unknown=unasked)
    report("album", counts, now=now)
    return counts


def scan(*, now: datetime) -> Counts:
    """The safety net: those pending photos that were unchecked the longest, as many as a batch holds."""
    limit = settings.PENDING_PHOTO_SCAN_BATCH_SIZE
    min_age = timedelta(milliseconds=settings.PENDING_PHOTO_MIN_AGE_MS)
    photos = Photo.objects.all()
    bring_times_back(photos, now=now)
    free_abandoned(photos, now=now, limit=limit)
    batch = take(photos.pending().older_than(min_age, now=now).unqueued(now=now), now=now, limit=limit)
    counts = decide(batch, now=now)
    report("all", counts, now=now)
    return counts


def bring_times_back(photos: PhotoQuerySet, *, now: datetime) -> None:
    """What photos under way learned of a clock that was ahead: they would wait for that time, or hide from passes."""
    window = timedelta(seconds=settings.UPLOAD_WINDOW_SECONDS)
    bring_back(
        photos.pending(),
        now=now,
        created_at=timedelta(),
        checked_at=timedelta(),
        queued_until=max(QUEUED_FOR, LONGEST_BACKOFF),
        upload_expires_at=window,
    )
    bring_back(photos.filter(status=Status.PROCESSING), now=now, lease_expires_at=LEASE)


def free_abandoned(photos: PhotoQuerySet, *, now: datetime, limit: int) -> None:
    """Moves photos whose worker is gone to pending, or to failed when that happened too often."""
    for photo in photos.abandoned(now=now).order_by("lease_expires_at")[:limit]:
        code, detail = "worker_lost", "The worker that had this photo stopped without finishing it."
        to = Status.FAILED if photo.attempts >= MAX_ATTEMPTS else Status.PENDING
        if move(photo.pk, Status.PROCESSING, to, now=now, lease=photo.lease, error=code, error_detail=detail):
            logger.warning("lease ran out photo=%s attempts=%d now=%s", photo.pk, photo.attempts, to)


@transaction.atomic
def take(photos: PhotoQuerySet, *, now: datetime, limit: int) -> list[Photo]:
    """The photos that this pass looks at, stamped as checked; those that another pass holds are left to it."""
    batch = list(photos.select_for_update(skip_locked=True).order_by("checked_at", "created_at", "pk")[:limit])
    Photo.objects.filter(pk__in=[photo.pk for photo in batch]).update(checked_at=now)
    return batch


def decide(batch: list[Photo], *, now: datetime) -> Counts:
    """Looks up the originals of these photos, and acts on what it found."""
    counts = Counts(checked=len(batch))
    there = []
    for photo, found in look_up(batch):
        if found is Found.UNKNOWN:
            counts.unknown += 1
        elif found is Found.THERE:
            there.append(photo)
        elif photo.upload_expires_at + MARGIN <= now and clean(photo, now=now):
            counts.cleaned += 1
        else:
            counts.skipped += 1
    counts.requeued = queue(photos=without_message(without_revoked(there, now=now)), now=now)
    counts.skipped += len(there) - counts.requeued  # a message waits still, another pass was first, or it failed now
    return counts


def without_revoked(there: list[Photo], *, now: datetime) -> list[Photo]:
    """Those whose sender has access still. The others fail, as they would at a worker."""
    ids = [photo.pk for photo in there]
    revoked = set(Photo.objects.filter(pk__in=ids).of_the_revoked().values_list("pk", flat=True)) if ids else set()
    for photo_id in revoked:
        pipeline.process(photo_id=photo_id, clock=lambda: now)
    return [photo for photo in there if photo.pk not in revoked]


def without_message(there: list[Photo]) -> list[Photo]:
    """Those that need a message. While many wait, the one that was sent is among them still; a second helps nobody."""
    sent = [photo for photo in there if photo.queued_until and not photo.error]
    if sent and waiting() >= MANY_WAIT:
        return [photo for photo in there if photo not in sent]
    return there


def look_up(batch: Iterable[Photo]) -> Iterable[tuple[Photo, Found]]:
    """Each photo with what the storage says of its original; unknown, unasked, once the storage counts as down."""
    failures = 0
    for photo in batch:
        if failures >= STORAGE_IS_DOWN:
            yield photo, Found.UNKNOWN
            continue
        try:
            found = Found.THERE if is_there(photo.key) else Found.MISSING
            if found is Found.MISSING:
                must_be_ours()  # in another storage everything is missing
            failures = 0
        except StorageUnavailable as error:
            logger.warning("storage did not answer photo=%s: %s", photo.pk, error.reason)
            found = Found.UNKNOWN
            failures += 1
        yield photo, found


@transaction.atomic
def clean(photo: Photo, *, now: datetime) -> bool:
    """Remove a record whose bytes never came; False when it changed since it was looked at."""
    untouched = Photo.objects.pending().filter(pk=photo.pk, upload_expires_at__lte=now - MARGIN)
    if untouched.select_for_update().unqueued(now=now).first() is None:
        return False
    untouched.delete()
    logger.info("photo cleaned photo=%s: its upload window closed and nothing came", photo.pk)
    return True


def report(scope: str, counts: Counts, *, now: datetime) -> None:
    oldest = Photo.objects.pending().order_by("created_at").values_list("created_at", flat=True).first()
    age = (now - oldest).total_seconds() if oldest else 0.0
    measures.passed(scope, **{name: getattr(counts, name) for name in measures.DECISIONS})
    logger.log(
        logging.INFO if any(asdict(counts).values()) else logging.DEBUG,  # every 30 seconds, and mostly of nothing
        "reconciled scope=%s %s oldest_pending_seconds=%.0f",
        scope,
        " ".join(f"{name}={value}" for name, value in asdict(counts).items()),
        age,
    )
