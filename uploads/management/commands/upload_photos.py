"""Send a folder of photos from the command line, through the public API."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from devices.models import Device
from devices.services import enroll, revoke
from uploads.matching import WAYS
from uploads.sender import Outcome, Refused, Sender, Unreachable, pictures_in

TOKEN = "REDCORAL_TOKEN"  # noqa: S105 - the name of a variable


class Command(BaseCommand):
    help = _("Upload the photos of a folder. Run it again and it goes on where it stopped.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help=_("with photos, also in folders below it"))
        parser.add_argument("--album", metavar="NAME", required=True, help=_("the album that they come into"))
        parser.add_argument(
            "--match", choices=[*WAYS, "any"], help=_("find the product of each photo by its file name")
        )
        parser.add_argument(
            "--server",
            metavar="URL",
            default=f"http://127.0.0.1:{settings.PORT}",
            help=_("default: the one of this machine"),
        )
        parser.add_argument(
            "--token", help=_("of a device that may upload; or in the environment as %(name)s") % {"name": TOKEN}
        )

    def handle(
        self, *, folder: Path, album: str, match: str | None, server: str, token: str | None, **_options: Any
    ) -> None:
        if not folder.is_dir():
            raise CommandError(_("%(path)s is no folder.") % {"path": folder})
        paths = pictures_in(folder)
        if not paths:
            raise CommandError(_("There are no photos in %(path)s.") % {"path": folder})
        try:
            with self.permission((token or os.environ.get(TOKEN, "")).strip()) as shown:
                failed = self.send(Sender(url=server, token=shown), paths, album, match)
        except Refused as error:
            raise CommandError(_("The server refused: %(reason)s") % {"reason": error}) from error
        except Unreachable as error:
            raise CommandError(
                _("The server doesn't answer: %(reason)s. Run it again later; it goes on where it stopped.")
                % {"reason": error}
            ) from error
        for outcome in failed:
            self.stderr.write(f"{outcome.path}: {outcome.error}")
        said = _("%(ready)d of %(all)d photos are ready.") % {"ready": len(paths) - len(failed), "all": len(paths)}
        if failed:
            raise CommandError(said)
        self.stdout.write(said)

    def send(self, sender: Sender, paths: list[Path], album: str, match: str | None) -> list[Outcome]:
        """Those that failed."""
        album_id = sender.album(album)
        named = [path for path in paths if is_text(path.name)]
        products: dict[Path, str | None] = dict.fromkeys(named)
        if match:
            products = sender.products(named, by=list(WAYS) if match == "any" else [match])
            for path, product in products.items():
                if product is None:
                    self.stderr.write(_("%(path)s: no product found; it comes into the album only.") % {"path": path})
        # disable=None: a bar on a terminal only
        bar = tqdm(sender.send_all(album_id, products), total=len(named), unit="photo", disable=None)
        unsent = _("its name is no text in UTF-8: rename it.")
        return [outcome for outcome in bar if outcome.error] + [
            Outcome(Path(os.fsencode(path).decode(errors="replace")), unsent) for path in paths if path not in products
        ]

    @contextmanager
    def permission(self, token: str) -> Iterator[str]:
        """A token: the one that was given, or that of a device for this run alone."""
        if token:
            yield token
            return
        enrolled = enroll(name=_("Upload from the command line"), may_upload=True)
        try:
            yield enrolled.token
        finally:
            revoke(devices=Device.objects.filter(pk=enrolled.device.pk))


def is_text(name: str) -> bool:
    """Names of files are bytes: what isn't UTF-8 is half a character each here, and no request can carry it."""
    return not any("\ud800" <= character <= "\udfff" for character in name)
