"""``manage.py serve``: what ``make run`` calls."""

import os
import signal
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandParser, call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.urls import Resolver404, resolve

from catalog.models import Product
from devices.hosts import lan_address
from devices.logins import demo_is_open
from images.machines import AnotherMachine, must_be_the_only_one
from serving.claims import AlreadyServed, claim_data, in_force
from serving.guard import end_with
from serving.members import members
from serving.reserve import give_up_reserve, keep_reserve
from serving.supervisor import NO_ROOM, Supervisor
from serving.valkey import NoValkey


class CantBegin(RuntimeError):
    """There is nothing to serve yet, and it can't be made."""


def has_all_tables() -> bool:
    """Whether the database can be read and is of this version."""
    try:
        executor = MigrationExecutor(connections["default"])
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


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
            with claim_data(settings.DATA_DIR):
                is_full = give_up_reserve(settings.DATA_DIR)
                left_to_do = self.prepared(demo=demo)
                if not is_full:
                    keep_reserve(settings.DATA_DIR)
                code = self.serve(left_to_do, access_log=access_log)
        except (AlreadyServed, AnotherMachine, NoValkey, CantBegin) as problem:
            self.say(str(problem))
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            code = 0
        self.say("Stopped." if code == 0 else f"Stopped with exit code {code}.")
        self.forget_unsaid()
        if code:
            raise SystemExit(code)

    def say(self, line: str) -> None:
        """A log on a full disk lacks this line; nothing else follows from that."""
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise

    def forget_unsaid(self) -> None:
        """For the end: what a full disk didn't take would be tried once more, and make the exit code 120."""
        try:
            self.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def prepared(self, *, demo: bool) -> list[str]:
        """Prepares the database. Returns the commands that are left to do, since it can be read but not written."""
        try:
            self.prepare(demo=demo)
        except (DatabaseError, OSError) as error:
            if not has_all_tables():
                raise CantBegin(f"The database can't be prepared: {error}") from error
            self.say(f"The database can't be written ({error}). What is there is served; the rest follows.")
            return ["new_epoch"]
        return []

    def prepare(self, *, demo: bool) -> None:
        """Brings the database up to date, begins a new epoch, and fills an empty catalogue."""
        engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
        self.say(f"Preparing the database ({engine}) …")
        call_command("migrate", interactive=False, verbosity=0)
        must_be_the_only_one()
        call_command("new_epoch", stdout=StringIO())
        if demo and not Product.objects.exists():
            self.say("Loading the demo restaurant (only this first time) …")
            said = StringIO()  # what isn't said before the guard forks would be said by both
            call_command("load_demo", stdout=said)
            self.say(said.getvalue().rstrip())

    def serve(self, left_to_do: list[str], *, access_log: bool) -> int:
        """Runs the members until they are stopped (0) or one can't stay up (its exit code, or 1).

        ``left_to_do`` are commands of ``manage.py`` that are tried until each has gone well.
        """
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
            left_to_do=left_to_do,
            access_log=access_log or settings.ACCESS_LOG,
            asks_a_provider=settings.STUDIO_PROVIDER != "label",
        )
        return Supervisor(everything, welcome=welcome).run()

    def addresses(self) -> list[str]:
        """The pages that exist, one a line."""
        lines = ["", "The server is up:"]
        pages = {"/admin/": "admin", "/terminal/": "terminal", "/studio/": "studio", "/api/docs": "API"}
        for path, what in pages.items():
            try:
                resolve(path)
            except Resolver404:
                continue
            lines.append(f"  {what:<9} http://localhost:{settings.PORT}{path}")
        lines.append(f"  times     are those of {settings.TIME_ZONE}")
        if address := lan_address():
            lines.append(f"  from other machines: http://{address}:{settings.PORT}/")
        return lines

    def logins(self) -> list[str]:
        """Who can log in to the admin: the demo login while it has its first password, or how to make one."""
        users = get_user_model().objects
        if demo_is_open():
            return ["  login     demo / demo (on this machine only, until you change the password)"]
        if users.filter(is_superuser=True, is_active=True).exists():
            return []
        return [f"  login     none yet: {in_force()}.venv/bin/python manage.py createsuperuser"]
