"""Snapshots for herds: built once for each (resource, version), however many terminals ask.

After a restart every terminal asks for the same thing at once. One process builds it, under a lock that all processes
of this machine share; the others wait until it is in the cache, compressed. The lock ends with its holder: when a
builder is killed, the next one goes on at once. Of several machines each may build its own. Lock and cache only save
work: without one of them, each request builds its own snapshot.
"""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import IO
from uuid import UUID

import orjson
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from . import log, registry
from .codings import pack

logger = logging.getLogger(__name__)

KEPT_SECONDS = 3600
LOCKS = 64  # files, among which the snapshots are distributed
PATIENCE_SECONDS = 30  # whoever has waited for so long builds its own
PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Packed:
    """The JSON of a snapshot, gzipped, and its entity tag without quotes."""

    etag: str
    body: bytes


def etag_of(epoch: UUID, name: str, version: int) -> str:
    """Another epoch or another wire shape is another answer, also at the same version."""
    return sha256(f"{epoch} {name} {version} {registry.resource(name).shape}".encode()).hexdigest()[:32]


def current_etag(*, name: str) -> str:
    """The tag of the snapshot as it would be now: one small query, nothing built."""
    heads = log.heads()
    return etag_of(heads.epoch, name, heads.versions[name])


def packed(*, name: str, etag: str) -> Packed:
    """The snapshot of ``etag``, or a newer one. Outside of a transaction no connection is held while it waits."""
    try:
        with lock_of(etag) as lock:
            if body := kept_or_ours(etag, lock):
                return Packed(etag, body)
            # The builder before us may have found a newer version: then there is nothing left to build.
            now = current_etag(name=name)
            if body := cache.get(key(now)):
                return Packed(now, body)
            built = build(name)
            cache.set(key(built.etag), built.body, KEPT_SECONDS)
            return built
    except (redis.RedisError, OSError) as error:
        logger.warning("No cache or no lock (%s); a snapshot is built for one caller", error)
        return build(name)


def key(etag: str) -> str:
    return f"snapshot:{etag}"


@contextmanager
def lock_of(etag: str) -> Iterator[IO[bytes]]:
    """The file to lock for building ``etag``. Closing it ends the lock."""
    path = settings.DATA_DIR / "locks" / f"snapshots-{int(etag, 16) % LOCKS}"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as lock:
        yield lock


def kept_or_ours(etag: str, lock: IO[bytes]) -> bytes | None:
    """Wait until the cache has the snapshot. None: it is ours to build, as the lock is free, or we have waited long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (body := cache.get(key(etag))):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this opening of the file: it keeps threads apart too
            return None
        if time.monotonic() > deadline:
            return None
        let_go_of_the_database()
        time.sleep(PAUSE_SECONDS)
    return bytes(body)


def let_go_of_the_database() -> None:
    """Give the connection back to its pool: what comes next takes its time, and doesn't need it."""
    if not connection.in_atomic_block:
        connection.close()


def build(name: str) -> Packed:
    snapshot = log.snapshot(name=name)
    head = {"epoch": str(snapshot.epoch), "resource": name, "version": snapshot.version}
    json = b'%b,"items":%b}' % (orjson.dumps(head)[:-1], snapshot.items)
    return Packed(etag_of(snapshot.epoch, name, snapshot.version), pack(json))
