"""``manage.py import_images DIR``: pictures of an older system."""

import sys
from argparse import ArgumentParser
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.image_import import import_images, read_map
from images.blobs import StorageUnavailable


class Command(BaseCommand):
    help = (
        "Store all pictures of a folder, whatever they are called, and give them to products. "
        "Broken off, it goes on where it was; run again, it does nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument(
            "--map",
            metavar="FILE",
            type=Path,
            help="CSV with the columns product (id, SKU or barcode) and image (the old name, suffix or not)",
        )
        parser.add_argument(
            "--journal", metavar="FILE", type=Path, help="what was done; by default in DATA_DIR/import_images"
        )

    def handle(self, *args: Any, folder: Path, map: Path | None, journal: Path | None, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        try:
            wanted = list(read_map(map)) if map else []
        except ValueError as error:
            raise CommandError(f"{map} has no columns for product and image: {error}") from None
        except OSError as error:
            raise CommandError(f"{map}: {error.strerror}") from None
        name = sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        journal = Path(journal) if journal else settings.DATA_DIR / "import_images" / f"{name}.csv"
        # disable=None: a bar on a terminal only
        bar = partial(tqdm, desc="Importing", disable=None, leave=False, file=sys.stderr)
        try:
            report = import_images(folder=folder, wanted=wanted, journal=journal, progress=bar)
        except StorageUnavailable as error:
            raise CommandError(
                f"The storage doesn't answer ({error.reason}). Run it again: it goes on where it was."
            ) from error
        for trouble in report.troubles:
            self.stderr.write(trouble)
        self.stdout.write(
            f"{report.stored} pictures stored, {report.known} known; {report.shown} products got theirs, "
            f"{report.done_before} had. What was done is noted in {journal}"
        )
        if report.troubles:
            raise CommandError(f"{len(report.troubles)} lines above couldn't be done.")
