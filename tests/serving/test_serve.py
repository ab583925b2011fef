"""``manage.py serve`` runs one family of processes that starts together and ends together."""

import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.parts import ROOT, wait_until
from tests.serving.conftest import NewServer

PROMISED_SECONDS = 5.0
# A busy machine delays each of the ten processes; the promise is for one that runs nothing else.
PATIENCE = PROMISED_SECONDS + 3.0

MEMBERS = 4  # web, worker, beat and Valkey at least: else "nobody is left" would say nothing

pytestmark = [
    pytest.mark.timeout(300),  # whole servers start
    pytest.mark.any_database,  # servers start and end alike on each
]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_leaves_no_orphan(new_server: NewServer, how: signal.Signals) -> None:
    with new_server() as server:
        server.until_ready()
        assert {"valkey-server", "uvicorn", "worker", "beat"} == {
            word for word in ("valkey-server", "uvicorn", "worker", "beat") if server.members(word)
        }

        seconds = server.stop(how)

        assert seconds < PATIENCE
        assert server.process.returncode == 0
        assert server.alive() == []
        assert server.said.endswith("Stopped.\n")


def test_a_killed_supervisor_takes_everything_with_it(new_server: NewServer) -> None:
    with new_server() as server:
        server.until_ready()
        assert len(server.alive()) >= MEMBERS
        server.stop(signal.SIGKILL)

        wait_until(lambda: not server.alive(), seconds=PATIENCE, what="the end of all members")


@pytest.mark.parametrize(("member", "name"), [("uvicorn", "web"), ("worker", "worker"), ("valkey-server", "valkey")])
def test_one_member_that_dies_stops_the_others(new_server: NewServer, member: str, name: str) -> None:
    with new_server() as server:
        server.until_ready()
        oldest = min(server.members(member), key=lambda process: process.create_time())
        oldest.kill()

        server.process.wait(PATIENCE + 5)

        assert server.process.returncode != 0
        assert f"{name} ended by itself" in server.said
        wait_until(lambda: not server.alive(), seconds=PATIENCE, what="the end of all members")


def test_a_port_in_use_is_named_before_anything_starts(new_server: NewServer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = new_server()
        server.port = other.getsockname()[1]
        with server:
            server.process.wait(60)

    assert server.process.returncode == 1
    assert server.said == f"Port {server.port} is in use. Choose another one: PORT={server.port + 1} make run\n"
    assert not (server.data / "db.sqlite3").exists()


def test_two_servers_run_side_by_side_but_not_on_one_data_directory(new_server: NewServer) -> None:
    with new_server() as one, new_server() as other:
        one.until_ready()
        other.until_ready()
        epochs = {
            server.device("Till").get("/api/sync/status").raise_for_status().json()["epoch"] for server in (one, other)
        }
        third = new_server()
        third.data, third.settings = one.data, one.settings
        with third:
            third.process.wait(60)

        assert len(epochs) == 2
        assert third.process.returncode == 1
        assert f"A server already runs on {one.data}" in third.said
        assert httpx.get(f"{one.url}/livez").status_code == 200


def test_a_restart_keeps_the_data_and_begins_a_new_epoch(new_server: NewServer) -> None:
    first = new_server()
    with first:
        first.until_ready()
        before = first.device("Till").get("/api/sync/status").raise_for_status().json()
        first.stop()

    with first:
        first.until_ready()
        after = first.device("Tablet").get("/api/sync/status").raise_for_status().json()

    assert after["epoch"] != before["epoch"]
    assert after["versions"] == before["versions"]


def test_everything_is_written_under_the_data_directory(new_server: NewServer) -> None:
    began = time.time()
    with new_server() as server:
        server.until_ready()
        server.stop()

    ours = {
        ".git",
        ".venv",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".import_linter_cache",
        ".hypothesis",
    }
    elsewhere = [
        path
        for path in ROOT.rglob("*")
        if not ours & set(path.parts)
        and path.suffix in {".sqlite3", ".sock", ".aof", ".rdb", ".db", ".dat"}
        and path.stat().st_mtime > began
    ]
    assert elsewhere == []
    assert {"secret_key", "serve.lock", "valkey"} <= {path.name for path in server.data.iterdir()}


@pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv" or shutil.which("make") is None, reason="make run uses the project's own .venv"
)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_make_alone_stops_everything(new_server: NewServer, how: signal.Signals) -> None:
    with new_server(command=("make", "run")) as server:
        server.until_ready()
        assert len(server.alive()) >= MEMBERS
        server.stop(how)

        wait_until(lambda: not server.alive(), seconds=PATIENCE, what="the end of all members")
