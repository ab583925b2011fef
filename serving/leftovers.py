"""The processes that a killed member leaves behind: on Linux they come to us, and are ended."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from .guard import LIBC

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 1.0  # seconds; one that waits for a dead disk ends later, if ever


def adopt_leftovers() -> None:
    """Has the kernel make this process the parent of descendants whose parent ends. Only Linux can."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def kill_leftovers(*, apart_from: set[int]) -> None:
    """Kills the children of this process, but not those ``apart_from``, until none is left or ``PATIENCE`` is over."""
    deadline = time.monotonic() + PATIENCE
    while (left := children() - apart_from) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)


def children() -> set[int]:
    """The pids of this process's children; none where the kernel doesn't list them."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that ended meanwhile
            found.update(map(int, thread.read_text().split()))
    return found
