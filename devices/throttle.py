"""Limited tries at a secret. Counted in the database: all processes count together, with or without Redis.

``admit`` before a try and ``clear`` after a right one is strict, also for tries at the same moment.
``too_many`` before and ``record`` after a wrong one costs right tries nothing, and lets as many slip through
as run at once.
"""

from datetime import timedelta
from math import ceil

from django.db import transaction
from django.utils import timezone

from .models import FailedTry

KEPT = timedelta(days=1)  # no window is longer


def too_many(*, key: str, limit: int, window_s: int) -> int:
    """Seconds to wait when ``key`` failed at least ``limit`` times in the last ``window_s``, else 0."""
    now = timezone.now()
    since = now - timedelta(seconds=window_s)
    tries = FailedTry.objects.filter(key=key, at__gt=since).order_by("-at", "-id")
    decisive = tries.values_list("at", flat=True)[limit - 1 : limit].first()
    if decisive is None:
        return 0
    return min(max(ceil((decisive - since).total_seconds()), 1), window_s)


def record(*, key: str) -> None:
    """Count one failed try of ``key``."""
    _add(key)


def admit(*, key: str, limit: int, window_s: int) -> int:
    """Count a try of ``key`` before its outcome is known; 0 when it may go ahead, else seconds to wait.

    Never lets more than ``limit`` through in a window: a row is committed before rows are counted, so whoever
    commits later sees it. A try that has to wait isn't counted. Refuses to run inside a transaction.
    """
    mine = _add(key)
    if wait := too_many(key=key, limit=limit + 1, window_s=window_s):
        mine.delete()
    return wait


def clear(*, key: str) -> None:
    """Forget the failed tries of ``key``."""
    FailedTry.objects.filter(key=key).delete()


@transaction.atomic(durable=True)
def _add(key: str) -> FailedTry:
    now = timezone.now()
    FailedTry.objects.filter(at__lt=now - KEPT).order_by().delete()
    return FailedTry.objects.create(key=key, at=now)
