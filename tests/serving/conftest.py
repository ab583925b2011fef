"""Servers without the demo restaurant, on the database of the run."""

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from serving.valkey import answers, valkey_command
from tests.disks import small_disk
from tests.parts import start
from tests.running import SERVE, RunningServer

__all__ = ["small_disk"]

NewServer = Callable[..., RunningServer]
SERVE_WITH = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
from django.core.management import execute_from_command_line
from serving import supervisor
vars(supervisor).update({constants})
execute_from_command_line(["manage.py", "serve", "--no-demo"])
"""


def serve_with(**constants: float) -> tuple[str, ...]:
    """The command of a server without the demo whose supervisor has other ``constants``."""
    return sys.executable, "-c", SERVE_WITH.format(constants=constants)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[str]:
    """The REDIS_URL of a Valkey that a test may break."""
    with ExitStack() as stack:
        yield start_broker(tmp_path / "broker", stack)


def start_broker(folder: Path, stack: ExitStack, *options: str) -> str:
    """Starts a Valkey that keeps its data in ``folder``, until ``stack`` is closed; its REDIS_URL."""
    folder.mkdir(exist_ok=True)
    socket = Path(stack.enter_context(TemporaryDirectory())) / "valkey.sock"
    command = [*valkey_command(data=folder, unix_socket=socket), *options]
    start(command, ready=lambda: answers(socket), log=socket.with_name("log"), on=stack)
    return f"unix://{socket}"


@pytest.fixture(scope="session")
def new_server(new_database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> NewServer:
    """Makes servers (not started yet), each with a data directory and a database of its own."""

    def make(command: tuple[str, ...] = (*SERVE, "--no-demo"), **settings: str) -> RunningServer:
        folder = tmp_path_factory.mktemp("servers") / f"server_{secrets.token_hex(4)}"
        return RunningServer(folder, {**new_database(), **settings}, command)

    return make
