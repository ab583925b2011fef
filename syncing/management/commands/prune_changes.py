from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from syncing import retention


class Command(BaseCommand):
    help = "Forget old changes of the log now; terminals that were away for longer refetch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=float,
            default=settings.CHANGE_RETENTION_DAYS,
            help="forget what is older (%(default)s); inf: no limit by age",
        )
        parser.add_argument(
            "--rows",
            type=int,
            default=settings.CHANGE_RETENTION_ROWS,
            help="keep at most so many newest changes of each resource (%(default)s)",
        )

    def handle(self, *args: Any, days: float, rows: int, **options: Any) -> None:
        if not days > 0:  # nan is not, either
            raise CommandError("--days must be more than 0, such as 0.5 or 30; inf means no limit by age.")
        if rows < 1:
            raise CommandError("--rows must be at least 1.")
        # Whoever asks by hand gets all of it, not only a share.
        deleted = retention.prune(older_than=retention.age(days), more_than=rows, now=timezone.now(), share=1.0)
        for name, count in deleted.items():
            self.stdout.write(f"{name}: {count} forgotten")
