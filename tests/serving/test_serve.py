"""``manage.py serve`` runs one family of processes that starts together and ends together.

A whole server takes seconds to start, so each fixture below lives one story of servers, and tests look at what it saw.
"""

import os
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.parts import ROOT, wait_until
from tests.running import RunningServer
from tests.serving.conftest import NewServer

PROMISED_SECONDS = 5.0
# A busy machine delays each of the ten processes; the promise is for one that runs nothing else.
PATIENCE = PROMISED_SECONDS + 3.0

KINDS = {"valkey-server", "uvicorn", "worker", "beat"}
MEMBERS = len(KINDS)  # at least so many processes: else "nobody is left" would say nothing

pytestmark = [
    pytest.mark.timeout(300),  # whole servers start
    pytest.mark.any_database,  # they start and end alike on each
]


@dataclass
class End:
    """How a server was stopped, or ended by itself."""

    seconds: float
    returncode: int
    left: list[psutil.Process]  # of its members, right afterwards
    said: str


def end_of(server: RunningServer, seconds: float) -> End:
    return End(seconds, server.process.returncode, server.alive(), server.said)


# --- A server that is stopped, started again, and stopped in another way ---------------------------------------
@dataclass
class Life:
    members: set[str] = field(default_factory=set)
    ends: dict[signal.Signals, End] = field(default_factory=dict)
    status: list[dict[str, Any]] = field(default_factory=list)  # /api/sync/status in each of its two runs
    elsewhere: list[Path] = field(default_factory=list)  # what it wrote outside of its data directory
    written: set[str] = field(default_factory=set)  # in it


@pytest.fixture(scope="module")
def life(new_server: NewServer) -> Life:
    life, began, server = Life(), time.time(), new_server()
    for how in (signal.SIGINT, signal.SIGTERM):
        with server:
            server.until_ready()
            life.members = {kind for kind in KINDS if server.members(kind)}
            life.status.append(server.device(f"Till {how}").get("/api/sync/status").raise_for_status().json())
            life.ends[how] = end_of(server, server.stop(how))
    life.elsewhere = written_in_the_tree(since=began)
    life.written = {path.name for path in server.data.iterdir()}
    return life


def written_in_the_tree(*, since: float) -> list[Path]:
    """Databases, sockets and the like; not what tools write."""
    tools = {".git", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache",
             ".hypothesis"}  # fmt: skip
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in tools]
        paths = [Path(folder, name) for name in files]
        found += [path for path in paths if path.suffix in {".sqlite3", ".sock", ".aof", ".rdb", ".db", ".dat"}]
    return [path for path in found if path.stat().st_mtime > since]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_leaves_no_orphan(life: Life, how: signal.Signals) -> None:
    end = life.ends[how]

    assert life.members == KINDS
    assert end.seconds < PATIENCE
    assert end.returncode == 0
    assert end.left == []
    assert end.said.endswith("Stopped.\n")


def test_a_restart_keeps_the_data_and_begins_a_new_epoch(life: Life) -> None:
    before, after = life.status

    assert after["epoch"] != before["epoch"]
    assert after["versions"] == before["versions"]


def test_everything_is_written_under_the_data_directory(life: Life) -> None:
    assert life.elsewhere == []
    assert {"secret_key", "serve.lock", "valkey"} <= life.written
    assert any(name.startswith("beat-schedule") for name in life.written)


# --- Two servers side by side, which end because something is killed --------------------------------------------
@dataclass
class Neighbours:
    epochs: set[str]
    third: End  # one that was to run on the data of the first, `data`
    data: Path
    first_after_third: int  # the status of its /livez
    first_lost: str  # its member that was killed
    first: End
    second: End  # whose supervisor was killed


@pytest.fixture(scope="module")
def neighbours(new_server: NewServer) -> Neighbours:
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
            refused = end_of(third, 0)
        lives = httpx.get(f"{one.url}/livez").status_code

        assert len(other.alive()) >= MEMBERS
        seconds = other.stop(signal.SIGKILL)
        wait_until(lambda: not other.alive(), seconds=PATIENCE, what="the end of all members")
        second = end_of(other, seconds)

        return Neighbours(epochs, refused, one.data, lives, "worker", kill_member(one, "worker"), second)


def kill_member(server: RunningServer, words: str) -> End:
    """The oldest of the member's processes is killed; how the server ended then."""
    began = time.monotonic()
    min(server.members(words), key=lambda process: process.create_time()).kill()
    server.process.wait(PATIENCE + 5)
    seconds = time.monotonic() - began
    wait_until(lambda: not server.alive(), seconds=PATIENCE, what="the end of all members")
    return end_of(server, seconds)


def test_two_servers_run_side_by_side_but_not_on_one_data_directory(neighbours: Neighbours) -> None:
    assert len(neighbours.epochs) == 2
    assert neighbours.third.returncode == 1
    assert f"A server already runs on {neighbours.data}" in neighbours.third.said
    assert neighbours.first_after_third == 200


def test_a_killed_supervisor_takes_everything_with_it(neighbours: Neighbours) -> None:
    assert neighbours.second.returncode == -signal.SIGKILL
    assert neighbours.second.left == []


def test_one_member_that_dies_stops_the_others(neighbours: Neighbours) -> None:
    assert neighbours.first.returncode != 0
    assert f"{neighbours.first_lost} ended by itself" in neighbours.first.said
    assert neighbours.first.left == []


@pytest.mark.soak  # the suite has the worker above, and what is the same for any member in test_supervisor.py
@pytest.mark.parametrize(("member", "name"), [("uvicorn", "web"), ("valkey-server", "valkey")])
def test_any_other_member_that_dies_stops_the_others(new_server: NewServer, member: str, name: str) -> None:
    with new_server() as server:
        server.until_ready()

        end = kill_member(server, member)

    assert end.returncode != 0
    assert f"{name} ended by itself" in end.said


# --- Others ---------------------------------------------------------------------------------------------------
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


@pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv" or shutil.which("make") is None, reason="make run uses the project's own .venv"
)
@pytest.mark.parametrize(
    "how",
    [signal.SIGINT, signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)],  # make hands it on
)
def test_a_signal_to_make_alone_stops_everything(new_server: NewServer, how: signal.Signals) -> None:
    with new_server(command=("make", "run")) as server:
        server.until_ready()
        assert len(server.alive()) >= MEMBERS
        server.stop(how)

        wait_until(lambda: not server.alive(), seconds=PATIENCE, what="the end of all members")
