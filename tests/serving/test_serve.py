"""``manage.py serve`` runs one family of processes that starts together and ends together.

A whole server takes seconds to start, so each fixture below lives one story of servers, and tests look at what it saw.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.parts import ROOT, wait_until
from tests.running import RunningServer
from tests.serving.conftest import NewServer, serve_with

PROMISED_SECONDS = 5.0
# A busy machine delays each of the ten processes; the promise is for one that runs nothing else.
PATIENCE = PROMISED_SECONDS + 3.0

KINDS = {"valkey-server", "uvicorn", "worker", "beat"}
IDLE_SECONDS = 2.0
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
    said_to_nobody: str = ""  # while nobody asked it anything


@pytest.fixture(scope="module")
def life(new_server: NewServer) -> Life:
    life, began, server = Life(), time.time(), new_server(PENDING_PHOTO_SCAN_INTERVAL_MS="300")
    for how in (signal.SIGINT, signal.SIGTERM):
        with server:
            server.until_ready()
            wait_until(lambda: re.search("celery@.* ready", server.said), what="the worker's word")
            wait_until(lambda: not said_within(server, seconds=0.3), what="the end of what the start says")
            life.said_to_nobody += said_within(server, seconds=IDLE_SECONDS)
            life.members = {kind for kind in KINDS if server.members(kind)}
            life.status.append(server.device(f"Till {how}").get("/api/sync/status").raise_for_status().json())
            life.ends[how] = end_of(server, server.stop(how))
    life.elsewhere = written_in_the_tree(since=began)
    life.written = {path.name for path in server.data.iterdir()}
    return life


def said_within(server: RunningServer, *, seconds: float) -> str:
    before = server.said
    time.sleep(seconds)
    return server.said.removeprefix(before)


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
    assert end.said.count("The demo restaurant is open") <= 1
    assert '"GET /' not in end.said  # a request has no line unless that is asked for


def test_a_server_that_nobody_asks_is_silent(life: Life) -> None:
    """Its periodic tasks run meanwhile: photos were looked for several times."""
    assert life.said_to_nobody == ""


def test_a_restart_keeps_the_data_and_begins_a_new_epoch(life: Life) -> None:
    before, after = life.status

    assert after["epoch"] != before["epoch"]
    assert after["versions"] == before["versions"]


def test_everything_is_written_under_the_data_directory(life: Life) -> None:
    assert life.elsewhere == []
    assert {"secret_key", "serve.lock", "valkey"} <= life.written
    assert any(name.startswith("beat-schedule") for name in life.written)


# --- Two servers side by side: members of the first are killed, and the supervisor of the second ----------------
SILENT_SECONDS = 4.0


@dataclass
class Neighbours:
    epochs: set[str]
    third: End  # one that was to run on the data of the first, `data`
    data: Path
    first_after_third: int  # the status of its /livez
    back: dict[str, bool]  # whether a killed member of the first ran again, and all was ready
    read: dict[str, list[int]]  # what reads were answered meanwhile
    thawed: bool  # whether its web was back after it had been frozen
    first: End
    second: End  # whose supervisor was killed


@pytest.fixture(scope="module")
def neighbours(new_server: NewServer) -> Neighbours:
    with new_server(serve_with(SILENT_SECONDS=SILENT_SECONDS, ASK_SECONDS=0.5)) as one, new_server() as other:
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

        till = one.device("Kitchen")
        read: dict[str, list[int]] = {}
        back: dict[str, bool] = {}
        for kind in ("worker", "beat", "valkey-server", "uvicorn"):
            before = hurt(one, kind, signal.SIGKILL)
            read[kind] = [] if kind == "uvicorn" else reads(till)
            back[kind] = comes_back(one, kind, before)
        thawed = comes_back(one, "uvicorn", hurt(one, "uvicorn", signal.SIGSTOP))
        first = end_of(one, one.stop())
        return Neighbours(epochs, refused, one.data, lives, back, read, thawed, first, second)


def hurt(server: RunningServer, words: str, how: signal.Signals) -> set[int]:
    """The pids of a member's processes, the oldest of which got the signal."""
    found = server.members(words)
    min(found, key=lambda process: process.create_time()).send_signal(how)
    return {process.pid for process in found}


def reads(till: httpx.Client) -> list[int]:
    """The answers that ``till`` gets within a second."""
    over, answers = time.monotonic() + 1, []
    while time.monotonic() < over:
        answers += [till.get(path).status_code for path in ("/api/sync/status", "/api/sync/product")]
    return answers


def comes_back(server: RunningServer, words: str, before: set[int]) -> bool:
    """Whether other processes of the member run than ``before``, and all of the server is ready."""

    def is_back() -> bool:
        server.remember_family()
        alive = {process.pid for process in server.members(words)}
        with suppress(httpx.TransportError):
            return bool(alive) and not alive & before and server.is_ready()
        return False

    wait_until(is_back, seconds=60, what=f"another {words}")
    return True


def test_two_servers_run_side_by_side_but_not_on_one_data_directory(neighbours: Neighbours) -> None:
    assert len(neighbours.epochs) == 2
    assert neighbours.third.returncode == 1
    assert f"A server already runs on {neighbours.data}" in neighbours.third.said
    assert neighbours.first_after_third == 200


def test_a_killed_supervisor_takes_everything_with_it(neighbours: Neighbours) -> None:
    assert neighbours.second.returncode == -signal.SIGKILL
    assert neighbours.second.left == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_member_that_is_killed_is_started_again(neighbours: Neighbours, kind: str) -> None:
    name = {"valkey-server": "valkey", "uvicorn": "web"}.get(kind, kind)

    assert neighbours.back[kind]
    assert f"{name} was killed by signal 9. It is started again in 0.5 s." in neighbours.first.said


@pytest.mark.parametrize("kind", sorted(KINDS - {"uvicorn"}))
def test_what_can_be_read_is_read_while_another_member_is_away(neighbours: Neighbours, kind: str) -> None:
    assert len(neighbours.read[kind]) > 1
    assert set(neighbours.read[kind]) == {200}


def test_a_web_that_is_frozen_is_killed_and_started_again(neighbours: Neighbours) -> None:
    assert neighbours.thawed
    assert "web doesn't answer any more, so it is killed." in neighbours.first.said


def test_members_that_were_started_again_end_with_the_others(neighbours: Neighbours) -> None:
    assert neighbours.first.returncode == 0
    assert neighbours.first.seconds < PATIENCE
    assert neighbours.first.left == []


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
    said = f"Port {server.port} is in use. Choose another one: DATA_DIR={server.data} PORT={server.port + 1} make run\n"
    assert server.said == said
    assert not (server.data / "db.sqlite3").exists()
    assert not (server.data / "secret_key").exists()


def test_a_command_with_another_data_directory_names_it_and_makes_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "elsewhere"
    ended = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "enroll_device", "Till"],
        env={**os.environ, "DATA_DIR": str(nowhere), "DATABASE_URL": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"No server has run on {nowhere}: there is no database.")
    assert not nowhere.exists()


@pytest.mark.parametrize("program", ["uvicorn config.asgi:application", "celery -A config report"])
def test_a_mistake_in_a_setting_is_its_sentence_alone(tmp_path: Path, program: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *program.split()],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), "CURRENCY": "euro"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode != 0
    assert ended.stderr.splitlines()[-2:] == [
        "These settings of the environment are wrong:",
        "  CURRENCY: Not a currency such as EUR.",
    ]
    assert "Traceback" not in ended.stderr


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
