"""Limited tries at a secret. They are counted in the database: all processes count together, with or without Redis.

A wrong try is counted before its caller hears that it was wrong, and tries of one key hear it one after the other. So
in any window at most ``limit.wrong`` of them are told so, however many come at the same moment; the others learn
nothing about their secret. A right try is never counted, and waits for others at most as long as writing them takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TypeVar

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import ngettext

from refusals import Refusal

from .models import FailedTry

KEPT = timedelta(days=1)  # no window is longer
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``wrong`` tries within ``seconds``."""

    wrong: int
    seconds: int


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


def check(*, key: str, limit: Limit) -> None:
    """Raises Throttled when ``key`` may not be tried now. Cheap; ask it before a look at the secret that isn't."""
    now = timezone.now()
    since = now - timedelta(seconds=limit.seconds)
    tries = FailedTry.objects.filter(key=key, at__gt=since).order_by("-at", "-id").values_list("at", flat=True)
    if decisive := tries[limit.wrong - 1 : limit.wrong].first():
        wait = ceil((decisive - since).total_seconds())
        raise Throttled(min(max(wait, 1), limit.seconds))


def attempt(look: Callable[[], Found | None], *, key: str, limit: Limit) -> Found | None:
    """What ``look`` finds by the secret. None means that the secret is wrong, which is counted.

    Raises Throttled, without a look, when ``key`` may not be tried now. ``look`` runs in a transaction in which no
    other try of ``key`` runs (on SQLite nobody writes meanwhile), so it has to be quick. Refuses to run inside another
    transaction, whose rollback would forget the wrong try.
    """
    check(key=key, limit=limit)  # who may not try doesn't wait for SQLite's writer
    with transaction.atomic(durable=True):
        _stand_in_line(key)
        check(key=key, limit=limit)
        found = look()
        if found is None:
            now = timezone.now()
            FailedTry.objects.filter(at__lt=now - KEPT).order_by().delete()
            FailedTry.objects.create(key=key, at=now)
    return found


def forgive(*, key: str) -> None:
    """Forget the wrong tries of ``key``."""
    FailedTry.objects.filter(key=key).delete()


def _stand_in_line(key: str) -> None:
    """Wait for other tries of ``key``, to the end of the transaction. On SQLite the transaction itself has waited."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"throttle:{key}"])
