"""What all passes of upkeep have in common: a budget, a brake, and the row that says what the pass did."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from clocks.rows import bring_back
from images.blobs import StorageUnavailable
from images.models import Pass

logger = logging.getLogger(__name__)

KEPT = timedelta(days=90)  # so long the rows of passes can be read; the last one of each kind stays
ALWAYS = 10  # things that a pass may touch, whatever share that is: in a small shop one image is a large share

Outcome = Pass.Outcome


@dataclass(frozen=True)
class Budget:
    """How much one pass may do: seconds of work (a worker's limit is 90), and things touched."""

    seconds: float = 60
    limit: int = 1000
    percent: int = field(default_factory=lambda: settings.IMAGE_UPKEEP_MAX_PERCENT)
    dry_run: bool = False


class TooMuch(Exception):
    """This pass would touch a larger share of what it looked at than it may."""


@dataclass
class Running:
    """A pass under way. ``counts`` names what it did (in a dry run: would do)."""

    budget: Budget
    row: Pass
    counts: Counter[str]
    deadline: float

    @property
    def is_over(self) -> bool:
        """Whether the time is used up; the next pass goes on."""
        if time.monotonic() > self.deadline:
            self.row.outcome = Outcome.MORE
            return True
        return False

    def brake(self, touched: int, *, of: int, percent: int | None = None) -> None:
        """Raises ``TooMuch`` when ``touched`` is too large a share of the things that were looked at."""
        percent = self.budget.percent if percent is None else percent
        if touched > ALWAYS and touched * 100 > of * percent:
            self.counts["held_back"] = touched
            raise TooMuch(f"{touched} of {of}")

    def checkpoint(self, cursor: str) -> None:
        """Notes how far the pass came; the next pass goes on there."""
        if not self.budget.dry_run:
            self.row.cursor = cursor
        self.row.counts = dict(self.counts)
        self.row.save()


@contextmanager
def passing(kind: Pass.Kind, budget: Budget) -> Iterator[Running]:
    """Records one pass, however it ends. ``StorageUnavailable`` and ``TooMuch`` end it early and go no further."""
    bring_back(Pass.objects.filter(kind=kind), now=timezone.now(), started_at=timedelta(), ended_at=timedelta())
    before = Pass.objects.filter(kind=kind, is_dry_run=False).order_by("-started_at", "-pk").first()
    row = Pass.objects.create(kind=kind, is_dry_run=budget.dry_run, cursor=before.cursor if before else "")
    running = Running(budget, row, Counter(), time.monotonic() + budget.seconds)
    try:
        yield running
        if row.outcome == Outcome.RUNNING:
            row.outcome = Outcome.DONE
    except StorageUnavailable as error:
        logger.warning("image %s stopped, the next one goes on: %s", kind, error.reason)
        row.outcome = Outcome.UNAVAILABLE
    except TooMuch as error:
        logger.error("image %s stopped before it touched %s", kind, error)
        row.outcome = Outcome.TOO_MUCH
    except BaseException:
        row.outcome = Outcome.FAILED
        raise
    finally:
        row.ended_at = timezone.now()
        row.counts = dict(running.counts)
        row.save()
        counts = " ".join(f"{name}={number}" for name, number in sorted(running.counts.items()))
        logger.info("image %s%s: %s %s", kind, " (dry run)" if budget.dry_run else "", row.outcome, counts)
        Pass.objects.filter(kind=kind, started_at__lt=row.started_at - KEPT).delete()
