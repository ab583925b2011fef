"""``manage.py export xlsx product > menu.xlsx``: all records of a kind as a sheet."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.resources import KINDS, kind_named
from catalog.sheets import exporting


class Command(BaseCommand):
    help = "Writes all records of a kind as a CSV file or an Excel workbook (XLSX): docs/sheets.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", type=str.lower, choices=list(exporting.CONTENT_TYPES))
        parser.add_argument("kind", help=", ".join(kind.name for kind in KINDS))
        parser.add_argument("--output", type=Path, help="a file; by default it goes to the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kind = kind_named(options["kind"])
        except LookupError as reason:
            raise CommandError(str(reason)) from None
        listed = kind.model._default_manager.order_by(*kind.default_order, "pk")
        data = exporting.exported(kind, list(listed.values_list("pk", flat=True)), options["format"])
        if options["output"]:
            options["output"].write_bytes(data)
        else:
            sys.stdout.buffer.write(data)
