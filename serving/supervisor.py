"""Runs processes as one: they start in order, the first that ends by itself ends all, and one outlasts the others.

``serving.guard`` runs the supervisor, and sees to it that nothing outlives it.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from .guard import as_shells_say_it, end_with, guarded

READY_SECONDS = 10.0  # after which those that wait for a member start all the same
# All of it fits into the five seconds that are promised for a stop.
OTHERS_STOP_SECONDS = 2.8  # after which the last one is told too, though the others may still need it
ALL_STOP_SECONDS = 3.6  # after which those that are left are killed
LAST_WORDS_SECONDS = 0.5
LOOK_SECONDS = 0.1
COLOURS = (36, 33, 32, 35)  # of ANSI terminals: cyan, yellow, green, magenta


@dataclass(eq=False)
class Member:
    """A process to run: ``command`` in our environment and ``environment``."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True  # whether it serves; asked until it does
    after: "Member | None" = None  # is to be ready before this one starts
    stops_last: bool = False  # is told to stop when the others have ended

    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    late_at: float = field(default=0.0, init=False)  # by when it should be ready (time.monotonic)
    is_told: bool = field(default=False, init=False)  # to stop

    def start(self) -> None:
        self.late_at = time.monotonic() + READY_SECONDS
        self.process = subprocess.Popen(  # noqa: S603 - commands of our own
            self.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(end_with, os.getpid()),
        )

    @property
    def returncode(self) -> int | None:
        """How it ended; None before."""
        return None if self.process is None else self.process.poll()

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_waited_for(self) -> bool:
        return not self.runs or not (self.is_ready() or time.monotonic() > self.late_at)


class Supervisor:
    """Runs ``members``, which start in their order; ``welcome`` is said as soon as all of them are ready."""

    def __init__(self, members: Sequence[Member], *, welcome: str) -> None:
        self.members, self.welcome = members, welcome
        self.stopping_since: float | None = None
        self.width = max(len(member.name) for member in members)
        self.readers: list[threading.Thread] = []
        self.output: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def run(self) -> int:
        """Returns when all is over: 0 after a signal to stop, else the exit code of the member that ended by itself."""
        return guarded(self._supervise, stop=self.stop, seconds=ALL_STOP_SECONDS)

    def stop(self) -> None:
        """Have all members stop. For signal handlers, too."""
        if self.stopping_since is None:
            self.stopping_since = time.monotonic()

    def _supervise(self) -> int:
        printer = threading.Thread(target=self._print, daemon=True)
        printer.start()
        deserter: Member | None = None
        while self.stopping_since is None or any(member.runs for member in self.members):
            if self.stopping_since is None:
                self._start_those_that_may()
                deserter = next((member for member in self.members if member.returncode is not None), None)
                if deserter:
                    self.stop()
            else:
                self._see_out(waited=time.monotonic() - self.stopping_since)
            time.sleep(LOOK_SECONDS)
        late = time.monotonic() + LAST_WORDS_SECONDS
        for reader in self.readers:
            reader.join(max(0.0, late - time.monotonic()))
        if deserter:
            self.output.put(f"{deserter.name} ended by itself, so all were stopped. Its last lines above say why.")
        self.output.put(None)
        printer.join(LAST_WORDS_SECONDS)
        return as_shells_say_it(deserter.returncode or 1) if deserter else 0

    def _start_those_that_may(self) -> None:
        for number, member in enumerate(self.members):
            if member.process is None and not (member.after and member.after.is_waited_for()):
                member.start()
                reader = threading.Thread(target=self._read, args=(member, COLOURS[number % len(COLOURS)]), daemon=True)
                reader.start()
                self.readers.append(reader)
        if self.welcome and all(member.runs and member.is_ready() for member in self.members):
            self.output.put(self.welcome)
            self.welcome = ""

    def _see_out(self, *, waited: float) -> None:
        staying = [member for member in self.members if member.runs]
        for member in staying:
            assert member.process is not None
            if waited > ALL_STOP_SECONDS:
                member.process.kill()
            elif not member.is_told and (not member.stops_last or staying == [member] or waited > OTHERS_STOP_SECONDS):
                member.is_told = True
                member.process.terminate()

    def _read(self, member: Member, colour: int) -> None:
        """Hand on what ``member`` says, each line with the time and its name."""
        assert member.process is not None
        assert member.process.stdout is not None
        for data in member.process.stdout:
            prefix = f"{datetime.now():%H:%M:%S} {member.name:<{self.width}} | "  # noqa: DTZ005 - the time here
            if sys.stdout.isatty():
                prefix = f"\033[0m\033[{colour}m{prefix}\033[0m"
            for line in data.decode(errors="replace").splitlines():
                self.output.put(prefix + line)

    def _print(self) -> None:
        """Print in a thread of its own: a terminal that is paused holds up no member. When it is gone, all stop."""
        while (line := self.output.get()) is not None:
            try:
                print(line, flush=True)  # noqa: T201 - the purpose
            except OSError:
                self.stop()
                return
