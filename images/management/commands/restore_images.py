"""``manage.py restore_images``: takes pictures out of quarantine."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from images.upkeep.restoring import quarantined, restore


class Command(BaseCommand):
    help = "Store quarantined pictures again: those of the given hashes, or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("hashes", nargs="*", metavar="HASH")
        parser.add_argument("--all", action="store_true", help="everything in quarantine that is a picture")
        parser.add_argument("--list", action="store_true", help="only list what is in quarantine")

    def handle(self, *args: Any, hashes: list[str], **options: Any) -> None:
        if options["list"]:
            for name in quarantined():
                self.stdout.write(name)
            return
        if bool(hashes) == options["all"]:
            raise CommandError("Name hashes, or say --all.")
        names = list(quarantined()) if options["all"] else hashes
        troubles = 0
        for name in tqdm(names, desc="Restoring", unit="picture", disable=None, leave=False):
            if trouble := restore(name).trouble:
                troubles += 1
                self.stderr.write(f"{name}: {trouble}")
        self.stdout.write(f"{len(names) - troubles} restored.")
        if troubles:
            raise CommandError(f"{troubles} could not be restored.")
