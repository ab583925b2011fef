"""The processes of ``manage.py serve``: web (one or several), worker, beat and, without a ``REDIS_URL``, a Valkey."""

import socket
import sys
from functools import partial
from pathlib import Path

from .supervisor import Member
from .valkey import answers, valkey_command


def members(
    *, port: int, web_processes: int, data: Path, valkey_socket: Path | None, access_log: bool = False
) -> list[Member]:
    """Everything that makes a server. ``valkey_socket``: where its own Valkey listens; None: it needs none.

    Several ``web_processes`` listen at one port. uvicorn keeps them: it starts another for one that dies or hangs.
    """
    valkey = None
    if valkey_socket is not None:
        folder = data / "valkey"
        folder.mkdir(parents=True, exist_ok=True)
        command = valkey_command(data=folder, unix_socket=valkey_socket)
        # A worker that stops without its broker waits for it.
        valkey = Member("valkey", command, is_ready=partial(answers, valkey_socket), stops_last=True)
    python = [sys.executable, "-m"]
    # Which proxy is believed, TRUSTED_PROXIES says; uvicorn would believe any on this machine.
    uvicorn = "config.asgi:application --host 0.0.0.0 --lifespan on --timeout-graceful-shutdown 2 --no-proxy-headers"
    asked = "--access-log" if access_log else "--no-access-log"
    web = Member(
        "web",
        [*python, "uvicorn", *uvicorn.split(), asked, f"--port={port}"],
        {"WEB_CONCURRENCY": str(web_processes)},  # what uvicorn reads its --workers from
        is_ready=partial(listens, port),
    )
    celery = [*python, "celery", "-A", "config", "--quiet", "--skip-checks"]
    # SIGQUIT: a worker gives unfinished tasks back to the broker. The warning is about pickles; it takes none.
    calm = {"REMAP_SIGTERM": "SIGQUIT", "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    worker = Member("worker", [*celery, "worker", "--concurrency=2", "--loglevel=INFO"], calm, after=valkey)
    beat = Member("beat", [*celery, "beat", "--pidfile=", "--loglevel=WARNING"], after=valkey)
    return [*([valkey] if valkey else []), web, worker, beat]


def listens(port: int) -> bool:
    """Whether a process accepts connections on ``port``: uvicorn does when the application has started."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
