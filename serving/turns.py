"""Lines for requests that may hold a thread for long. They wait here, where waiting costs nothing, for their turn.

Together the lines have fewer places than there are threads: whatever the others wait for, a read finds a thread. Probes
have threads of their own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.db import connection

from refusals import DatabaseUnavailable
from syncing import registry

from . import limits
from .bodies import NoRoom

THREADS = 20
PROBE_THREADS = 4
PATIENCE_SECONDS = 5.0  # in line behind others who write; SQLite itself waits as long

SNAPSHOTS = frozenset(f"/api/sync/{name}" for name in registry.names())

snapshots = asyncio.Semaphore(4)  # they may wait for the process that builds one
probers = asyncio.Semaphore(PROBE_THREADS - 2)  # /readyz may wait for each part; /livez always finds a thread
decoders = asyncio.Semaphore(2)  # a picture of 49 megapixels takes 200 MB
hashers = asyncio.Semaphore(2)  # a password takes a quarter of a second of a core
uploads = asyncio.Semaphore(2)  # they wait for the disk
askers = asyncio.Semaphore(3)  # they may wait ten seconds for a picture of the studio
writers = asyncio.Semaphore(4 if connection.vendor == "sqlite" else 6)  # they may wait for each other
TOO_LATE = {writers: DatabaseUnavailable, hashers: NoRoom, probers: NoRoom}  # the other lines move by themselves
LINES = (
    (limits.DECODING, decoders),
    (limits.HASHING, hashers),
    (limits.UPLOADS, uploads),
    (limits.ASKING, askers),
)


@asynccontextmanager
async def turn_of(scope: Any) -> AsyncIterator[None]:
    """Begins when the request may take a thread. Raises DatabaseUnavailable or NoRoom when that takes too long."""
    line = line_of(scope["method"], scope["path"])
    if line is None:
        yield
        return
    try:
        async with asyncio.timeout(PATIENCE_SECONDS if line in TOO_LATE else None):
            await line.acquire()
    except TimeoutError:
        raise TOO_LATE[line] from None
    try:
        yield
    finally:
        line.release()


def line_of(method: str, path: str) -> asyncio.Semaphore | None:
    if path in limits.PROBES:
        return None if path == "/livez" else probers
    if method in limits.SAFE:
        return snapshots if path in SNAPSHOTS else None
    return next((line for pattern, line in LINES if pattern.fullmatch(path)), writers)
