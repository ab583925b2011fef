"""``manage.py import product menu.xlsx``: a sheet comes in, as on the page of the admin."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.resources import KINDS, kind_named
from catalog.sheets import jobs
from catalog.sheets.cells import Unreadable
from catalog.sheets.summary import told
from catalog.transactions import Contended


class Command(BaseCommand):
    help = "Imports a CSV file or an Excel workbook (XLSX), all of it or nothing: docs/sheets.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help=", ".join(kind.name for kind in KINDS))
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and store nothing")
        parser.add_argument("--leave-out", action="store_true", help="import without the columns that nobody knows")
        parser.add_argument("--dates", choices=["dmy", "mdy", "ymd"], default="", help="how 03/04/2026 is read")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kind = kind_named(options["kind"])
            data = options["file"].read_bytes()
            if (left_out := told(jobs.left_out(data, kind))) and not (options["leave_out"] or options["dry_run"]):
                raise CommandError(f"{left_out} Remove them, or say --leave-out.")
            do = jobs.look if options["dry_run"] else jobs.take
            summary = do(data, kind, order=options["dates"])
        except (LookupError, OSError, Unreadable, Contended) as reason:
            raise CommandError(str(reason)) from None
        if left_out:
            self.stderr.write(left_out)
        if summary.mistakes:
            more = [f"… {summary.more_mistakes} more"] if summary.more_mistakes else []
            raise CommandError("Nothing was imported.\n" + "\n".join([*summary.texts, *more]))
        self.stdout.write(summary.sentence())
