"""Transactions of writers that come from outside: retried once when another writer was in the way."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

T = TypeVar("T")

DEADLOCK, NOT_SERIALIZABLE = "40P01", "40001"
# The other writer goes on meanwhile: a second try at once may take the very lock that it is waking up for.
PAUSE_SECONDS = (0.02, 0.1)


class Contended(Refusal):
    status, code = 409, "conflict"
    detail = _("This contradicts what is stored, or what somebody else wrote at the same moment.")


def run_in_transaction(verb: Callable[[], T], *, again: Callable[[], T] | None = None) -> T:
    """What ``verb`` returns, committed; refuses to run inside another transaction. ``verb`` may run twice.

    Raises Contended when it failed twice because of other writers, or of a constraint. The second try is ``again`` if
    given, which asks about constraints before it writes. What another writer committed is visible to it, so it fails
    with its own, better error.
    """
    try:
        return _committed(verb)
    except (IntegrityError, OperationalError) as error:
        if not is_contention(error):
            raise
        if not isinstance(error, IntegrityError):
            time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - spreads writers, keeps no secret
    try:
        return _committed(again or verb)
    except (IntegrityError, OperationalError) as error:
        if not is_contention(error):
            raise
        raise Contended from error


def _committed(verb: Callable[[], T]) -> T:
    with transaction.atomic(durable=True):
        return verb()


def is_contention(error: IntegrityError | OperationalError) -> bool:
    """Whether another writer is the cause: a deadlock, or a constraint that it broke first.

    That SQLite's only writer is busy isn't one: it was waited for, nothing was read, and the same may go well later.
    """
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, IntegrityError) or sqlstate in (DEADLOCK, NOT_SERIALIZABLE)
