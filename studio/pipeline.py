"""From an item to a picture: claim → ask → hold → fetch → look → store → finish.

Messages may come twice, late or never. The row decides who works (a lease, by compare-and-set). A request that may
cost money is a row of its own before its first byte is sent, and its answer is committed before anything else is done
with it: from there on nothing is paid again, whatever dies.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from catalog.models import Product
from images.blobs import BlobDamaged, BlobMissing, StorageUnavailable, blobs, image_key
from images.normalize import OverCapacity, PictureRefused

from . import allowance, storing
from .choice import by_name
from .fetching import Forbidden, NotFetched, fetch
from .models import AFTER_THE_ANSWER, MAX_ATTEMPTS, Call, Held, Item, Status, move
from .prompts import Dish, prompt_for
from .providers.base import (
    Answer,
    Asked,
    Busy,
    NotAnswered,
    NotSent,
    PromptRefused,
    Refused,
    Subject,
    Unusable,
    storable,
)  # fmt: skip

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=5)  # then 20, 80, 320 s
LONGEST_RETRY_AFTER = timedelta(minutes=15)
FETCH_SECONDS = 30.0
HOLD_SECONDS, HOLD_PAUSE = 60.0, 1.0
ADDRESS_LIVES = timedelta(hours=1)  # of a provider
UNKNOWN = "outcome_unknown"

Clock = Callable[[], datetime]


def generate(*, item_id: UUID, clock: Clock = timezone.now) -> None:
    """Make a pending item into a picture. Safe to call at any time, any number of times, by many workers."""
    item = claim(item_id, now=clock())
    if item is None:
        logger.info("item not pending item=%s", item_id)
        return
    try:
        if has_answer(item) or ask(item, clock=clock):
            complete(item, clock=clock)
    except Exception as error:  # a fault of ours after the answer: it is held, and the next pass goes on from there
        logger.exception("generating failed item=%s", item.pk)
        give_up_for_now(item, f"{type(error).__name__}: {error}", now=clock())


# --- 1. Claim ------------------------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def claim(item_id: UUID, *, now: datetime) -> Item | None:
    """Take the item for this worker, and note the call that may cost money; None when it isn't to be worked on."""
    if Item.objects.waiting(now=now).filter(pk=item_id).exists():
        return None
    if not move(item_id, Status.PENDING, Status.GENERATING, now=now, lease=uuid4()):
        return None
    item = Item.objects.select_related("owner").get(pk=item_id)
    if not has_answer(item) and not by_name(item.provider).free:
        Call.objects.create(
            pk=item.lease,  # so its answer finds it, whoever has the item by then, and if nobody has
            item=item,
            owner=item.owner,
            username=item.owner.get_username(),
            provider=item.provider,
            model=item.model,
            day=item.reserved_on or allowance.day_of(now),
            price=settings.STUDIO_PRICE,
            opened_at=now,
        )
    return item


def has_answer(item: Item) -> bool:
    """Whether the provider answered already, so that it isn't asked again."""
    return bool(item.provider_url) or Held.objects.filter(pk=item.pk).exists()


# --- 2. Ask, 3. hold -----------------------------------------------------------------------------------------------
def ask(item: Item, *, clock: Clock) -> bool:
    """Ask the provider once, and note what came of it; whether there is an answer that we hold."""
    provider = by_name(item.provider)
    if not provider.free and item.provider != settings.STUDIO_PROVIDER:  # the key in the settings isn't for this one
        return not_answered(item, Refused("The settings name another provider by now."), now=clock())
    try:
        asked = question(item)
    except StorageUnavailable as error:
        return nothing_sent(item, "storage_unavailable", error.reason, now=clock())
    except (BlobMissing, BlobDamaged):
        return nothing_sent(item, "processing_failed", "The photo to improve isn't in the storage.", now=clock())
    try:
        answer = provider.ask(asked, time.monotonic() + seconds_left(item, now=clock()))
    except NotAnswered as error:
        return not_answered(item, error, now=clock())
    return held_at_last(item, answer, clock=clock)


def seconds_left(item: Item, *, now: datetime) -> float:
    """For asking. A worker that slept through its lease has none, and sends nothing: a person may have asked again."""
    if item.lease_expires_at is None:
        raise ValueError("A worker has a lease.")
    return min(settings.STUDIO_TIMEOUT_SECONDS, (item.lease_expires_at - AFTER_THE_ANSWER - now).total_seconds())


def question(item: Item) -> Asked:
    """What is asked for an item; nothing else leaves the house.

    Raises StorageUnavailable, BlobMissing and BlobDamaged where the photo to improve can't be read.
    """
    product = item.product_id and Product.objects.select_related("category").filter(pk=item.product_id).first()
    dish, subject = None, Subject(first_line(item.prompt))
    if product:
        diets = list(product.tags.filter(kind="diet").order_by("name").values_list("name", flat=True))
        dish = Dish(product.name, product.description, product.category.name, diets)
        subject = Subject(product.name, product.category.name, product.category.color or product.color)
    source = blobs().read(image_key(item.source_id), sha256=item.source_id) if item.source_id else None
    return Asked(
        prompt=prompt_for(words=item.prompt, dish=dish, style=item.style, improving=source is not None),
        model=item.model,
        source=source,
        subject=Subject(subject.name, subject.category, subject.colour, square=item.style == "square"),
    )


def first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:60]


def held_at_last(item: Item, answer: Answer, *, clock: Clock) -> bool:
    """`hold`, also where the database was away or locked for a moment: the answer is nowhere else, and is paid for."""
    over = time.monotonic() + HOLD_SECONDS
    while True:
        try:
            return hold(item, answer, now=clock())
        except (OperationalError, InterfaceError):
            if time.monotonic() >= over:
                raise
            logger.exception("answer not held, trying again item=%s", item.pk)
            connection.close()
            time.sleep(HOLD_PAUSE)


@transaction.atomic(durable=True)
def hold(item: Item, answer: Answer, *, now: datetime) -> bool:
    """Close the call and keep what came, whoever has the item now; whether the item is there and has no picture yet."""
    close(item, Call.Status.ANSWERED, "answered", answer.request_id, answer.usage, now=now)
    there, url = Item.objects.filter(pk=item.pk, stored_at=None), str(storable(answer.url))
    if url and Held.objects.filter(pk=item.pk).exists():
        url = ""  # of a second call that somebody asked for: what the first one brought is here already
    if not there.update(provider_url=url, answered_at=now):
        return False  # it was deleted meanwhile, or a second call brought its picture
    if answer.data is not None:
        Held.objects.update_or_create(item_id=item.pk, defaults={"data": answer.data, "held_at": now})
    item.provider_url, item.answered_at = url, now
    return True


def close(item: Item, status: Call.Status, outcome: str, request_id: str, usage: Any, *, now: datetime) -> bool:
    """The call that was made under this lease; also when it was closed as unanswered before its answer came.

    Whether there was one to close: a free provider has none. One that was refused costs nothing, so the place of an
    item that was deleted meanwhile is free again.
    """
    if item.lease is None:
        raise ValueError("A worker has a lease.")
    # Locked before its call, as by who deletes it: else each would wait for the other.
    is_gone = not Item.objects.select_for_update(no_key=True).filter(pk=item.pk).exists()
    calls = Call.objects.filter(pk=item.lease, status__in=[Call.Status.OPEN, Call.Status.UNANSWERED])
    values = {
        "outcome": outcome,
        "request_id": str(storable(request_id))[:300],
        "usage": storable(usage, secret=settings.STUDIO_API_KEY),
        "closed_at": now,
    }
    if not calls.update(status=status, **values):
        return False
    if is_gone and status == Call.Status.REFUSED:
        allowance.free_place_of(item)
    return True


@transaction.atomic(durable=True)
def nothing_sent(item: Item, code: str, detail: str, *, now: datetime) -> bool:
    """It failed before the provider heard of it. Always False."""
    close(item, Call.Status.REFUSED, code, "", {}, now=now)
    return again_later(item, code, detail, pause(item.attempts), now=now)


@transaction.atomic(durable=True)
def not_answered(item: Item, error: NotAnswered, *, now: datetime) -> bool:
    """What the six ways of no answer mean for call, item and allowance. Always False: nothing came."""
    detail = str(error)

    def closed(status: Call.Status, outcome: str) -> None:
        close(item, status, outcome, error.request_id, error.usage, now=now)

    match error:
        case NotSent():
            closed(Call.Status.REFUSED, "provider_unreachable")
            again_later(item, "provider_unreachable", detail, pause(item.attempts), now=now)
        case Busy():
            closed(Call.Status.REFUSED, "provider_busy")
            wait = pause(item.attempts)
            if error.retry_after is not None:
                wait = min(timedelta(seconds=error.retry_after), LONGEST_RETRY_AFTER)
            again_later(item, "provider_busy", detail, wait, now=now)
        case PromptRefused():
            closed(Call.Status.REFUSED, "prompt_refused")
            fail(item, "prompt_refused", detail, costs_nothing=True, now=now)
        case Refused():
            closed(Call.Status.REFUSED, "provider_refused")
            fail(item, "provider_refused", detail, costs_nothing=True, now=now)
        case Unusable():
            closed(Call.Status.ANSWERED, "no_picture")
            fail(item, "no_picture", detail, now=now)
        case _:
            closed(Call.Status.UNANSWERED, UNKNOWN)
            fail(item, UNKNOWN, detail, now=now)
    return False


# --- 4. Fetch, 5. look, 6. store, 7. finish ------------------------------------------------------------------------
def complete(item: Item, *, clock: Clock) -> None:
    """From the answer that we hold to a picture that is stored and on its product. Every step may be repeated."""
    try:
        data = storing.bytes_of(item.pk)
        if data is None:
            data = fetch(item.provider_url, deadline=time.monotonic() + FETCH_SECONDS, trusted=settings.STUDIO_BASE_URL)
        looked = storing.look(data)
    except Forbidden as error:
        fail(item, "no_picture", str(error), now=clock())
        return
    except NotFetched as error:
        logger.warning("picture not fetched item=%s: %s", item.pk, error)
        storing.ready_elsewhere(item, now=clock())  # stored by a later pass
        return
    except (PictureRefused, storing.NotKept) as error:
        fail(item, "no_picture", str(error), now=clock())
        return
    except OverCapacity:
        give_up_for_now(item, "There is no memory for this picture just now.", now=clock())
        return
    try:
        key = storing.store(item, data, looked)
    except StorageUnavailable as error:
        logger.warning("picture not stored item=%s: %s", item.pk, error.reason)
        storing.keep(item, data, looked, now=clock())
        return
    storing.finish(item, looked, key=key, now=clock())


# --- Ends that aren't the good one ---------------------------------------------------------------------------------
def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5, 20, 80, 320 s."""
    return FIRST_PAUSE * 4 ** (min(attempts, MAX_ATTEMPTS) - 1)


def again_later(item: Item, code: str, detail: str, wait: timedelta, *, now: datetime) -> bool:
    """Another try by itself, or `fail` when there were enough. Always False."""
    if item.attempts >= MAX_ATTEMPTS:
        fail(item, code, detail, costs_nothing=not has_answer(item), now=now)
        return False
    reason: dict[str, Any] = {"error": code, "error_detail": detail[:500]}
    move(item.pk, Status.GENERATING, Status.PENDING, now=now, lease=item.lease, queued_until=now + wait, **reason)
    logger.warning("item waits item=%s attempts=%d error=%s", item.pk, item.attempts, code)
    return False


def give_up_for_now(item: Item, detail: str, *, now: datetime) -> None:
    """Back to pending. With an answer that we hold nobody is asked again; an open call may have been paid for."""
    if not has_answer(item) and Call.objects.filter(item_id=item.pk, status=Call.Status.OPEN).exists():
        outcome_unknown(item, detail, now=now)
    else:
        again_later(item, "processing_failed", detail, pause(item.attempts), now=now)


@transaction.atomic
def outcome_unknown(item: Item, detail: str, *, now: datetime) -> None:
    """A call was open when its worker ended: the provider may have done the work and charged for it."""
    if close(item, Call.Status.UNANSWERED, UNKNOWN, "", {}, now=now):  # else it was answered just now
        fail(item, UNKNOWN, detail, now=now)


@transaction.atomic
def fail(item: Item, code: str, detail: str, *, now: datetime, costs_nothing: bool = False) -> None:
    """The item failed, and says why; a person may try again. If nothing was paid, its place of the day is free."""
    reason: dict[str, Any] = {"error": code, "error_detail": detail[:500]}
    if not move(item.pk, Status.GENERATING, Status.FAILED, now=now, lease=item.lease, **reason):
        return
    if costs_nothing:
        allowance.give_back(item)
    logger.warning("item failed item=%s error=%s", item.pk, code)
