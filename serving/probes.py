"""GET /livez and /readyz: whether this process runs, and whether every part of the server works."""

import logging
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clocks.jumps import Watch
from clocks.rows import is_set
from images import space
from images.blobs import StorageUnavailable, blobs
from images.identity import unless_busy
from images.trial.asking import verdict
from syncing import capture

from . import heartbeats
from .metrics import may_see

logger = logging.getLogger(__name__)

BROKER_SECONDS = 2.0
NOBODYS_MESSAGE = "redcoral:probe"
SMALL_FILE = 64 * 1024  # bytes
JUMP_FAILS_SECONDS, JUMP_SAID_SECONDS = 5 * 60.0, 24 * 3600.0
watch = Watch()


def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process runs."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part works, else 503; a line for each part says which and why.

    Strangers read ``ok`` or ``failed``: the rest names addresses and what runs here, and is for whom metrics are for.
    """
    lines: list[str] = []
    failed: set[str] = set()
    all_of_it = may_see(request)
    for name, check in CHECKS.items():
        try:
            if (needed := NEEDS.get(name)) in failed:
                raise NotReady(f"not asked, as the {needed} failed")  # each would wait for it again
            answer = check()
        except Exception as error:  # noqa: BLE001 - whatever a part fails with, the others still get their line
            answer = f"failed: {why(error)}"
            failed.add(name)
        lines.append(f"{name}: {answer if all_of_it else re.split('[ :]', answer)[0]}\n")
    return HttpResponse(
        "".join(lines),
        status=503 if failed else 200,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def why(error: Exception) -> str:
    """On one line; a storage's failure by its code and what the storage said."""
    if isinstance(error, StorageUnavailable):
        return " ".join(f"{error.code}: {error.reason}".split())
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


class NotReady(Exception):
    """A part answers, but not as it should."""


def database() -> str:
    """Fails also when it is only read: a file that isn't ours, a disk that became read-only, a server in recovery."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() != ("off",):
                raise NotReady("it takes no writes: transactions are read-only")
        elif not connection.in_atomic_block:
            with unless_busy():  # whoever writes just now has shown that one can
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    cursor.execute("PRAGMA user_version = 1")  # of a file that is only read the lock is granted
                finally:
                    cursor.execute("ROLLBACK")
    return f"ok ({connection.vendor})"


def migrations() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReady(f"{len(waiting)} not applied: run manage.py migrate")
    return "ok"


def triggers() -> str:
    if problems := capture.verify():
        raise NotReady(f"{len(problems)} wrong, run manage.py migrate; the first: {problems[0]}")
    return "ok"


def clock() -> str:
    """Fails for a clock that can't be right, and for some minutes after it was set; says so for a day."""
    now = timezone.now()
    if not is_set(now):
        raise NotReady(f"it says {now:%Y-%m-%d}, which can't be; nothing is cleaned up meanwhile")
    if jump := watch.look():
        logger.warning("Noticed: %s", jump)
    heard = None if watch.jump is None else (watch.jump, watch.age)
    with suppress(redis.RedisError, heartbeats.BeatSilent), broker_client() as client:
        heard = min(filter(None, (heard, heartbeats.beat_heard(client))), key=itemgetter(1), default=None)
    if heard is None or heard[1] > JUMP_SAID_SECONDS:
        return "ok"
    if heard[1] < JUMP_FAILS_SECONDS:
        raise NotReady(str(heard[0]))
    return f"ok ({heard[0]})"


def disk() -> str:
    """Fails when a file of some size can't be written, or when less is free than uploads leave to the others."""
    with tempfile.TemporaryFile(dir=settings.DATA_DIR, buffering=0) as file:
        file.write(bytes(SMALL_FILE))
    left = space.left()
    if left.is_short:
        raise NotReady(f"{left}; photos are refused until there is more")
    return f"ok ({left})"


def storage() -> str:
    """Whether it answers, is the database's own, and takes what uploads write (images/trial/asking.py)."""
    kind = "bucket" if settings.S3_BUCKET else "local files"
    return f"ok ({'; '.join(filter(None, (kind, verdict(blobs()))))})"


def broker_client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS, retry=None
    )


def broker() -> str:
    """A write, as of a message: a broker whose disk is full, or that became a replica, still answers."""
    with broker_client() as client:
        client.set(NOBODYS_MESSAGE, "", ex=60)
    return "ok"


def beat() -> str:
    with broker_client() as client, suppress(heartbeats.BeatSilent):
        heartbeats.beat_heard(client)
        return "ok"
    raise NotReady("the clock of periodic tasks was not heard of lately")


def workers() -> str:
    with broker_client() as client:
        alive = heartbeats.count(client)
    if not alive:
        raise NotReady("no worker was heard of lately")
    return f"ok ({alive})"


def streams() -> str:
    """Whether a process carries them: behind nginx it is another one than that which answers here."""
    with broker_client() as client:
        alive = heartbeats.count(client, heartbeats.STREAMS)
    if not alive:
        raise NotReady("no process that carries streams was heard of lately")
    return f"ok ({alive})"


# What is asked of a part behind the check of that part itself.
NEEDS = {"migrations": "database", "triggers": "database", "workers": "broker", "streams": "broker", "beat": "broker"}
# Each returns what to say when all is well, or raises. A new one has its name here, and in docs/production.md.
CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "triggers": triggers,
    "storage": storage,
    "disk": disk,
    "broker": broker,
    "workers": workers,
    "streams": streams,
    "beat": beat,
    "clock": clock,
}
