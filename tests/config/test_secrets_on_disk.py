"""What the server writes is for itself alone, and a start that can't be right ends with a sentence."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content

from config.cache import BytesOnly
from config.values import short_folder
from tests.parts import ROOT, SETTINGS, free_port

SHOW = """
import os, django; from config import settings as s; django.setup()
from django.conf import settings
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
connection.cursor().execute("SELECT 1")
open(settings.DATA_DIR / "anything", "w").close()
"""


def run(code: str | list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    unset = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, "-c", code] if isinstance(code, str) else [sys.executable, "manage.py", *code]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**unset, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("delivery", "of_the_folder"), [("app", 0o700), ("accel", 0o711)])
def test_files_are_for_the_server_alone(tmp_path: Path, delivery: str, of_the_folder: int) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "from-before").touch(mode=0o644)
    done = run(SHOW, DATA_DIR=str(data), IMAGE_DELIVERY=delivery)
    assert done.returncode == 0, done.stderr

    assert mode(data) == of_the_folder
    assert (data / "db.sqlite3").exists()
    readable = {path.name for path in data.iterdir() if mode(path) & 0o077}
    assert readable <= ({"from-before"} if delivery == "app" else set())


@pytest.mark.parametrize("key", ["x", "a" * 31])
def test_a_short_key_is_refused_with_a_reason(tmp_path: Path, key: str) -> None:
    done = run(["check"], DATA_DIR=str(tmp_path / "data"), SECRET_KEY=key)

    assert done.returncode != 0
    assert "SECRET_KEY: Has fewer than 32 signs" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(["check"], DATA_DIR=str(tmp_path / "data"), SECRET_KEY="a" * 32).returncode == 0


def test_a_short_key_that_is_kept_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short")

    done = run(["check"], DATA_DIR=str(tmp_path))

    assert done.returncode != 0
    assert done.stderr.startswith(f"The key in {tmp_path}/secret_key has fewer than 32 signs.")


def test_a_database_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").mkdir()

    done = run(["migrate"], DATA_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("The database file in DATA_DIR can't be written")
    assert "Traceback" not in done.stderr


def test_debug_on_all_addresses_is_refused_with_a_reason(tmp_path: Path) -> None:
    port = str(free_port())
    done = run(["serve", "--no-demo"], DATA_DIR=str(tmp_path / "data"), DEBUG="true", PORT=port)

    assert done.returncode == 1
    assert "DEBUG=true shows code and settings" in done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "db.sqlite3").exists()


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_data_directory_that_can_not_be_written_is_a_sentence(command: str) -> None:
    done = run([command], DATA_DIR="/proc/self/data", PORT=str(free_port()))

    assert done.returncode == 1
    assert done.stderr.startswith("The data directory /proc/self/data can't be written: ")
    assert "Traceback" not in done.stderr


def test_a_folder_for_the_socket_is_ours_alone_and_can_not_be_guessed(tmp_path: Path) -> None:
    note = tmp_path / "note"

    first, again = short_folder(note), short_folder(note)
    try:
        assert first == again
        assert mode(first) == 0o700
        first.chmod(0o755)  # somebody else may have been in there
        other = short_folder(note)
        assert other != first
        assert short_folder(note) == other
        other.rmdir()
        os.symlink(tmp_path, other)
        assert short_folder(note) != other
        other.unlink()
    finally:
        for folder in {first, Path(note.read_text())}:
            folder.rmdir()


def test_two_servers_on_one_host_share_no_session_and_no_device(tmp_path: Path) -> None:
    show = (
        "import django; django.setup(); from django.conf import settings; from devices.identity import COOKIE; "
        "print(settings.SESSION_COOKIE_NAME, COOKIE)"
    )
    names = [run(show, DATA_DIR=str(tmp_path / "data"), PORT=port).stdout.split() for port in ("8000", "8001", "8002")]

    assert names[0] == ["sessionid", "redcoral_device"]
    assert len({name for pair in names for name in pair}) == 6


def test_the_cache_unpickles_nothing() -> None:
    import pickle

    form = BytesOnly()
    for value in (b"", b"123", b"bytes", 0, -5, 2**40):
        stored = form.dumps(value)
        assert form.loads(stored if isinstance(stored, bytes) else str(stored).encode()) == value
    assert form.loads(pickle.dumps(print)) is None
    for other in ("text", True, [1], None):
        with pytest.raises(TypeError):
            form.dumps(other)


def test_no_message_is_unpickled_either() -> None:
    import pickle

    from config.celery import app

    taken = prepare_accept_content(app.conf.accept_content)
    assert loads(b'{"id": 1}', "application/json", "utf-8", accept=taken) == {"id": 1}
    with pytest.raises(ContentDisallowed):
        loads(pickle.dumps(print), "application/x-python-serialize", "binary", accept=taken)
    assert {app.conf.task_serializer, app.conf.result_serializer} == {"json"}
