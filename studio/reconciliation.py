"""Makes items agree with what happened, whatever died when: leases that ran out, lost messages, bytes that aren't
stored yet. A second pass changes nothing. Every action is a compare-and-set, so passes may run side by side."""

import logging
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from clocks.rows import bring_back
from images.blobs import StorageUnavailable
from images.normalize import OverCapacity, PictureRefused

from . import pipeline, storing
from .fetching import Forbidden, NotFetched, fetch
from .models import MAX_ATTEMPTS, Call, Held, Item, Status, lease_lasts, move
from .queueing import QUEUED_FOR, queue

logger = logging.getLogger(__name__)

BATCH = 100
LASTS = 20.0  # seconds; then a pass begins with no further picture


@dataclass
class Counts:
    freed: int = 0
    unknown: int = 0
    late: int = 0
    queued: int = 0
    stored: int = 0
    lost: int = 0
    expired: int = 0


def scan(*, now: datetime | None = None) -> Counts:
    """One pass over what is under way; it costs as much as there is of that, however long histories are."""
    now = now or timezone.now()
    counts = Counts()
    bring_times_back(now)
    for item in Item.objects.abandoned(now=now).order_by("lease_expires_at")[:BATCH]:
        free(item, counts, now=now)
    counts.unknown += close_calls_of_nobody(now=now)
    for item in Item.objects.answered_late(now=now).order_by("answered_at")[:BATCH]:
        counts.late += move(item.pk, Status.FAILED, Status.PENDING, now=now, error="", error_detail="")
    with transaction.atomic():
        waiting = Item.objects.unqueued(now=now).order_by("created_at").values_list("pk", flat=True)[:BATCH]
        counts.queued = queue(list(waiting), now=now)
    store_the_rest(counts, now=now)
    counts.expired = give_way(now=now)
    if any(asdict(counts).values()):
        logger.info("studio reconciled %s", " ".join(f"{name}={count}" for name, count in asdict(counts).items()))
    return counts


def bring_times_back(now: datetime) -> None:
    """What items and calls learned of a clock that was ahead."""
    bring_back(Call.objects.filter(status=Call.Status.OPEN), now=now, opened_at=timedelta())
    pending = Item.objects.filter(status=Status.PENDING)
    bring_back(pending, now=now, queued_until=max(QUEUED_FOR, pipeline.LONGEST_RETRY_AFTER), created_at=timedelta())
    bring_back(Item.objects.filter(status=Status.GENERATING), now=now, lease_expires_at=lease_lasts())
    bring_back(Item.objects.unstored(), now=now, store_after=storing.HOURLY, answered_at=timedelta())
    bring_back(Item.objects.exclude(provider_url="").filter(status=Status.READY), now=now, answered_at=timedelta())


@transaction.atomic
def free(item: Item, counts: Counts, *, now: datetime) -> None:
    """An item whose worker is gone. With an answer it goes on from there; with a call that is open nobody knows.

    One that was begun often enough may be what kills its workers, and fails.
    """
    answered = pipeline.has_answer(item)
    if not answered and Call.objects.filter(item_id=item.pk, status=Call.Status.OPEN).exists():
        pipeline.outcome_unknown(item, "Its worker stopped before the answer came.", now=now)
        counts.unknown += 1
    elif item.attempts >= MAX_ATTEMPTS:
        detail = "Its workers stopped each time that they had it."
        pipeline.fail(item, "processing_failed", detail, costs_nothing=not answered, now=now)
    elif move(item.pk, Status.GENERATING, Status.PENDING, now=now, lease=item.lease, error="", error_detail=""):
        counts.freed += 1


def close_calls_of_nobody(*, now: datetime) -> int:
    """Calls that are open for longer than a worker waits, and whose item is gone, or goes on without; how many."""
    calls = Call.objects.filter(status=Call.Status.OPEN, opened_at__lte=now - lease_lasts())
    waited_for = Item.objects.filter(pk=OuterRef("item_id"), lease=OuterRef("pk"))
    return calls.exclude(Exists(waited_for)).update(
        status=Call.Status.UNANSWERED, outcome=pipeline.UNKNOWN, closed_at=now
    )


def give_way(*, now: datetime) -> int:
    """Items forget the address of their provider when nothing is there any more and the picture is here; how many."""
    here = Q(stored_at__isnull=False) | Exists(Held.objects.filter(pk=OuterRef("pk"))) & ~Q(content_type="")
    return Item.objects.expired(now=now).filter(here).update(provider_url="")


def store_the_rest(counts: Counts, *, now: datetime) -> None:
    """Stores what is ready and isn't stored yet, while the pass lasts; a storage that fails is asked no more."""
    over = time.monotonic() + LASTS
    due = Item.objects.unstored().filter(Q(store_after=None) | Q(store_after__lte=now)).order_by("store_after")
    for item in due[:BATCH]:
        if time.monotonic() >= over or not store_later(item, counts, now=now):
            return


def store_later(item: Item, counts: Counts, *, now: datetime) -> bool:
    """One more attempt at storing; False: the storage doesn't answer."""
    later = now + storing.pause(item.store_attempts + 1)
    attempts = min(item.store_attempts + 1, 1000)
    Item.objects.filter(pk=item.pk).update(store_attempts=attempts, store_after=later)
    try:
        data = storing.bytes_of(item.pk)
        if data is None:
            data = fetch(item.provider_url, deadline=time.monotonic() + LASTS, trusted=settings.STUDIO_BASE_URL)
            if not hold(item, data, now=now):
                return True
        looked = storing.look(data)
        if not item.content_type:  # until it is stored it can be loaded from here, when we know what it is
            Item.objects.unstored().filter(pk=item.pk).update(**storing.seen(looked))
        key = storing.store(item, data, looked)
    except StorageUnavailable as error:
        logger.warning("picture not stored item=%s: %s", item.pk, error.reason)
        return False
    except (Forbidden, PictureRefused, storing.NotKept) as error:
        lose(item, str(error), counts, now=now)
        return True
    except NotFetched as error:
        if item.answered_at is None or item.answered_at + pipeline.ADDRESS_LIVES <= now:
            lose(item, str(error), counts, now=now)
        return True
    except OverCapacity:
        return True
    storing.finish(item, looked, key=key, now=now)
    counts.stored += 1
    return True


@transaction.atomic
def hold(item: Item, data: bytes, *, now: datetime) -> bool:
    """Keeps what was fetched for an item that wants to be stored; False: it is gone, or is stored."""
    if not Item.objects.unstored().filter(pk=item.pk).select_for_update(no_key=True).exists():
        return False
    Held.objects.update_or_create(item_id=item.pk, defaults={"data": data, "held_at": now})
    return True


def lose(item: Item, detail: str, counts: Counts, *, now: datetime) -> None:
    """A picture that was never stored, and whose address died; none that another pass stored just now."""
    if move(item.pk, Status.READY, Status.FAILED, now=now, error="picture_lost", error_detail=detail[:500]):
        counts.lost += 1
        logger.error("picture lost item=%s: %s", item.pk, detail)
