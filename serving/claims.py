"""What a server has for itself alone: its port and its data directory."""

import errno
import fcntl
import socket
from pathlib import Path
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured


class AlreadyServed(OSError):
    """The port, or the data directory, belongs to a server that runs already."""


def claim_port(port: int) -> None:
    """Raises AlreadyServed when a process listens on ``port`` of any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 -- what the web process will bind
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
            raise AlreadyServed(f"Port {port} {why}. Choose another one: PORT={port + 1} make run") from error


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
            f"A server already runs on {data}. A second one needs its own: DATA_DIR=var2 PORT=8001 make run"
        ) from error
    return lock
