"""Limited tries at a secret. They are counted in the database: all processes count together, with or without Redis.

A wrong try is counted before its caller hears that it was wrong, and tries of one key hear it one after the other. So
in any window at most ``limit.wrong`` of them are told so, however many come at the same moment; the others learn
nothing about their secret. A right try is never counted, and waits for others at most as long as writing them takes.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import ClassVar, TypeVar

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from refusals import Refusal

from .models import FailedTry

KEPT = timedelta(days=1)  # no window is longer
SKEW = timedelta(minutes=1)  # of the clocks of several machines; what was tried later still was tried on a wrong clock
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``wrong`` tries within ``seconds``."""

    wrong: int
    seconds: int

    def wait(self, tries: Sequence[datetime], now: datetime) -> float:
        """Seconds until the next try, 0 or less for none; ``tries`` were wrong, the newest first."""
        if len(tries) < self.wrong:
            return 0
        return min(self.seconds - (now - tries[self.wrong - 1]).total_seconds(), self.seconds)


@dataclass(frozen=True, slots=True)
class Pauses:
    """After ``free`` wrong tries of a day each has to wait, twice as long as the one before; in seconds."""

    free: int
    first: int
    most: int
    seconds: ClassVar[int] = 24 * 3600

    def wait(self, tries: Sequence[datetime], now: datetime) -> float:
        """As that of `Limit`."""
        over = len(tries) - self.free
        if over < 0:
            return 0
        return min(self.first * 2 ** min(over, 30), self.most) - (now - tries[0]).total_seconds()


Limits = Mapping[str, Limit | Pauses]
NOTHING: Limits = {}


class Throttled(Refusal):
    status, code = 429, "throttled"

    def __init__(self, wait: int) -> None:
        """``wait`` is in seconds, at least 1."""
        self.retry_after = wait
        said = ngettext(
            "Request was throttled. Expected available in {wait} second.",
            "Request was throttled. Expected available in {wait} seconds.",
            wait,
        )
        super().__init__(said.format(wait=wait))


def check(*, key: str, limit: Limit | Pauses, beside: Limits = NOTHING) -> None:
    """Raises Throttled when ``key``, or one of those ``beside`` it, may not be tried now.

    One statement. Ask it before a look at the secret that isn't as cheap.
    """
    now, limits = timezone.now(), {**beside, key: limit}
    since = now - timedelta(seconds=max(one.seconds for one in limits.values()))
    rows = FailedTry.objects.filter(key__in=limits, at__gt=since, at__lte=now).order_by("-at", "-id")
    tries: dict[str, list[datetime]] = {name: [] for name in limits}
    for name, at in rows.values_list("key", "at"):
        if at > now - timedelta(seconds=limits[name].seconds):
            tries[name].append(at)
    wait = max(one.wait(tries[name], now) for name, one in limits.items())
    if wait > 0:
        raise Throttled(max(ceil(wait), 1))


def attempt(
    look: Callable[[], Found | None], *, key: str, limit: Limit | Pauses, beside: Limits = NOTHING
) -> Found | None:
    """What ``look`` finds by the secret. None means that the secret is wrong, which is counted, for each key.

    Raises Throttled, without a look, when a key may not be tried now. ``look`` runs in a transaction in which no other
    try of one of the keys runs (on SQLite nobody writes meanwhile), so it has to be quick. Refuses to run inside
    another transaction, whose rollback would forget the wrong try.
    """
    check(key=key, limit=limit, beside=beside)  # who may not try doesn't wait for SQLite's writer
    with transaction.atomic(durable=True):
        for name in sorted({key, *beside}):
            _stand_in_line(name)
        check(key=key, limit=limit, beside=beside)
        found = look()
        if found is None:
            now = timezone.now()
            FailedTry.objects.filter(Q(at__lt=now - KEPT) | Q(at__gt=now + SKEW)).order_by().delete()
            FailedTry.objects.bulk_create(FailedTry(key=name, at=now) for name in {key: limit, **beside})
    return found


def network(address: str) -> str:
    """What counts as one address: of IPv6 the first half, since a client chooses the rest."""
    with suppress(ValueError):
        if (found := ip_address(address)).version == 6:
            return str(ip_network((found, 64), strict=False))
    return address[:100]


def forgive(*, key: str) -> None:
    """Forget the wrong tries of ``key``."""
    FailedTry.objects.filter(key=key).delete()


def _stand_in_line(key: str) -> None:
    """Wait for other tries of ``key``, to the end of the transaction. On SQLite the transaction itself has waited."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"throttle:{key}"])
