"""How a write enters from outside: in a transaction of its own, and once more when another writer was in the way."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

T = TypeVar("T")

DEADLOCK, NOT_SERIALIZABLE = "40P01", "40001"
# For whoever was in the way to go on: at once, the second try may take the lock that he was just waking up for.
PAUSE_SECONDS = (0.02, 0.1)


class Contended(Exception):
    """Another writer was in the way twice."""


def in_one_go(verb: Callable[[], T]) -> T:
    """What ``verb`` returns, committed. Raises Contended when it failed twice by the doing of others.

    A broken promise of the database counts as the doing of others, since the verbs check before they write:
    whoever was faster is visible to the second try, which then fails with its own, better error.
    """
    try:
        return _committed(verb)
    except (IntegrityError, OperationalError) as error:
        if not is_contention(error):
            raise
        time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - spreads writers, keeps no secret
    try:
        return _committed(verb)
    except (IntegrityError, OperationalError) as error:
        if not is_contention(error):
            raise
        raise Contended from error


def _committed(verb: Callable[[], T]) -> T:
    with transaction.atomic(durable=True):
        return verb()


def is_contention(error: IntegrityError | OperationalError) -> bool:
    """Whether another writer is the cause: a deadlock, a lock not to be had, a promise that he broke first."""
    cause = error.__cause__
    return (
        isinstance(error, IntegrityError)
        or getattr(cause, "sqlstate", None) in (DEADLOCK, NOT_SERIALIZABLE)
        or getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    )
