"""GET /livez and /readyz: whether this process runs, and whether every part of the server works."""

import re
from collections.abc import Callable
from contextlib import suppress

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from images.blobs import BlobMissing, blobs
from syncing import capture

from . import heartbeats
from .metrics import may_see

BROKER_SECONDS = 2.0
# No image has this name; asking for it shows that the storage answers.
NOBODYS_KEY = f"images/{'0' * 64}.jpg"


def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process runs."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part works, else 503; a line for each part says which and why.

    Strangers read ``ok`` or ``failed``: the rest names addresses and what runs here, and is for whom metrics are for.
    """
    lines, ready, is_there, all_of_it = [], True, True, may_see(request)
    for name, check in CHECKS.items():
        try:
            if name in IN_DATABASE and not is_there:
                raise NotReady("not asked, the database is away")  # each would wait for it again
            answer = check()
        except Exception as error:  # noqa: BLE001 - whatever a part fails with, the others still get their line
            answer, ready = (
                f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                False,
            )
            is_there = is_there and name != "database"
        lines.append(f"{name}: {answer if all_of_it else re.split('[ :]', answer)[0]}\n")
    return HttpResponse(
        "".join(lines),
        status=200 if ready else 503,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


class NotReady(Exception):
    """A part answers, but not as it should."""


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
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


def storage() -> str:
    with suppress(BlobMissing):
        blobs().stat(NOBODYS_KEY)
    return "ok (bucket)" if settings.S3_BUCKET else "ok (local files)"


def broker_client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS, retry=None
    )


def broker() -> str:
    with broker_client() as client:
        client.ping()
    return "ok"


def workers() -> str:
    with broker_client() as client:
        alive = heartbeats.count(client)
    if not alive:
        raise NotReady("no worker was heard of lately")
    return f"ok ({alive})"


IN_DATABASE = {"migrations", "triggers"}  # what is asked of the database itself, after "database"
CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "triggers": triggers,
    "storage": storage,
    "broker": broker,
    "workers": workers,
}
