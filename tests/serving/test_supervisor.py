"""The supervisor of small members: in which order they start and stop, what is printed, and who ends whom."""

import os
import pty
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from serving import supervisor
from tests.parts import wait_until
from tests.serving.programs import all_end, running

PROGRAM = """
import sys, time
from pathlib import Path
from serving import supervisor
from serving.supervisor import Member, Supervisor

def member(name, code, **options):
    return Member(name, [sys.executable, "-S", "-c", "import os, signal, sys, time\\n" + code], **options)

{0}
sys.exit(Supervisor(members, welcome="Welcome.").run())
"""
# Until it is told to stop; then it says so, after some seconds.
STAYS = """
def stop(*_):
    time.sleep({0}); print("told", flush=True); sys.exit()
signal.signal(signal.SIGTERM, stop); print("begun", flush=True); time.sleep(99)
"""


def program(members: str) -> str:
    return PROGRAM.format(members)


def spoken(said: str) -> list[str]:
    """The lines without the time."""
    return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in said.splitlines()]


def test_each_line_has_the_time_and_the_name_of_who_says_it(tmp_path: Path) -> None:
    members = r"""
says = r'sys.stdout.buffer.write(b"one\ntwo\r\n\xff\n"); sys.stdout.flush(); print("three", file=sys.stderr)'
says += '; sys.stdout.write("four"); sys.stdout.flush(); time.sleep(0.3)'
members = [member("a", says), member("long", "time.sleep(99)")]
"""
    with running(program(members), tmp_path / "log") as run:
        assert run.process.wait(20) == 1

        assert re.search(r"^\d\d:\d\d:\d\d a    \| one$", run.said, re.MULTILINE)
        assert [line for line in spoken(run.said) if line != "Welcome."] == [
            "a    | one",
            "a    | two",
            "a    | \ufffd",
            "a    | three",
            "a    | four",
            "a ended by itself, so all were stopped. Its last lines above say why.",
        ]


def test_names_are_coloured_in_a_terminal(tmp_path: Path) -> None:
    here, terminal = pty.openpty()
    members = 'members = [member("a", "print(1)"), member("b", "time.sleep(99)")]'
    with running(program(members), tmp_path / "log", stdout=terminal) as run:
        os.close(terminal)
        run.process.wait(20)
        said = b""
        with suppress(OSError):  # the end of a terminal
            while piece := os.read(here, 1024):
                said += piece
    os.close(here)

    assert re.search(rb"\x1b\[0m\x1b\[36m\d\d:\d\d:\d\d a \| \x1b\[0m1\r\n", said)


def test_a_member_starts_when_the_one_that_it_needs_is_ready(tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    members = f"""
first = member("first", 'time.sleep(0.5); print("ready", flush=True); open("{mark}", "w").close(); time.sleep(99)',
    is_ready=Path("{mark}").exists)
members = [member("second", 'print("begun"); time.sleep(99)', after=first), first]
"""
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("begun")
        run.until_it_says("Welcome.")

        assert [line for line in spoken(run.said) if line != "Welcome."] == ["first  | ready", "second | begun"]
        assert run.stop() == 0


def test_it_starts_all_the_same_when_that_takes_too_long(tmp_path: Path) -> None:
    members = """
supervisor.READY_SECONDS = 0.3
first = member("first", "time.sleep(99)", is_ready=lambda: False)
members = [first, member("second", 'print("begun"); time.sleep(99)', after=first)]
"""
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("begun")

        assert run.stop() == 0
        assert "Welcome." not in run.said


@pytest.mark.parametrize(
    ("ends", "code"), [("sys.exit(3)", 3), ("sys.exit(0)", 1), ("os.kill(os.getpid(), 9)", 128 + signal.SIGKILL)]
)
def test_the_first_that_ends_by_itself_ends_all_with_its_exit_code(tmp_path: Path, ends: str, code: int) -> None:
    members = f'members = [member("stays", {STAYS.format(0)!r}), member("leaves", "time.sleep(0.5); {ends}")]'
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("begun")
        family = run.family()

        assert run.process.wait(20) == code
        assert "stays  | told" in run.said
        assert "leaves ended by itself, so all were stopped." in run.said.splitlines()[-1]
        all_end(family)


def test_one_outlasts_the_others(tmp_path: Path) -> None:
    members = f"""
last = member("last", {STAYS.format(0)!r}, stops_last=True)
members = [last, member("one", {STAYS.format(0.3)!r}), member("two", {STAYS.format(0)!r})]
"""
    with running(program(members), tmp_path / "log") as run:
        wait_until(lambda: run.said.count("begun") == 3, what="all members")

        assert run.stop() == 0
        assert [line for line in spoken(run.said) if "told" in line] == ["two  | told", "one  | told", "last | told"]


def test_nobody_is_waited_for_for_longer_than_was_promised(tmp_path: Path) -> None:
    members = """
supervisor.OTHERS_STOP_SECONDS, supervisor.ALL_STOP_SECONDS = 0.3, 0.8
deaf = 'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("begun", flush=True); time.sleep(99)'
"""
    members += f'members = [member("last", {STAYS.format(0)!r}, stops_last=True), member("deaf", deaf)]'
    with running(program(members), tmp_path / "log") as run:
        wait_until(lambda: run.said.count("begun") == 2, what="all members")
        family, began = run.family(), time.monotonic()

        assert run.stop() == 0
        assert 0.8 < time.monotonic() - began < 5
        assert "last | told" in run.said
        all_end(family)


def test_all_that_is_waited_for_fits_into_the_promised_five_seconds() -> None:
    looks = 3 * supervisor.LOOK_SECONDS  # of the guard and the supervisor
    words = 2 * supervisor.LAST_WORDS_SECONDS

    assert supervisor.OTHERS_STOP_SECONDS < supervisor.ALL_STOP_SECONDS
    assert supervisor.ALL_STOP_SECONDS + looks + words < 5


def test_a_terminal_that_is_paused_holds_up_no_member_and_no_stop(tmp_path: Path) -> None:
    done = tmp_path / "done"
    talks = f"""
for _ in range(10_000): print("x" * 100)
open("{done}", "w").close(); time.sleep(99)
"""
    unread, paused = os.pipe()
    with running(program(f'members = [member("talks", {talks!r})]'), tmp_path / "log", stdout=paused) as run:
        os.close(paused)
        wait_until(done.exists, what="the end of a million bytes")

        assert run.stop() == 0
    os.close(unread)


def test_a_terminal_that_is_gone_ends_all(tmp_path: Path) -> None:
    unread, gone = os.pipe()
    members = 'members = [member("talks", "while True: print(1, flush=True); time.sleep(0.1)")]'
    with running(program(members), tmp_path / "log", stdout=gone, stderr=subprocess.DEVNULL) as run:
        os.close(gone)
        os.read(unread, 1)
        family = run.family()
        os.close(unread)

        run.process.wait(20)
        all_end(family)
