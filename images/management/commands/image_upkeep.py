"""``manage.py image_upkeep``: one pass of what the worker does by itself, now."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from images.models import Pass
from images.upkeep.orphans import quarantine_orphans
from images.upkeep.passes import Budget
from images.upkeep.scrub import scrub
from images.upkeep.sweep import sweep

PASSES: dict[str, Callable[..., Pass]] = {"sweep": sweep, "scrub": scrub, "orphans": quarantine_orphans}


class Command(BaseCommand):
    help = "Look after the stored pictures now: sweep (unused), scrub (bit rot), orphans (files without record)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=PASSES)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--limit", type=int, default=Budget.limit, help="things touched at most (%(default)s)")
        parser.add_argument("--seconds", type=float, default=Budget.seconds, help="time spent (%(default)s)")
        parser.add_argument(
            "--max-percent",
            type=int,
            default=settings.IMAGE_UPKEEP_MAX_PERCENT,
            help="stop when more than this share would be touched (%(default)s); 100 never stops",
        )
        parser.add_argument("--everything", action="store_true", help="scrub: all pictures, not only the next share")

    def handle(self, *args: Any, what: str, everything: bool, **options: Any) -> None:
        budget = Budget(
            seconds=options["seconds"],
            limit=options["limit"],
            percent=options["max_percent"],
            dry_run=options["dry_run"],
        )
        if everything and what != "scrub":
            raise CommandError("--everything belongs to scrub.")
        done = scrub(budget=budget, everything=True) if everything else PASSES[what](budget=budget)
        for name, number in done.counts.items():
            if number:
                self.stdout.write(f"{name}: {number}")
        outcome = done.get_outcome_display()  # a label, which begins a sentence elsewhere
        said = f"{what}{' (dry run)' if budget.dry_run else ''}: {outcome[0].lower()}{outcome[1:]}"
        if done.outcome in (Pass.Outcome.TOO_MUCH, Pass.Outcome.UNAVAILABLE):
            raise CommandError(said)
        self.stdout.write(said)
