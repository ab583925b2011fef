from typing import Any

from django.core.management.base import BaseCommand

from syncing import epochs


class Command(BaseCommand):
    help = "Begin a new history, after restoring a backup say: every terminal refetches what it holds."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(epochs.begin()))
