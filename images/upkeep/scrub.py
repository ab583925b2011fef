"""Are the bytes still those of their name? The longest unchecked first, a share of the store in each pass."""

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from images.blobs import BlobDamaged, BlobMissing, blobs, derived_keys, image_key
from images.models import Image, Pass
from images.store import Status, claim_stored, give_back
from normalform import is_normal_form

from .passes import Budget, Outcome, Running, passing

PASSES_A_DAY = 24
FEWEST = 50  # images in a pass, also of a small store
BATCH = 100  # images whose check is noted at once: what a killed pass loses


def scrub(*, budget: Budget | None = None, everything: bool = False) -> Pass:
    """Re-hashes stored images, so many that within ``IMAGE_SCRUB_DAYS`` each has had its turn; or everything.

    What is wrong is marked, its bytes are set aside, and ``missing`` asks for it: whoever uploads the same picture
    again repairs it. Counts: ``checked``; newly ``damaged`` and ``lost`` (no bytes); ``still_damaged``;
    ``sound_again``; ``copies_dropped`` (derivatives in the local folder that don't decode: they are made again).
    """
    budget = budget or Budget()
    with passing(Pass.Kind.SCRUB, budget) as running:
        number = Image.objects.filter(status=Status.STORED).count()
        wrong = look(running, number if everything else share_of(number))
        newly = [image for image in wrong if image.damaged_at is None]
        running.brake(len(newly), of=running.counts["checked"])
        for image in wrong[: budget.limit]:
            settle(image, dry_run=budget.dry_run)
        if len(wrong) > budget.limit:
            running.row.outcome = Outcome.MORE
    return running.row


def look(running: Running, limit: int) -> list[Image]:
    """Reads so many images, the longest unchecked first, and returns those whose mark isn't true: to be settled."""
    began = timezone.now()
    unchecked = Image.objects.filter(status=Status.STORED).exclude(checked_at__gte=began)
    oldest = unchecked.order_by(F("checked_at").asc(nulls_first=True), "pk")
    wrong: list[Image] = []
    while (left := limit - running.counts["checked"]) > 0:
        # What was found sound is noted and so out of the way; the others stay before the rest.
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
    """Whether the row says of its bytes what isn't so. Raises ``StorageUnavailable``, which says nothing of either."""
    running.counts["checked"] += 1
    trouble = trouble_with(image)
    if image.damaged_at is not None:
        running.counts["still_damaged" if trouble else "sound_again"] += 1
        return not trouble
    if trouble:
        running.counts[trouble] += 1
        return True
    running.counts["copies_dropped"] += check_copies(image.pk, dry_run=running.budget.dry_run)
    return False


def share_of(number: int) -> int:
    """How many of so many images one pass takes."""
    return max(FEWEST, -(-number // (settings.IMAGE_SCRUB_DAYS * PASSES_A_DAY)))


def trouble_with(image: Image) -> str:
    """``lost``, ``damaged``, or empty. Raises ``StorageUnavailable``, which says nothing about the image."""
    try:
        blobs().read(image_key(image.pk), sha256=image.pk)
    except BlobMissing:
        return "lost"
    except BlobDamaged:
        return "damaged"
    return ""


def settle(image: Image, *, dry_run: bool) -> None:
    """Takes the row out of use, looks once more, and gives it back as its bytes are."""
    token = timezone.now()
    if not dry_run and claim_stored(image.pk, token, Status.SWEEPING):
        give_back(image.pk, token)


def check_copies(name: str, *, dry_run: bool) -> int:
    """Deletes narrower copies on the local disk that are no pictures any more; a bucket checks its own bytes."""
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
