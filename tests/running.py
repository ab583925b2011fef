"""A whole server, started as ``make run`` starts it, and a terminal that listens to it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from tests.parts import ROOT, SETTINGS, free_port, wait_until

SERVE = (sys.executable, "manage.py", "serve")
START_SECONDS = 180.0  # a first start, with the demo's pictures, on a busy machine


@dataclass
class RunningServer:
    """``manage.py serve`` with a data directory and a port of its own; everything is over when the block ends."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = SERVE
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Self:
        self.clients = ExitStack()
        return self.start()

    def start(self) -> Self:
        """Starts it, again after it has ended; the log begins anew."""
        self.family: list[psutil.Process] = []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_error: object) -> None:
        self.clients.close()
        self.remember_family()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for member in self.alive():
            member.kill()

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    @property
    def said(self) -> str:
        """All that the server printed until now."""
        return self.log.read_text(errors="replace")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        unset = {name: value for name, value in os.environ.items() if name not in {*SETTINGS, "MAKELEVEL", "MAKEFLAGS"}}
        return {**unset, "DATA_DIR": str(self.data), "PORT": str(self.port), **self.settings}

    def until_ready(self) -> Self:
        """Waits until it says where it is and all of its parts answer."""
        wait_until(self.has_said_enough, seconds=START_SECONDS, what="the server's welcome")
        assert self.process.poll() is None, self.said
        wait_until(self.is_ready, seconds=START_SECONDS, what="/readyz")
        self.remember_family()
        return self

    def has_said_enough(self) -> bool:
        return "Ctrl-C stops everything" in self.said or self.process.poll() is not None

    def is_ready(self) -> bool:
        return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200

    def manage(self, *words: str) -> str:
        """What ``manage.py`` prints for ``words``, in the server's environment."""
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def device(self, name: str, *scopes: str) -> httpx.Client:
        """A client with the token of a newly enrolled device; it is closed when the block ends."""
        token = self.manage("enroll_device", name, *scopes).split()[-1]
        client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        return self.clients.enter_context(client)

    def remember_family(self) -> None:
        """Notes who belongs to the server now, to look for orphans later."""
        with suppress(psutil.NoSuchProcess):  # it is over already: those who were noted before count
            self.family = psutil.Process(self.process.pid).children(recursive=True) or self.family

    def alive(self) -> list[psutil.Process]:
        """The members, as noted, that still run."""
        return [process for process in self.family if is_alive(process)]

    def heads(self) -> list[psutil.Process]:
        """The guard, the supervisor, whose end is the end of all, and each member without its children."""
        guard = psutil.Process(self.process.pid)
        (supervisor,) = guard.children()
        return [guard, supervisor, *supervisor.children()]

    def members(self, words: str) -> list[psutil.Process]:
        """The members whose command line has ``words``."""
        found = []
        for process in self.alive():
            with suppress(psutil.NoSuchProcess):  # it may have ended since
                if words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def stop(self, how: signal.Signals = signal.SIGINT, *, seconds: float = 30) -> float:
        """Sends ``how`` to the started process, waits for its end, and returns how many seconds that took."""
        self.remember_family()
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(seconds)
        return time.monotonic() - began


@dataclass(frozen=True)
class Frame:
    """One event of the stream, and when it arrived (``time.monotonic``)."""

    event: str
    id: str
    data: Any
    at: float


class Listener:
    """Reads the stream in a thread until the block ends."""

    def __init__(self, client: httpx.Client, path: str = "/api/sync/events") -> None:
        self.client = client
        self.path = path
        self.frames: list[Frame] = []
        self.over = threading.Event()

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        self.thread.join(20)  # a bookmark comes within 15 s

    @property
    def is_cut_off(self) -> bool:
        return not self.thread.is_alive()

    def read(self) -> None:
        fields: dict[str, str] = {}
        with (
            suppress(httpx.ReadError, httpx.RemoteProtocolError),  # the process was killed
            self.client.stream("GET", self.path, headers={"Accept": "text/event-stream"}, timeout=60) as response,
        ):
            assert response.status_code == 200, response.read()
            for line in response.iter_lines():
                if self.over.is_set():
                    return
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "event" in fields:
                    data = json.loads(fields["data"])
                    self.frames.append(Frame(fields["event"], fields.get("id", ""), data, time.monotonic()))
                    fields = {}

    def first(self, wanted: Callable[[Frame], bool], *, seconds: float = 30, what: str = "the frame") -> Frame:
        """The first frame that is ``wanted``, waiting for it."""
        wait_until(lambda: any(map(wanted, list(self.frames))), seconds=seconds, what=what)
        return next(filter(wanted, self.frames))


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; it may end while we look."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
