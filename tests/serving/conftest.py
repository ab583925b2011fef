"""Servers without the demo restaurant, on the database of the run."""

import os
import secrets
from collections.abc import Callable

import psycopg
import pytest

from tests.running import SERVE, RunningServer

NewServer = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def new_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewServer:
    """Makes servers (not started yet), each with a data directory and a database of its own."""

    def make(command: tuple[str, ...] = (*SERVE, "--no-demo"), **settings: str) -> RunningServer:
        name = f"server_{secrets.token_hex(4)}"
        if request.config.getoption("database") == "postgresql":
            base = os.environ["DATABASE_URL"]
            with psycopg.connect(base, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            settings = {"DATABASE_URL": f"{base.rpartition('/')[0]}/{name}", **settings}
        return RunningServer(tmp_path_factory.mktemp("servers") / name, settings, command)

    return make
