"""Finds files that no row names, and rows whose file is gone, in one walk through the store by key."""

import logging
import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.utils import timezone

from images import quarantine
from images.blobs import HASH_PATTERN, Blob, BlobMissing, KeyRefused, blobs, image_key
from images.identity import must_be_ours
from images.models import Image, Pass
from images.store import Status, claim_new
from normalform import Normal

from .passes import Budget, Outcome, Running, passing
from .scrub import recheck

logger = logging.getLogger(__name__)

IMAGES = "images/"
IMAGE = re.compile(rf"\Aimages/({HASH_PATTERN})\.jpg\Z")
DERIVATIVE = re.compile(rf"\Aimages/derived/({HASH_PATTERN})_")
AGE = timedelta(days=1)  # a file without a row is older than any writer
LARGEST = 64 * 1024 * 1024  # bytes; a larger file is none of ours
BATCH = 500  # files compared with the rows in one query
BEHIND_ALL = "g"  # sorts behind every hash

# What other rooms keep under images/: each says which of some keys are its own.
Keeper = Callable[[Collection[str]], set[str]]
keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """Has every pass ask ``keeper``, too, whether a file is named by a row."""
    keepers.append(keeper)


def quarantine_orphans(*, budget: Budget | None = None, age: timedelta = AGE) -> Pass:
    """Sets files aside that no row names, drops derivatives of images that are gone, marks rows whose file is lost.

    The walk goes on where the last pass stopped. Counts: ``checked`` files; ``quarantined``, ``copies_dropped``,
    ``lost``; ``refused`` (a name or a size that isn't ours: left alone), ``skipped`` (a row came meanwhile);
    ``expired`` from quarantine; ``drafts`` that dead writers left.
    """
    budget = budget or Budget()
    now = timezone.now()
    with passing(Pass.Kind.ORPHANS, budget) as running:
        must_be_ours()
        orphans, lost, cursor = look(running, before=now - age)
        running.brake(len(orphans) + len(lost), of=running.counts["checked"] + len(lost))
        for blob in orphans:
            set_aside(blob, running)
        for image in lost:
            running.counts["lost"] += 1
            recheck(image, dry_run=budget.dry_run)
        running.checkpoint(cursor)
        tidy(running, now=now)
    return running.row


def look(running: Running, *, before: datetime) -> tuple[list[Blob], list[Image], str]:
    """The orphans and the lost images in the next part of the store, and the key up to which it was walked."""
    cursor = running.row.cursor
    low = hash_before(cursor)
    orphans: list[Blob] = []
    lost: list[Image] = []
    for batch in batches(cursor):
        running.counts["checked"] += len(batch)
        names = {found[1] for blob in batch if (found := IMAGE.match(blob.key) or DERIVATIVE.match(blob.key))}
        known = set(Image.objects.filter(pk__in=names).values_list("pk", flat=True))
        unknown = [blob for blob in batch if blob.modified <= before and not is_known(blob.key, known)]
        kept = named_elsewhere([blob.key for blob in unknown])
        orphans += [blob for blob in unknown if blob.key not in kept]
        there = {found[1] for blob in batch if (found := IMAGE.match(blob.key))}
        high = max(there, default=low)
        lost += lost_between(low, high, there)
        low, cursor = high, batch[-1].key
        if running.is_over or len(orphans) + len(lost) >= running.budget.limit:
            running.row.outcome = Outcome.MORE
            return orphans, lost, cursor
    return orphans, lost + lost_between(low, BEHIND_ALL, set()), ""


def batches(cursor: str) -> Iterator[list[Blob]]:
    found = blobs().list(IMAGES, after=cursor)
    while batch := list(islice(found, BATCH)):
        yield batch


def named_elsewhere(keys: Collection[str]) -> set[str]:
    """Those of ``keys`` that another room keeps."""
    return set().union(*(keeper(keys) for keeper in keepers)) if keys else set()


def is_known(key: str, known: set[str]) -> bool:
    found = IMAGE.match(key) or DERIVATIVE.match(key)
    return found is not None and found[1] in known


def lost_between(low: str, high: str, there: set[str]) -> list[Image]:
    """Usable images between two hashes that the listing lacks, and the storage too when it is asked for each."""
    rows = Image.objects.usable().filter(pk__gt=low, pk__lte=high).exclude(pk__in=there)
    return [image for image in rows.order_by("pk") if is_missing(image.pk)]


def is_missing(name: str) -> bool:
    try:
        blobs().stat(image_key(name))
    except BlobMissing:
        return True
    return False


def hash_before(cursor: str) -> str:
    """The largest hash (or a bound that sorts like one) whose key is at most ``cursor``."""
    rest = cursor.removeprefix(IMAGES)
    digits = re.match(r"[0-9a-f]{0,64}", rest)
    assert digits is not None
    follows = rest[digits.end() :][:1]
    return digits[0] + (BEHIND_ALL if len(digits[0]) < 64 and follows > "f" else "")


def set_aside(blob: Blob, running: Running) -> None:
    """Moves one file to quarantine, or deletes a derivative, which can be made again."""
    dry_run = running.budget.dry_run
    if DERIVATIVE.match(blob.key):
        running.counts["copies_dropped"] += 1
        if not dry_run:
            blobs().delete(blob.key)
        return
    try:
        if blob.size > LARGEST:
            raise KeyRefused(blob.key)
        if not dry_run:
            quarantine.set_aside(blob.key, blobs().read(blob.key))
            if not delete_orphan(blob):
                running.counts["skipped"] += 1
                return
    except BlobMissing:
        running.counts["skipped"] += 1
        return
    except KeyRefused:
        logger.warning("orphan left alone key=%r size=%d: none of our files", blob.key, blob.size)
        running.counts["refused"] += 1
        return
    running.counts["quarantined"] += 1
    logger.warning("orphan quarantined key=%s size=%d%s", blob.key, blob.size, " (dry run)" if dry_run else "")


def delete_orphan(blob: Blob) -> bool:
    """Deletes a file that was set aside; False when somebody stores the same image now.

    The row is the lock here too: while the file is deleted, a writer of the same bytes waits.
    """
    found = IMAGE.match(blob.key)
    if found is None:
        blobs().delete(blob.key)
        return True
    token = timezone.now()
    if not claim_new(found[1], Normal(b"\0", 1, 1, ""), token, Status.SWEEPING):
        return False
    blobs().delete(blob.key)
    Image.objects.filter(pk=found[1], status=Status.SWEEPING, wanted_at=token).delete()
    return True


def tidy(running: Running, *, now: datetime) -> None:
    """Deletes what was in quarantine long enough, and drafts that dead writers left."""
    for blob in quarantine.expired(quarantine.IMAGES, quarantine.DAMAGED, now=now):
        if running.counts["expired"] >= running.budget.limit or running.is_over:
            break
        running.counts["expired"] += 1
        if not running.budget.dry_run:
            blobs().delete(blob.key)
    if not running.budget.dry_run:
        running.counts["drafts"] += blobs().clear_drafts(IMAGES, before=now - AGE)
