"""``manage.py serve``: what ``make run`` calls."""

import os
import signal
import time
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandParser, call_command
from django.db import connections
from django.urls import Resolver404, resolve

from catalog.models import Product
from serving import supervisor


class Command(BaseCommand):
    help = "Runs the whole server: web, worker, beat and, unless REDIS_URL is set, a Valkey of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_false", dest="demo", help="start without the demo")
        parser.add_argument("--access-log", action="store_true", help="print a line for each request")

    def handle(self, *, demo: bool, access_log: bool, **_options: Any) -> None:
        if "MAKELEVEL" in os.environ:  # a make that is killed can't pass anything on
            supervisor.end_with(os.getppid())
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            supervisor.claim_port(settings.PORT)
            with supervisor.claim_data(settings.DATA_DIR):
                self.prepare(demo=demo)
                code = self.serve(access_log=access_log)
        except (supervisor.AlreadyServed, supervisor.NoValkey) as problem:
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
        self.welcome = [*self.addresses(), *self.logins(), "", "Ctrl-C stops everything."]

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
        user = users.filter(username="demo", is_active=True).first()
        if user is not None and user.check_password("demo"):
            return ["  login     demo / demo"]
        if users.filter(is_superuser=True, is_active=True).exists():
            return []
        return ["  login     none yet: .venv/bin/python manage.py createsuperuser"]

    def serve(self, *, access_log: bool) -> int:
        """Runs the family until it is stopped (0) or one member ends by itself (its exit code, or 1)."""
        # Nothing that is open goes into the processes that are forked now.
        for connection in connections.all():
            connection.close()
            if connection.vendor == "postgresql":
                connection.close_pool()  # type: ignore[attr-defined]
        members = supervisor.family(
            port=settings.PORT,
            data=settings.DATA_DIR,
            valkey_socket=settings.VALKEY_SOCKET if settings.EMBEDDED_VALKEY else None,
            on_start=lambda: self.accompany(members),
            access_log=access_log,
        )
        members.loop()
        if members.deserter is None:
            return 0
        self.say(f"{members.deserter} ended by itself, so all were stopped. Its last lines above say why.")
        return members.returncode or 1

    def accompany(self, members: supervisor.Family) -> None:
        """Says where the server is once it answers, and notices an interrupt that only make got."""
        welcomed = False
        while members.returncode is None:
            if not welcomed and supervisor.serves(settings.PORT):
                welcomed = True
                self.say("\n".join(self.welcome))
            if supervisor.make_was_interrupted():
                members.stop()
            time.sleep(0.2)
