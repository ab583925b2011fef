import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from syncing import retention


class Command(BaseCommand):
    help = "Forget old changes of the log now; terminals that were away for longer refetch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=float, default=settings.CHANGE_RETENTION_DAYS)
        parser.add_argument("--rows", type=int, default=settings.CHANGE_RETENTION_ROWS)

    def handle(self, *args: Any, days: float, rows: int, **options: Any) -> None:
        deleted = retention.prune(older_than=dt.timedelta(days=days), more_than=rows, now=timezone.now())
        for name, count in deleted.items():
            self.stdout.write(f"{name}: {count} forgotten")
