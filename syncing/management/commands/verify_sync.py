from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncing import capture


class Command(BaseCommand):
    help = "Check that every synced table has its triggers, every resource its counter, and the history its epoch."

    def handle(self, *args: Any, **options: Any) -> None:
        if problems := capture.verify():
            raise CommandError("\n".join([*problems, "manage.py migrate puts them right."]))
        self.stdout.write("Every change is captured.")
