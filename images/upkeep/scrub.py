"""Compares the bytes of stored images with their hashes: in each pass a share of them, the longest unchecked first."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from clocks.rows import bring_back
from images.blobs import BlobDamaged, BlobMissing, blobs, derived_keys, image_key
from images.identity import must_be_ours
from images.models import Image, Pass
from images.store import Status, claim_stored, give_back
from normalform import is_normal_form

from .passes import Budget, Outcome, Running, passing

PASSES_A_DAY = 24
FEWEST = 50  # images in a pass, also of a small store
BATCH = 100  # images whose check is noted at once: what a killed pass loses


def scrub(*, budget: Budget | None = None, everything: bool = False) -> Pass:
    """Re-hashes so many stored images that within ``IMAGE_SCRUB_DAYS`` each is checked once; or all of them.

    An image that is wrong is marked as damaged, its bytes are set aside, and ``missing`` names it from then on: whoever
    uploads the same picture again repairs it. Counts: ``checked``; newly ``damaged`` and ``lost`` (no bytes);
    ``still_damaged``; ``sound_again``; ``copies_dropped`` (derivatives in the local folder that don't decode: they are
    made again).
    """
    budget = budget or Budget()
    with passing(Pass.Kind.SCRUB, budget) as running:
        must_be_ours()
        number = Image.objects.filter(status=Status.STORED).count()
        wrong = look(running, number if everything else share_of(number))
        newly = [image for image in wrong if image.damaged_at is None]
        running.brake(len(newly), of=running.counts["checked"])
        for image in wrong[: budget.limit]:
            recheck(image, dry_run=budget.dry_run)
        if len(wrong) > budget.limit:
            running.row.outcome = Outcome.MORE
    return running.row


def look(running: Running, limit: int) -> list[Image]:
    """Checks up to ``limit`` images, the longest unchecked first; returns those whose mark isn't true any more."""
    began = timezone.now()
    bring_back(Image.objects.filter(status=Status.STORED), now=began, checked_at=timedelta())
    unchecked = Image.objects.filter(status=Status.STORED).exclude(checked_at__gte=began)
    oldest = unchecked.order_by(F("checked_at").asc(nulls_first=True), "pk")
    wrong: list[Image] = []
    while (left := limit - running.counts["checked"]) > 0:
        # A checked row leaves the front of the order, except those in `wrong` and, in a dry run, all.
        passed = running.counts["checked"] if running.budget.dry_run else len(wrong)
        batch = list(oldest[passed : passed + min(BATCH, left)])
        if not batch:
            break
        done: list[Image] = []
        for image in batch:
            if running.is_over:
                break
            (wrong if is_wrongly_marked(image, running) else done).append(image)
        if not running.budget.dry_run:  # the checkpoint
            Image.objects.filter(pk__in=[image.pk for image in done]).update(checked_at=timezone.now())
        if running.row.outcome == Outcome.MORE:
            break
    return wrong


def is_wrongly_marked(image: Image, running: Running) -> bool:
    """Whether ``damaged_at`` disagrees with the bytes. Raises ``StorageUnavailable``: then nothing is known of them."""
    running.counts["checked"] += 1
    trouble = trouble_with(image)
    if image.damaged_at is not None:
        running.counts["still_damaged" if trouble else "sound_again"] += 1
        return not trouble
    if trouble:
        running.counts[trouble] += 1
        return True
    running.counts["copies_dropped"] += check_derivatives(image.pk, dry_run=running.budget.dry_run)
    return False


def share_of(number: int) -> int:
    """How many images one pass checks when ``number`` are stored."""
    return max(FEWEST, -(-number // (settings.IMAGE_SCRUB_DAYS * PASSES_A_DAY)))


def trouble_with(image: Image) -> str:
    """``lost``, ``damaged``, or empty. Raises ``StorageUnavailable``: then nothing is known of the image."""
    try:
        blobs().read(image_key(image.pk), sha256=image.pk)
    except BlobMissing:
        return "lost"
    except BlobDamaged:
        return "damaged"
    return ""


def recheck(image: Image, *, dry_run: bool) -> None:
    """Takes the row out of use, checks its bytes once more, and gives it back marked as they are."""
    token = timezone.now()
    if not dry_run and claim_stored(image.pk, token, Status.SWEEPING):
        give_back(image.pk, token)


def check_derivatives(name: str, *, dry_run: bool) -> int:
    """Deletes derivatives on the local disk that don't decode, and counts them; a bucket checks its own bytes."""
    dropped = 0
    for key in derived_keys(name):
        path = blobs().path(key)
        if path is None or not path.exists() or is_picture(key):
            continue
        dropped += 1
        if not dry_run:
            blobs().delete(key)
    return dropped


def is_picture(key: str) -> bool:
    data = blobs().read(key)
    if key.endswith(".jpg"):
        return is_normal_form(data)
    return data[:4] == b"RIFF" and len(data) == 8 + int.from_bytes(data[4:8], "little")
