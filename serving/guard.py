"""Runs work in a process group of its own, of which nothing is left afterwards: however the work ends, or we do."""

import ctypes
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LOOK_SECONDS = 0.1
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with(parent: int, signum: signal.Signals = signal.SIGTERM) -> None:
    """Has the kernel send ``signum`` to this process when its parent ends, however it ends.

    May run between fork and exec. ``parent`` is the parent's pid: one that ended before the kernel was told
    is noticed. Does nothing where the kernel can't do it (only Linux can).
    """
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:
            os.kill(os.getpid(), signum)


def guarded(work: Callable[[], int], *, stop: Callable[[], None], seconds: float) -> int:
    """The exit code of ``work()``, which runs in a child process, when nothing of that child's group is left.

    A signal to stop, to us or to the child, calls ``stop()`` in the child; so does our own end. The child has a session
    of its own, so Ctrl-C in a terminal reaches it through us only. If it is killed, the processes that it started have
    ``seconds`` to end by themselves.
    """
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until both processes know what to do
    child = os.fork()
    if child == 0:
        _be_the_child(work, stop, parent)

    def pass_on(*_signal: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)

    for number in STOPS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` wants it
            signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    pid, status = 0, 0
    while not pid:
        time.sleep(LOOK_SECONDS)
        if make_was_interrupted():
            pass_on()
        pid, status = os.waitpid(child, os.WNOHANG)
    code = os.waitstatus_to_exitcode(status)
    deadline = time.monotonic() + (seconds if code < 0 else 0)
    with suppress(ProcessLookupError):  # raised when the group is empty
        while time.monotonic() < deadline:
            os.killpg(child, 0)
            time.sleep(LOOK_SECONDS)
        os.killpg(child, signal.SIGKILL)
    return as_shells_say_it(code)


def _be_the_child(work: Callable[[], int], stop: Callable[[], None], parent: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.setsid()
        for number in STOPS:
            signal.signal(number, lambda *_: stop())
        end_with(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        code = work()
    except BaseException:  # noqa: BLE001 - it would run on as a second parent
        traceback.print_exc()
    if os.getppid() != parent:  # that one was killed, and can't do it
        os.killpg(0, signal.SIGKILL)
    os._exit(code)


def as_shells_say_it(code: int) -> int:
    """``code``, and for a process that was killed by a signal 128 and the number of the signal."""
    return code if code >= 0 else 128 - code


def make_was_interrupted() -> bool:
    """Whether a ``make`` that runs us got a SIGINT alone, as from ``kill -INT``; Ctrl-C in a terminal reaches us too.

    make passes SIGTERM on to what it runs, but not SIGINT: it blocks the signal and waits for us without a word. The
    blocked signal is all that there is to see.
    """
    try:
        parent = Path(f"/proc/{os.getppid()}/status").read_text()
    except OSError:
        return False
    blocked = re.search(r"^SigBlk:\t(\w+)", parent, re.MULTILINE)
    return parent.startswith("Name:\tmake\n") and blocked is not None and bool(int(blocked[1], 16) >> 1 & 1)
