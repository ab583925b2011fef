from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from devices import totp


class Command(BaseCommand):
    help = "Gives a login of the back office an authenticator app; from then on it is asked for a code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help=_("the login"))
        parser.add_argument("--remove", action="store_true", help=_("let it in without a code again"))

    def handle(self, *, name: str, remove: bool, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=name).first()
        if user is None:
            raise CommandError(_("There is no login “{name}”.").format(name=name))
        if remove:
            totp.take(user)
            self.stdout.write(_("{name} logs in by the password alone.").format(name=name))
            return
        address, picture = totp.give(user)
        self.stdout.write(picture)
        self.stdout.write(_("Scan this with an authenticator app, or type its address there:"))
        self.stdout.write(address)
