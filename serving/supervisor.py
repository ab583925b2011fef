"""Runs processes as one: they start in order, each that ends or hangs is started again, and one outlasts the others.

``serving.guard`` runs the supervisor, and sees to it that nothing outlives it.
"""

import errno
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from .guard import as_shells_say_it, end_with, guarded
from .leftovers import adopt_leftovers, kill_leftovers

READY_SECONDS = 10.0  # after which those that wait for a member start all the same
# One that ended is started again after a pause, which doubles each time until a start holds.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HOLDS_SECONDS = 10.0  # a member that was ready for so long has stayed up
TRIES = 8  # starts in a row that didn't hold, in about a minute: this one can't stay up
# One that runs and doesn't answer is killed, and started again.
SILENT_SECONDS = 30.0
START_SECONDS = 120.0  # to the first answer
ASK_SECONDS = 3.0
# All of it fits into the five seconds that are promised for a stop.
OTHERS_STOP_SECONDS = 2.8  # after which the last one is told too, though the others may still need it
ALL_STOP_SECONDS = 3.6  # after which those that are left are killed
LAST_WORDS_SECONDS = 0.5
LOOK_SECONDS = 0.1
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# The time at which a member said a line; we say it before each. Valkey's and that of our own log.
OWN_TIME = re.compile(r"^(?:\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ [#*.-] |\d{4}-\d\d-\d\dT[\d:.]+Z )")
COLOURS = (36, 33, 32, 35)  # of ANSI terminals: cyan, yellow, green, magenta


@dataclass(eq=False)
class Member:
    """A process to run: ``command`` in our environment and ``environment``."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True  # whether it serves; asked until it does
    answers: Callable[[], bool] | None = None  # asked as long as it runs, in a thread; a silent one is killed
    after: "Member | None" = None  # is to be ready before this one starts
    stops_last: bool = False  # is told to stop when the others have ended
    is_needed: bool = True  # all end when it can't stay up; what the others can do without is started for ever
    is_task: bool = False  # is done when it has ended well
    unsaid: Sequence[str] = ()  # lines with one of these aren't handed on

    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    starts_at: float = field(default=0.0, init=False)  # not before; this and the next three are time.monotonic
    late_at: float = field(default=0.0, init=False)  # by when it should be ready
    ready_at: float | None = field(default=None, init=False)
    heard_at: float = field(default=0.0, init=False)  # when it last answered; ahead while it may still be starting
    failures: int = field(default=0, init=False)  # starts in a row that didn't hold
    is_told: bool = field(default=False, init=False)  # to stop
    is_done: bool = field(default=False, init=False)

    def start(self) -> None:
        now = time.monotonic()
        self.late_at, self.heard_at, self.ready_at = now + READY_SECONDS, now + START_SECONDS - SILENT_SECONDS, None
        self.process = subprocess.Popen(  # noqa: S603 - commands of our own
            self.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(end_with, os.getpid()),
        )

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_up(self) -> bool:
        """Whether it serves; one that began to hang still counts."""
        return self.is_done or (self.runs and self.ready_at is not None)

    def is_waited_for(self) -> bool:
        return not self.is_up and not (self.runs and time.monotonic() > self.late_at)

    def ended(self) -> float:
        """Notes that it ended by itself; for how many seconds it is to pause."""
        now = time.monotonic()
        held = self.ready_at is not None and now - self.ready_at >= HOLDS_SECONDS
        self.failures = 1 if held else self.failures + 1
        pause = min(FIRST_PAUSE * 2.0 ** (self.failures - 1), LONGEST_PAUSE)
        self.process, self.starts_at = None, now + pause
        return pause


class Supervisor:
    """Runs ``members``, which start in their order; ``welcome`` is said as soon as all are up, or failed once."""

    def __init__(self, members: Sequence[Member], *, welcome: str) -> None:
        self.members, self.welcome = members, welcome
        self.stopping_since: float | None = None
        self.exit_code = 0
        self.width = max(len(member.name) for member in members)
        self.readers: list[threading.Thread] = []
        self.output: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def run(self) -> int:
        """Returns when all is over: 0 after a signal to stop, else the exit code of the one that couldn't stay up."""
        return guarded(self._supervise, stop=self.stop, seconds=ALL_STOP_SECONDS)

    def stop(self) -> None:
        """Have all members stop. For signal handlers, too."""
        if self.stopping_since is None:
            self.stopping_since = time.monotonic()

    def _supervise(self) -> int:
        adopt_leftovers()
        printer = threading.Thread(target=self._print, daemon=True)
        printer.start()
        for member in self.members:
            if member.answers is not None:
                threading.Thread(target=self._ask, args=(member, member.answers), daemon=True).start()
        while self.stopping_since is None or any(member.runs for member in self.members):
            if self.stopping_since is None:
                for number, member in enumerate(self.members):
                    self._tend(member, COLOURS[number % len(COLOURS)])
                if self.welcome and all(member.is_up or member.failures for member in self.members):
                    self.output.put(self.welcome)
                    self.welcome = ""
            else:
                self._see_out(waited=time.monotonic() - self.stopping_since)
            time.sleep(LOOK_SECONDS)
        late = time.monotonic() + LAST_WORDS_SECONDS
        for reader in self.readers:
            reader.join(max(0.0, late - time.monotonic()))
        if self.exit_code:
            self.output.put("So all were stopped. The last lines above say why.")
        self.output.put(None)
        printer.join(LAST_WORDS_SECONDS)
        return as_shells_say_it(self.exit_code)

    def _tend(self, member: Member, colour: int) -> None:
        """Starts ``member`` when it is time, again when it ended or hangs."""
        now = time.monotonic()
        if member.is_done or self.stopping_since is not None:
            return
        if member.process is None:
            if now >= member.starts_at and not (member.after and member.after.is_waited_for()):
                self._start(member, colour)
        elif (code := member.process.poll()) is not None:
            self._note_end(member, code)
        elif member.answers is not None and now - member.heard_at > SILENT_SECONDS:
            self.output.put(f"{member.name} doesn't answer any more, so it is killed.")
            member.process.kill()
            member.heard_at = now  # so this isn't said again at once
        elif member.ready_at is None and member.is_ready():
            member.ready_at = member.heard_at = now

    def _start(self, member: Member, colour: int) -> None:
        member.start()
        reader = threading.Thread(target=self._read, args=(member, member.process, colour), daemon=True)
        reader.start()
        self.readers = [reader, *(other for other in self.readers if other.is_alive())]

    def _note_end(self, member: Member, code: int) -> None:
        # What its processes left behind would hold its port.
        kill_leftovers(apart_from={other.process.pid for other in self.members if other.process is not None})
        if member.is_task and code == 0:
            member.is_done = True
            return
        pause = member.ended()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if member.is_needed and member.failures >= TRIES:
            self.output.put(f"{member.name} {how}: it can't stay up, after {TRIES} starts.")
            self.exit_code = code or 1
            self.stop()
        else:
            self.output.put(f"{member.name} {how}. It is started again in {pause:g} s.")

    def _ask(self, member: Member, answers: Callable[[], bool]) -> None:
        while self.stopping_since is None:
            process = member.process
            if process is not None and answers() and process is member.process:
                member.heard_at = time.monotonic()
            time.sleep(ASK_SECONDS)

    def _see_out(self, *, waited: float) -> None:
        staying = [member for member in self.members if member.runs]
        for member in staying:
            assert member.process is not None
            if waited > ALL_STOP_SECONDS:
                member.process.kill()
            elif not member.is_told and (not member.stops_last or staying == [member] or waited > OTHERS_STOP_SECONDS):
                member.is_told = True
                member.process.terminate()

    def _read(self, member: Member, process: subprocess.Popen[bytes], colour: int) -> None:
        """Hand on what a member says, each line with the time and its name."""
        assert process.stdout is not None
        with process.stdout:
            for data in process.stdout:
                prefix = f"{datetime.now(UTC):%H:%M:%S} {member.name:<{self.width}} | "
                if sys.stdout.isatty():
                    prefix = f"\033[0m\033[{colour}m{prefix}\033[0m"
                for line in data.decode(errors="replace").splitlines():
                    if line.strip() and not any(words in line for words in member.unsaid):
                        self.output.put(prefix + OWN_TIME.sub("", line))

    def _print(self) -> None:
        """Print in a thread of its own: a terminal that is paused holds up no member. When it is gone, all stop."""
        while (line := self.output.get()) is not None:
            try:
                print(line, flush=True)  # noqa: T201 - the purpose
            except OSError as error:
                if error.errno in NO_ROOM:  # a file on a full disk: it lacks these lines
                    continue
                self.stop()
                return
