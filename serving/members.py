"""The processes of ``manage.py serve``: web (one or several), worker, beat and, without a ``REDIS_URL``, a Valkey."""

import socket
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from studio.broker import STUDIO
from uploads.broker import IMAGES, LARGE_IMAGES

from .supervisor import Member
from .valkey import answers, replies, valkey_command

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
ANSWER_SECONDS = 8.0
UPKEEP = "upkeep"  # the queue of what nobody waits for; config.celeryconfig names it too
# Said at each start and stop, of nothing that anybody could mend; docs/production.md has the memory.
OF_VALKEY: tuple[str, ...] = ("Memory overcommit must be enabled", "signal-handler", "is now ready to exit")
OF_THE_WEB: tuple[str, ...] = (
    "Started server process",
    "Waiting for application",
    "Application startup",
    "Application shutdown",
)
OF_THE_WEB += ("Uvicorn running on", "Shutting down", "Finished server process")
OF_CELERY = ("Hitting Ctrl+C again", "Cold shutdown", "Warm shutdown")

# glibc keeps memory for each thread that has decoded a picture, and keeps what was freed below a growing threshold.
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576"}


def members(
    *,
    port: int,
    web_processes: int,
    data: Path,
    valkey_socket: Path | None,
    left_to_do: Sequence[str] = (),
    access_log: bool = False,
    asks_a_provider: bool = False,
) -> list[Member]:
    """Everything that makes a server. ``valkey_socket``: where its own Valkey listens; None: it needs none.

    ``left_to_do`` are commands of ``manage.py``, each of which is tried until it has gone well. ``asks_a_provider``:
    pictures of the studio are waited for, by a worker of their own, so that photos don't wait with them.

    Several ``web_processes`` listen at one port. uvicorn keeps them: it starts another for one that dies or hangs.
    """
    valkey = None
    if valkey_socket is not None:
        folder = data / "valkey"
        folder.mkdir(parents=True, exist_ok=True)
        command = valkey_command(data=folder, unix_socket=valkey_socket)
        # A worker that stops without its broker waits for it.
        valkey = Member(
            "valkey",
            command,
            is_ready=partial(answers, valkey_socket),
            answers=partial(replies, valkey_socket),
            stops_last=True,
            is_needed=False,
            unsaid=OF_VALKEY,
        )
    python = [sys.executable, "-m"]
    # Which proxy is believed, TRUSTED_PROXIES says; uvicorn would believe any on this machine.
    uvicorn = "config.asgi:application --host 0.0.0.0 --lifespan on --timeout-graceful-shutdown 2 --no-proxy-headers"
    web = Member(
        "web",
        [*python, "uvicorn", *uvicorn.split(), f"--port={port}"],
        # The first is what uvicorn reads its --workers from.
        {"WEB_CONCURRENCY": str(web_processes), "ACCESS_LOG": str(access_log), **FRUGAL},
        is_ready=partial(listens, port),
        answers=partial(is_alive, port),
        unsaid=OF_THE_WEB,
    )
    celery = [*python, "celery", "-A", "config", "--quiet", "--skip-checks"]
    # SIGQUIT: a worker gives unfinished tasks back to the broker. The warning is about pickles; it takes none.
    calm = {**FRUGAL, "REMAP_SIGTERM": "SIGQUIT", "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    # Pictures and catalogue are read without them. What keeps them down, a full disk or a broker, may go by.
    background: dict[str, Any] = {"after": valkey, "is_needed": False, "unsaid": OF_CELERY}
    work = [*celery, "worker", "--loglevel=INFO"]
    photos = ["--concurrency=2", *(["-Q", f"{IMAGES},{LARGE_IMAGES},{UPKEEP}"] if asks_a_provider else [])]
    workers = [Member("worker", [*work, *photos], calm, **background)]
    if asks_a_provider:
        asking = [*work, "-Q", STUDIO, "-P", "threads", "--concurrency=4", "-n", "studio@%h"]
        workers.append(Member("studio", asking, calm, **background))
    beat = Member("beat", [*celery, "beat", "--pidfile=", "--loglevel=WARNING"], **background)
    tasks = [
        Member(command, [sys.executable, str(MANAGE), command], is_needed=False, is_task=True) for command in left_to_do
    ]
    return [*([valkey] if valkey else []), web, *workers, beat, *tasks]


def listens(port: int) -> bool:
    """Whether a process accepts connections on ``port``: uvicorn does when the application has started."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def is_alive(port: int) -> bool:
    """Whether ``/livez`` on ``port`` answers, whatever it says: one that refuses us runs."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/livez")
        return connection.getresponse().status > 0
    return False
