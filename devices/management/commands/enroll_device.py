"""Enrol a device from the command line, for automation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from devices.certificates import issue
from devices.events import Event
from devices.models import Device
from devices.services import enroll, tell_of


class Command(BaseCommand):
    help = _("Enrol a device and print its token, once, as the last word.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help=_("how people will know the device"))
        parser.add_argument("--upload", action="store_true", help=_("it may upload pictures and photos"))
        parser.add_argument("--manage", action="store_true", help=_("it may write the catalogue"))
        parser.add_argument("--history-of", metavar="USER", help=_("it reads the pictures of this active manager"))
        parser.add_argument(
            "--certificate",
            metavar="DIR",
            type=Path,
            help=_("make a client certificate too, in this folder: certificate.pem and key.pem"),
        )

    def handle(
        self,
        *,
        name: str,
        upload: bool,
        manage: bool,
        certificate: Path | None,
        history_of: str | None = None,
        **options: Any,
    ) -> None:
        name = name.strip()
        try:
            name.encode()  # an argument that isn't UTF-8 arrives with lone surrogates
            Device(name=name).clean_fields(exclude={"token_hash"})
        except UnicodeEncodeError as error:
            raise CommandError(_("The name isn't UTF-8.")) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        manager = active_manager(history_of) if history_of is not None else None
        try:
            issued = issue(name=name, authority=settings.DATA_DIR / "certificates") if certificate else None
            with transaction.atomic():  # no device without its files
                enrolled = enroll(
                    name=name, may_upload=upload, may_manage=manage, history_of=manager, certificate=issued
                )
                if issued and certificate:
                    issued.save(certificate)
        except OSError as error:
            raise CommandError(_("The certificate can't be saved: {error}").format(error=error)) from error
        tell_of(Event.ENROLLED, enrolled.device)
        if issued:
            said = _("Its certificate and key are in {folder}, good until {day}.")
            self.stdout.write(said.format(folder=certificate, day=issued.expires_at.date()))
        scopes = ", ".join(enrolled.device.scopes)
        said = _("{name} may {scopes}. Its token, shown this once:")
        self.stdout.write(said.format(name=name, scopes=scopes))
        self.stdout.write(enrolled.token)


def active_manager(username: str) -> AbstractBaseUser:
    """Raises CommandError when no active member of the staff has this name."""
    users = get_user_model()
    found = users._default_manager.filter(**{users.USERNAME_FIELD: username}, is_active=True, is_staff=True).first()
    if found is None:
        raise CommandError(_("No active member of the staff is called {name}.").format(name=username))
    return found
