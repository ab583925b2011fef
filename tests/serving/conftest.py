"""Servers without the demo restaurant, on the database of the run."""

import secrets
from collections.abc import Callable

import pytest

from tests.running import SERVE, RunningServer

NewServer = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def new_server(new_database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> NewServer:
    """Makes servers (not started yet), each with a data directory and a database of its own."""

    def make(command: tuple[str, ...] = (*SERVE, "--no-demo"), **settings: str) -> RunningServer:
        folder = tmp_path_factory.mktemp("servers") / f"server_{secrets.token_hex(4)}"
        return RunningServer(folder, {**new_database(), **settings}, command)

    return make
