"""Guarded work ends when it is told to, and nothing that it started outlives it, whoever is killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from serving import guard
from tests.parts import wait_until
from tests.serving.programs import Program, all_end, running

# The work goes on until it is told to stop, and leaves a process behind that no polite signal ends.
WORK = '''
import signal, subprocess, sys, time
from serving.guard import guarded

stubborn = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN); print("begun", flush=True); time.sleep(99)
"""
told = []

def work():
    subprocess.Popen([sys.executable, "-S", "-c", stubborn])
    while not told:
        time.sleep(0.01)
    print("the work ends", flush=True)
    return 7

signal.signal(signal.SIGHUP, signal.{on_hangup})  # whatever the tests run under
sys.exit(guarded(work, stop=lambda: told.append(True), seconds=0.5))
'''
GUARD, CHILD = 0, 1


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with running(WORK.format(on_hangup="SIG_DFL"), tmp_path / "log") as program:
        program.until_it_says("begun")
        yield program


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("who", [GUARD, CHILD])
def test_a_signal_ends_the_work_in_its_own_way_and_what_is_left_by_force(
    program: Program, how: signal.Signals, who: int
) -> None:
    family = program.family()
    assert len(family) == 3

    family[who].send_signal(how)

    assert program.process.wait(20) == 7
    assert "the work ends" in program.said
    all_end(family)


@pytest.mark.skipif(guard.LIBC is None, reason="only Linux tells a process that its parent has ended")
def test_a_guard_that_is_killed_is_noticed_and_the_work_ends_in_its_own_way(program: Program) -> None:
    family = program.family()

    program.stop(signal.SIGKILL)

    wait_until(lambda: "the work ends" in program.said, what="the work's own end")
    all_end(family)


def test_work_that_is_killed_leaves_nothing_behind_either(program: Program) -> None:
    family = program.family()

    family[CHILD].kill()

    assert program.process.wait(20) == 128 + signal.SIGKILL
    all_end(family)


def test_work_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    with running(WORK.format(on_hangup="SIG_IGN"), tmp_path / "log") as program:
        program.until_it_says("begun")
        ignored = re.search(r"^SigIgn:\t(\w+)", Path(f"/proc/{program.process.pid}/status").read_text(), re.MULTILINE)

        assert ignored is not None
        assert int(ignored[1], 16) >> signal.SIGHUP - 1 & 1
        assert program.stop(signal.SIGTERM) == 7


def test_work_that_fails_is_told_of(tmp_path: Path) -> None:
    failing = "from serving.guard import guarded; raise SystemExit(guarded(lambda: 1 // 0, stop=print, seconds=0.5))"
    with running(failing, tmp_path / "log") as program:
        assert program.process.wait(20) == 1
        assert "ZeroDivisionError" in program.said


@pytest.mark.skipif(guard.LIBC is None, reason="only Linux tells a process that its parent has ended")
def test_a_process_ends_with_its_parent_even_when_that_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess, sys; from functools import partial; from serving.guard import end_with\n"
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
