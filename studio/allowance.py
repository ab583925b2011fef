"""How many calls that may cost money are left today, for one user and for all. A place is reserved before anything is
queued, by one conditional update each: of twenty requests at once with one place left, one passes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

from .models import Allowance, Item

ALL = 0  # the ``owner_id`` of what all users have together


class LimitReached(Refusal):
    status, code = 429, "limit_reached"
    detail = _("No pictures that may cost money are left for today.")


@dataclass(frozen=True)
class Left:
    """Calls that are left today; None: there is no limit."""

    you: int | None
    all: int | None
    ends_at: datetime


def left(*, owner_id: int, now: datetime) -> Left:
    day, used = day_of(now), {}
    for row in Allowance.objects.filter(day=day, owner_id__in=[ALL, owner_id]):
        used[row.owner_id] = row.used

    def of(owner: int) -> int | None:
        most = limit(owner)
        return max(0, most - used.get(owner, 0)) if most else None

    return Left(of(owner_id), of(ALL), end_of(day))


def reserve(*, owner_id: int, now: datetime) -> date:
    """Takes a place of this day, which it returns. In a transaction; raises LimitReached."""
    day = day_of(now)
    for owner, scope in ((ALL, "all"), (owner_id, "you")):  # in one order, so that nobody waits in a circle
        if not take(day, owner):
            seconds = max(1, int((end_of(day) - now).total_seconds()))
            raise LimitReached(headers={"Retry-After": str(seconds)}, scope=scope)
    return day


def take(day: date, owner: int) -> bool:
    places = Allowance.objects.filter(day=day, owner_id=owner)
    free = places.filter(used__lt=most) if (most := limit(owner)) else places
    if free.update(used=F("used") + 1):
        return True
    Allowance.objects.bulk_create([Allowance(day=day, owner_id=owner)], ignore_conflicts=True)
    return bool(free.update(used=F("used") + 1))


@transaction.atomic
def give_back(item: Item) -> None:
    """What was reserved for an item is free again, once."""
    if item.reserved_on is None or not Item.objects.filter(pk=item.pk, reserved_on=item.reserved_on).update(
        reserved_on=None
    ):
        return
    free_place_of(item)


@transaction.atomic
def free_place_of(item: Item) -> None:
    """As `give_back`, for an item that is gone: nothing there says any more that it was done, so the caller knows."""
    if item.reserved_on is None:
        return
    for owner in (ALL, item.owner_id):
        Allowance.objects.filter(day=item.reserved_on, owner_id=owner, used__gt=0).update(used=F("used") - 1)


def limit(owner: int) -> int:
    """0: none."""
    return settings.STUDIO_DAILY_PICTURES_ALL if owner == ALL else settings.STUDIO_DAILY_PICTURES


def day_of(now: datetime) -> date:
    return timezone.localdate(now)  # the shop's


def end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), datetime.min.time()))
