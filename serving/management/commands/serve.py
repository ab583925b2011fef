"""``manage.py serve``: what ``make run`` calls."""

import os
import signal
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandParser, call_command
from django.db import connections
from django.urls import Resolver404, resolve

from catalog.models import Product
from devices.logins import demo_is_open
from serving.claims import AlreadyServed, claim_data, claim_port
from serving.guard import end_with
from serving.members import members
from serving.supervisor import Supervisor
from serving.valkey import NoValkey


class Command(BaseCommand):
    help = "Runs the whole server: web, worker, beat and, unless REDIS_URL is set, a Valkey of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_false", dest="demo", help="start without the demo")
        parser.add_argument("--access-log", action="store_true", help="print a line for each request")

    def handle(self, *, demo: bool, access_log: bool, **_options: Any) -> None:
        if "MAKELEVEL" in os.environ:  # a make that is killed can't pass anything on
            end_with(os.getppid())
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if settings.DEBUG:
            self.say(
                "DEBUG=true shows code and settings to everybody who makes the server fail, and this listens on all "
                "addresses. Take DEBUG away, or use `manage.py runserver`, which listens on this machine only."
            )
            raise SystemExit(1)
        try:
            claim_port(settings.PORT)
            with claim_data(settings.DATA_DIR):
                self.prepare(demo=demo)
                code = self.serve(access_log=access_log)
        except (AlreadyServed, NoValkey) as problem:
            self.say(str(problem))
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            code = 0
        self.say("Stopped." if code == 0 else f"Stopped with exit code {code}.")
        if code:
            raise SystemExit(code)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def prepare(self, *, demo: bool) -> None:
        """Brings the database up to date, begins a new epoch, and fills an empty catalogue."""
        engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
        self.say(f"Preparing the database ({engine}) …")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("new_epoch", stdout=StringIO())
        if demo and not Product.objects.exists():
            self.say("Loading the demo restaurant (only this first time) …")
            call_command("load_demo")

    def serve(self, *, access_log: bool) -> int:
        """Runs the members until they are stopped (0) or one ends by itself (its exit code, or 1)."""
        welcome = "\n".join([*self.addresses(), *self.logins(), "", "Ctrl-C stops everything."])
        # Nothing that is open goes into the processes that are forked now.
        for connection in connections.all():
            connection.close()
            if connection.vendor == "postgresql":
                connection.close_pool()  # type: ignore[attr-defined]
        everything = members(
            port=settings.PORT,
            web_processes=settings.STREAM_PROCESSES,
            data=settings.DATA_DIR,
            valkey_socket=settings.VALKEY_SOCKET if settings.EMBEDDED_VALKEY else None,
            access_log=access_log,
        )
        return Supervisor(everything, welcome=welcome).run()

    def addresses(self) -> list[str]:
        """The pages that exist, one a line."""
        lines = ["", "The server is up:"]
        for path, what in (("/admin/", "admin"), ("/terminal/", "terminal"), ("/api/docs", "API")):
            try:
                resolve(path)
            except Resolver404:
                continue
            lines.append(f"  {what:<9} http://localhost:{settings.PORT}{path}")
        return lines

    def logins(self) -> list[str]:
        """Who can log in to the admin: the demo login while it has its first password, or how to make one."""
        users = get_user_model().objects
        if demo_is_open():
            return ["  login     demo / demo (on this machine only, until you change the password)"]
        if users.filter(is_superuser=True, is_active=True).exists():
            return []
        return ["  login     none yet: .venv/bin/python manage.py createsuperuser"]
