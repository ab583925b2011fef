"""The supervisor of small members: in which order they start and stop, what is printed, who is started again."""

import logging
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from serving import supervisor
from telemetry.lines import Text
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
members = [member("a", says, is_task=True), member("long", "time.sleep(99)")]
"""
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("four")
        assert run.stop() == 0

        assert re.search(r"^\d\d:\d\d:\d\d a    \| one$", run.said, re.MULTILINE)
        assert [line for line in spoken(run.said) if line != "Welcome."] == [
            "a    | one",
            "a    | two",
            "a    | \ufffd",
            "a    | three",
            "a    | four",
        ]


def test_names_are_coloured_in_a_terminal(tmp_path: Path) -> None:
    here, terminal = pty.openpty()
    members = 'supervisor.TRIES = 1; members = [member("a", "print(1)"), member("b", "time.sleep(99)")]'
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
    ("ends", "how"),
    [("sys.exit(3)", "ended with exit code 3"), ("os.kill(os.getpid(), 9)", "was killed by signal 9")],
)
def test_one_that_ends_is_started_again_after_growing_pauses(tmp_path: Path, ends: str, how: str) -> None:
    members = f"""
supervisor.FIRST_PAUSE, supervisor.LONGEST_PAUSE, supervisor.TRIES = 0.1, 0.3, 2
ends = 'print("begun", time.monotonic(), flush=True); {ends}'
members = [member("leaves", ends, is_needed=False), member("stays", {STAYS.format(0)!r})]
"""
    with running(program(members), tmp_path / "log") as run:
        wait_until(lambda: run.said.count("leaves | begun") == 6, what="six starts")
        assert run.stop() == 0

    begun = [float(moment) for moment in re.findall(r"leaves \| begun ([\d.]+)", run.said)]
    pauses = [later - before for before, later in pairwise(begun)]
    assert 0.1 < pauses[0] < pauses[1] < pauses[3]
    assert re.findall(rf"leaves {how}\. It is started again in ([\d.]+) s", run.said)[:4] == [
        "0.1",
        "0.2",
        "0.3",
        "0.3",
    ]
    assert run.said.count("stays  | begun") == 1
    assert "Welcome." in run.said


def test_one_that_stayed_up_for_a_while_is_started_again_at_once(tmp_path: Path) -> None:
    members = """
supervisor.FIRST_PAUSE, supervisor.HOLDS_SECONDS, supervisor.TRIES = 0.1, 0.3, 2
members = [member("leaves", 'print("begun", flush=True); time.sleep(0.8); sys.exit(3)')]
"""
    with running(program(members), tmp_path / "log") as run:
        wait_until(lambda: run.said.count("begun") == 4, what="four starts")

        assert run.said.count("It is started again in 0.1 s") == 3
        assert run.stop() == 0


@pytest.mark.parametrize(
    ("ends", "code"), [("sys.exit(3)", 3), ("sys.exit(0)", 1), ("os.kill(os.getpid(), 9)", 128 + signal.SIGKILL)]
)
def test_all_end_when_one_that_is_needed_cant_stay_up(tmp_path: Path, ends: str, code: int) -> None:
    members = f"""
supervisor.FIRST_PAUSE, supervisor.TRIES = 0.1, 3
members = [member("stays", {STAYS.format(0)!r}), member("leaves", 'print("tried", flush=True); {ends}')]
"""
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("begun")
        family = run.family()

        assert run.process.wait(20) == code
        assert run.said.count("leaves | tried") == 3
        assert "stays  | told" in run.said
        assert "it can't stay up, after 3 starts." in run.said
        assert run.said.endswith("So all were stopped. The last lines above say why.\n")
        all_end(family)


def test_a_task_that_failed_is_tried_until_it_has_ended_well(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    members = f"""
supervisor.FIRST_PAUSE = 0.1
task = 'print("tried", flush=True); sys.exit(0 if os.path.exists("{mark}") else open("{mark}", "w").close() or 1)'
members = [member("task", task, is_task=True, is_needed=False), member("stays", {STAYS.format(0)!r})]
"""
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("Welcome.")
        wait_until(lambda: run.said.count("tried") == 2, what="the second try")
        time.sleep(0.5)  # longer than a pause

        assert run.said.count("tried") == 2
        assert run.stop() == 0


def test_one_that_runs_but_doesnt_answer_is_killed_and_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "answers"
    members = f"""
supervisor.ASK_SECONDS, supervisor.SILENT_SECONDS, supervisor.START_SECONDS = 0.05, 0.5, 5
frozen = 'print("begun", flush=True); open("{mark}", "w").close(); time.sleep(99)'
members = [member("frozen", frozen, answers=Path("{mark}").exists)]
"""
    with running(program(members), tmp_path / "log") as run:
        run.until_it_says("begun")
        time.sleep(0.8)  # longer than it may be silent
        assert "doesn't answer" not in run.said
        mark.unlink()

        run.until_it_says("frozen doesn't answer any more, so it is killed.")
        wait_until(lambda: run.said.count("begun") == 2, what="the next start")
        assert "frozen was killed by signal 9" in run.said
        assert run.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans a new parent")
def test_what_a_killed_member_leaves_behind_is_ended_before_the_next_start(tmp_path: Path) -> None:
    members = """
supervisor.FIRST_PAUSE = 0.1
leaves = 'child = os.fork()\\nif not child: time.sleep(99)\\nprint("child", child, flush=True); os.kill(os.getpid(), 9)'
members = [member("leaves", leaves, is_needed=False), member("stays", "time.sleep(99)")]
"""
    with running(program(members), tmp_path / "log") as run:
        wait_until(lambda: run.said.count("leaves | child") == 3, what="three starts")
        first, second, _third = re.findall(r"child (\d+)", run.said)

        assert not psutil.pid_exists(int(first))
        assert not psutil.pid_exists(int(second))
        assert run.stop() == 0


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


def test_a_line_of_our_own_log_has_one_time() -> None:
    record = logging.LogRecord("room", logging.INFO, __file__, 1, "said", None, None)
    assert supervisor.OWN_TIME.sub("", Text().format(record)) == "INFO room: said"
