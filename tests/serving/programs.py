"""Small Python programs in processes of their own, for what can't be tried in the process of the tests."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.parts import ROOT, wait_until
from tests.running import is_alive


@dataclass
class Program:
    """A program that runs, and the file that has what it printed."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until_it_says(self, words: str) -> None:
        wait_until(lambda: words in self.said or self.process.poll() is not None, what=words)
        assert words in self.said, self.said

    def family(self) -> list[psutil.Process]:
        """It and its descendants, the oldest first."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after ``how``."""
        self.process.send_signal(how)
        return self.process.wait(20)


@contextmanager
def running(code: str, log: Path, **options: Any) -> Iterator[Program]:
    """``code`` in a process with a session of its own; when the block ends, it has ended with all its descendants."""
    with log.open("wb") as output:
        options = {"stdout": output, "stderr": subprocess.STDOUT, "start_new_session": True, **options}
        program = Program(subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **options), log)
    try:
        yield program
    finally:
        family = program.family() if program.process.poll() is None else []
        for process in filter(is_alive, family):
            process.kill()
        program.process.wait()


def all_end(family: list[psutil.Process], *, seconds: float = 20) -> None:
    """Returns when nobody of ``family`` is left."""
    wait_until(lambda: not any(map(is_alive, family)), seconds=seconds, what="the end of all")
