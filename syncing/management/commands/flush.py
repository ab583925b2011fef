from typing import Any

from django.core.management.commands import flush

from syncing import capture, epochs


class Command(flush.Command):
    help = f"{flush.Command.help} Triggers step aside meanwhile; counters and a new epoch are put back."

    def handle(self, **options: Any) -> None:
        if capture.dialect() is capture.sqlite:  # there it deletes table by table, the counters among them
            capture.drop()
        super().handle(**options)
        if epochs.tables_exist() and capture.verify():
            capture.install()
