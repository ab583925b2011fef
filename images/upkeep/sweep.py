"""Deletes images that nobody refers to any more, after a grace period: bytes first, the row last."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.deletion import ProtectedError
from django.db.utils import IntegrityError
from django.utils import timezone

from clocks.rows import bring_back
from images.identity import must_be_ours
from images.models import Image, Pass
from images.references import is_referred_to, unreferenced
from images.store import SWEEP_LEASE, claim_sweep, finish_sweep, take_over

from .passes import Budget, Outcome, Running, passing

logger = logging.getLogger(__name__)

STALE = timedelta(hours=1)  # no writer works so long on one picture
BATCH = 1000  # rows that are marked in one transaction
# The share of the store that one sweep may delete. It is larger than that of other passes, because a season's change of
# pictures is normal. Where nobody refers to most of the images any more, the catalogue was rather lost.
MOST_PERCENT = 50

Status = Image.Status


def sweep(*, grace: timedelta | None = None, stale: timedelta = STALE, budget: Budget | None = None) -> Pass:
    """Deletes images that for ``grace`` (a setting) nobody referred to and nobody wanted.

    First it finishes or undoes what dead processes left ``storing`` or ``sweeping``. It deletes nothing else where most
    of the store would go, in this pass and the next ones. Counts: ``finished`` (removed) and ``given_back`` of those;
    ``marked`` (unreferenced from now on), ``unmarked``; ``swept``; ``skipped`` (wanted again meanwhile); ``held_back``.
    """
    budget = budget or Budget()
    grace = timedelta(days=settings.IMAGE_GRACE_DAYS) if grace is None else grace
    now = timezone.now()
    with passing(Pass.Kind.SWEEP, budget) as running:
        must_be_ours()
        bring_back(Image.objects.all(), now=now, wanted_at=timedelta(), unreferenced_since=timedelta())
        finish_what_was_left(running, now=now, stale=stale)
        mark(running, now=now)
        cutoff = now - grace
        old = unreferenced().filter(status=Status.STORED, wanted_at__lt=cutoff, unreferenced_since__lt=cutoff)
        running.brake(old.count(), of=Image.objects.count(), percent=max(MOST_PERCENT, budget.percent))
        names = list(old.order_by("unreferenced_since", "pk").values_list("pk", flat=True)[: budget.limit + 1])
        for name in names[: budget.limit]:
            if running.is_over:
                break
            token = timezone.now()
            if budget.dry_run:
                running.counts["swept"] += 1
            elif claim_sweep(name, cutoff=cutoff, token=token):
                finish(running, name, token, "swept", "skipped")
            else:
                running.counts["skipped"] += 1
        if len(names) > budget.limit:
            running.row.outcome = Outcome.MORE
    return running.row


def finish_what_was_left(running: Running, *, now: datetime, stale: timedelta) -> None:
    """Rows whose writer or sweeper died: removes them where nobody refers to them, else gives them back."""
    left = Image.objects.filter(status=Status.SWEEPING, wanted_at__lt=now - max(stale, SWEEP_LEASE))
    left |= Image.objects.filter(status=Status.STORING, wanted_at__lt=now - stale)
    for row in left.order_by("wanted_at", "pk")[: running.budget.limit]:
        if running.is_over:
            break
        token = timezone.now()
        if running.budget.dry_run:
            running.counts["finished"] += 1
        elif take_over(row, token, Status.SWEEPING):
            finish(running, row.pk, token, "finished", "given_back")


def finish(running: Running, name: str, token: datetime, gone: str, stays: str) -> None:
    """Finishes the deletion of a claimed row and counts what became of it: ``gone`` or ``stays``."""
    try:
        running.counts[gone if finish_sweep(name, token) else stays] += 1
    except (ProtectedError, IntegrityError):
        logger.exception("image %s was referred to while it was deleted; the next pass looks what became of it", name)
        running.counts["skipped"] += 1


def mark(running: Running, *, now: datetime) -> None:
    """Notes since when nobody refers to an image; its grace period begins here, not when it was stored."""
    again = Image.objects.filter(is_referred_to(), unreferenced_since__isnull=False)
    unmarked = again.count() if running.budget.dry_run else again.update(unreferenced_since=None)
    fresh = unreferenced().filter(status=Status.STORED, unreferenced_since=None)
    marked = fresh.count() if running.budget.dry_run else 0
    while not running.budget.dry_run and not running.is_over:
        with transaction.atomic():
            names = list(fresh.order_by("pk").values_list("pk", flat=True)[:BATCH])
            # Asked again in the update: a reference may have come in between.
            marked += fresh.filter(pk__in=names).update(unreferenced_since=now)
        if len(names) < BATCH:
            break
    running.counts.update({"marked": marked, "unmarked": unmarked})
