"""Times that rows got while the clock was ahead: they count as now, since nothing has happened in the future."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

logger = logging.getLogger(__name__)

SKEW = timedelta(minutes=5)  # by which the clocks of several machines may differ
# This code is younger. A machine without a battery for its clock starts in 1970; then it isn't the rows that are wrong.
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)


def is_set(now: datetime) -> bool:
    """Whether the clock can be right."""
    return now >= EARLIEST


def bring_back(rows: QuerySet[Any], *, now: datetime, **most: timedelta) -> int:
    """Brings times of ``rows`` back that lie further ahead than they can; returns how many.

    ``most`` names columns, each with how far ahead of now its time may lie when it is written. A time beyond that, and
    beyond the skew of clocks, becomes what it would be if it were written now. Nothing is written when all is well, and
    nothing at all while the clock itself can't be right.
    """
    if not is_set(now):
        return 0
    beyond = {name: Q(**{f"{name}__gt": now + ahead + SKEW}) for name, ahead in most.items()}
    found = Q()
    for condition in beyond.values():
        found |= condition
    if not rows.filter(found).order_by().exists():
        return 0
    brought = sum(
        rows.filter(condition).order_by().update(**{name: now + most[name]}) for name, condition in beyond.items()
    )
    logger.warning("%d times of %s lay ahead of the clock; they count as now", brought, rows.model._meta.verbose_name)
    return brought
