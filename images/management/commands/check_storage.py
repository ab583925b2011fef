"""``manage.py check_storage``: whether the storage can do what this server needs, and whether it is the right one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from images.blobs import StorageUnavailable, blobs
from images.identity import adopt, must_be_ours
from images.machines import AnotherMachine, must_be_the_only_one
from images.trial.writing import write_once


class Command(BaseCommand):
    help = "Try all that the storage must be able to do, and say what it can't. It writes below probes/ only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--adopt", action="store_true", help="first tie this storage to the database, whatever marker it has"
        )
        parser.add_argument(
            "--before-start",
            action="store_true",
            help="only refuse a second machine that would keep pictures on a disk of its own",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["before_start"]:
            try:
                return must_be_the_only_one()
            except AnotherMachine as refused:
                raise CommandError(str(refused)) from None
        store = blobs()
        self.stdout.write(f"Storage: {store.name}")
        wrong = 0
        try:
            if options["adopt"]:
                self.stdout.write(f"It belongs to this database now: {adopt().hex}")
            must_be_ours()
            self.say("it belongs to this database")
            write_once(store)
            self.say("it takes what uploads write")
        except StorageUnavailable as error:
            wrong += 1
            self.say(f"{error.code}", error.reason)
        if store.endpoint:
            from images.trial.properties import run  # boto3, which a shop without bucket doesn't load

            for sentence, cannot in run(store):  # type: ignore[arg-type]  # it has an endpoint, so it is a bucket
                wrong += bool(cannot)
                self.say(sentence, cannot)
        if wrong:
            raise CommandError(f"{wrong} of these the storage can't do; docs/production.md says what each is for.")
        self.stdout.write("It can do all of it.")

    def say(self, sentence: str, cannot: str = "") -> None:
        self.stdout.write(f"CANNOT  {sentence}: {cannot}" if cannot else f"ok      {sentence}")
        self.stdout.flush()
