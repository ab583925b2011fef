"""What a server has for itself alone: its port and its data directory."""

import errno
import fcntl
import os
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent


class AlreadyServed(OSError):
    """The port, or the data directory, belongs to a server that runs already."""


def in_force(**changes: object) -> str:
    """What stands before a command that is to mean this server: ``DATA_DIR`` and ``PORT`` as they are set, or changed.

    Empty when both are as they are by default; else it ends with a space.
    """
    named = {name: os.environ.get(name, "") for name in ("DATA_DIR", "PORT")} | changes
    return "".join(f"{name}={shlex.quote(str(value))} " for name, value in named.items() if value)


def claim_port(port: int) -> None:
    """Raises AlreadyServed when a process listens on ``port`` of any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 -- what the web process will bind
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
            raise AlreadyServed(f"Port {port} {why}. Choose another one: {in_force(PORT=port + 1)}make run") from error


def claim_data(data: Path) -> TextIO:
    """The lock that makes this process, and those forked from it, the one server of ``data``; or AlreadyServed.

    Raises ImproperlyConfigured when nothing can be written there.
    """
    try:
        lock = (data / "serve.lock").open("w")
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data directory {data} can't be written: {error.strerror}. Name another one in DATA_DIR, or mend it."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise AlreadyServed(
            f"A server already runs on {data}. A second one needs its own: "
            f"{in_force(DATA_DIR='var2', PORT=8001)}make run"
        ) from error
    return lock


class NeverServed(OSError):
    """No server has run on this data directory, so there is nothing for a command to look at."""


def check_before_settings(words: Sequence[str]) -> None:
    """What is asked before the settings are read, which make a data directory with a key in it.

    ``words`` of the command line. Raises AlreadyServed when a server is to run at a port that is taken, and NeverServed
    when a command wants a database in a data directory that has none.
    """
    command, *rest = words or ("help",)
    port = os.environ.get("PORT") or "8000"
    if command == "serve" and port.isdecimal() and 0 < int(port) < 2**16:
        claim_port(int(port))
    if command in commands_of_a_server() and not {"-h", "--help"} & set(rest) and not os.environ.get("DATABASE_URL"):
        data = ROOT / (os.environ.get("DATA_DIR") or "var")
        if not (data / "db.sqlite3").exists():
            raise NeverServed(
                f"No server has run on {data}: there is no database. Name the data directory of the server that you "
                f"mean: DATA_DIR=… .venv/bin/python manage.py {command}"
            )


def commands_of_a_server() -> set[str]:
    """The commands that ask or change what a server has."""
    ours = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")}
    return {*ours, "createsuperuser", "changepassword"} - {"serve"}
