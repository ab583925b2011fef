"""What is not needed any more goes: bytes first, the row last, so much in one pass."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import ProtectedError
from django.db.utils import IntegrityError
from django.utils import timezone

from images.blobs import StorageUnavailable
from images.models import Image
from images.store import SWEEP_LEASE, claim_sweep, finish_sweep, take_over, unreferenced

log = logging.getLogger(__name__)

GRACE = timedelta(days=30)  # an image that nobody refers to stays for so long after it was last wanted
STALE = timedelta(hours=1)  # no writer works so long on one picture
BUDGET = timedelta(seconds=60)  # of one pass; the worker's soft limit is 90

Status = Image.Status


@dataclass
class Pass:
    """What one pass did. ``skipped``: wanted again meanwhile; ``unknown``: the storage didn't answer."""

    swept: int = 0
    finished: int = 0
    skipped: int = 0
    unknown: int = 0


def delete_unreferenced(
    *, older_than: timedelta = GRACE, limit: int = 1000, stale: timedelta = STALE, budget: timedelta = BUDGET
) -> Pass:
    """Sweeps at most ``limit`` images that nobody refers to and nobody wanted for ``older_than``.

    Rows that a dead process left ``storing`` or ``sweeping`` are finished first. Running twice at once is harmless.
    """
    done = Pass()
    deadline = time.monotonic() + budget.total_seconds()
    now = timezone.now()
    left = Image.objects.filter(status=Status.SWEEPING, wanted_at__lt=now - max(stale, SWEEP_LEASE))
    left |= Image.objects.filter(status=Status.STORING, wanted_at__lt=now - stale)
    for row in left.order_by("wanted_at")[:limit]:
        token = timezone.now()
        if take_over(row, token, Status.SWEEPING) and not sweep(row.pk, token, done, finished=True):
            return report(done)
    candidates = unreferenced().filter(status=Status.STORED, wanted_at__lt=now - older_than)
    for name in candidates.order_by("wanted_at").values_list("pk", flat=True)[:limit]:
        if time.monotonic() > deadline:
            break
        token = timezone.now()
        if not claim_sweep(name, cutoff=now - older_than, token=token):
            done.skipped += 1
        elif not sweep(name, token, done, finished=False):
            break
    return report(done)


def sweep(name: str, token: datetime, done: Pass, *, finished: bool) -> bool:
    """Finishes a claimed row and counts it; False when the storage doesn't answer and the pass had better end."""
    try:
        gone = finish_sweep(name, token)
    except StorageUnavailable as error:
        log.warning("image %s stays half deleted until the storage answers: %s", name, error)
        done.unknown += 1
        return False
    except (ProtectedError, IntegrityError):
        log.exception("image %s was referred to while it was deleted", name)
        done.skipped += 1
        return True
    if not gone:
        done.skipped += 1
    elif finished:
        done.finished += 1
    else:
        done.swept += 1
    return True


def report(done: Pass) -> Pass:
    log.info(
        "images swept %d, finished %d, skipped %d, unknown %d", done.swept, done.finished, done.skipped, done.unknown
    )
    return done
