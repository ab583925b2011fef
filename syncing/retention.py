"""Pruning the change log: the horizon moves first, in a commit of its own; then rows below it go."""

import datetime as dt
import logging

from django.db import transaction

from clocks.rows import bring_back

from .models import Change, SyncedResource

logger = logging.getLogger(__name__)

ROWS_PER_DELETE = 5000
# What one pass forgets at most of a resource's log: a clock that is ahead for a while costs so much of it, not all.
LARGEST_SHARE = 0.1
ALWAYS = 5  # rows, whatever share that is
NO_LIMIT_DAYS = 365_000  # a thousand years: older than any change, and still a date


def age(days: float) -> dt.timedelta:
    """So many days. More of them than there are dates mean no limit by age."""
    return dt.timedelta(days=min(days, NO_LIMIT_DAYS))


def prune(
    *, older_than: dt.timedelta, more_than: int, now: dt.datetime, share: float = LARGEST_SHARE
) -> dict[str, int]:
    """Forget changes older than ``older_than`` and all but the newest ``more_than`` of each resource.

    At most ``share`` of a resource's changes are forgotten (a few in any case); the next pass goes on. A terminal that
    is below the new horizon refetches; the others notice nothing. Two runs at once do no harm, and the next run
    finishes what a killed one has left. Returns the number of deleted rows by resource.
    """
    deleted = {}
    for name in SyncedResource.objects.order_by("name").values_list("name", flat=True):  # private ones too
        move_horizon(name, older_than=older_than, more_than=more_than, now=now, share=share)
        deleted[name] = delete_below_horizon(name)
    said = " ".join(f"{name}={count}" for name, count in deleted.items() if count)
    logger.info("pruned the change log: %s", said or "nothing")
    return deleted


@transaction.atomic(durable=True)
def move_horizon(name: str, *, older_than: dt.timedelta, more_than: int, now: dt.datetime, share: float = 1.0) -> None:
    """The first half of a prune: from here on no terminal is served from below the horizon."""
    resource = SyncedResource.objects.get(name=name)
    too_old = resource.version if (kept := oldest_kept(name, older_than, now)) is None else kept - 1
    horizon = max(too_old, resource.version - more_than)
    horizon = min(horizon, resource.horizon + max(ALWAYS, int((resource.version - resource.horizon) * share)))
    SyncedResource.objects.filter(name=name, horizon__lt=horizon).update(horizon=horizon)


def oldest_kept(name: str, older_than: dt.timedelta, now: dt.datetime) -> int | None:
    """The version of the oldest change that isn't older; None when all are. Times that lie ahead become ``now``."""
    rows = Change.objects.filter(resource=name).order_by("version")
    # In version order, with which times rise: so it reads no more rows than there are to prune.
    found = rows.filter(at__gte=now - older_than).values_list("version", "at").first()
    if found and found[1] > now:
        bring_back(rows.filter(version__gte=found[0]), now=now, at=dt.timedelta())
    return found[0] if found else None


def delete_below_horizon(name: str) -> int:
    """The second half, which may come much later: the rows that nobody reads any more. Returns how many they were."""
    horizon = SyncedResource.objects.values_list("horizon", flat=True).get(name=name)
    total = 0
    while True:
        doomed = Change.objects.filter(resource=name, version__lte=horizon).order_by("version")
        last = list(doomed.values_list("version", flat=True)[:ROWS_PER_DELETE])
        if not last:
            return total
        total += Change.objects.filter(resource=name, version__lte=last[-1]).delete()[0]
