"""Snapshots for herds: built once for each (resource, version), however many terminals of however many processes ask.

After a restart everybody asks for the same thing at once. The first to ask builds it, the others wait for what he
puts into the cache, compressed. He holds a lease, which ends soon after him when he is killed. The cache is a hint:
when it is away each request builds its own.
"""

import gzip
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Event, Thread
from typing import Any
from uuid import UUID

import orjson
import redis
from django.core.cache import cache, caches
from django.db import connection

from . import log as sync_log
from . import registry

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600
LEASE_SECONDS = 3  # a builder who didn't renew his lease for so long is dead
PATIENCE_SECONDS = 30  # who has waited for so long builds his own
PAUSE_SECONDS = 0.02
COMPRESSION = 1  # levels above cost more time than they save bytes


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
    heads = sync_log.heads()
    return etag_of(heads.epoch, name, heads.versions[name])


def packed(*, name: str, etag: str) -> Packed:
    """The snapshot of ``etag``, or a newer one. Outside of a transaction no connection is held while it waits."""
    key, building = f"snapshot:{etag}", f"snapshot:{etag}:building"
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while True:
            if body := cache.get(key):
                return Packed(etag, body)
            if cache.add(building, 1, LEASE_SECONDS) or time.monotonic() > deadline:
                break
            let_go_of_the_database()
            time.sleep(PAUSE_SECONDS)
    except redis.RedisError as error:
        log.warning("The cache is away (%s); building a snapshot for one", error)
        return build(name)
    with leased(building):
        # The builder before us may be done, or have found a newer version: there is nothing left to build.
        now = current_etag(name=name)
        with its_absence_logged():
            if body := cache.get(f"snapshot:{now}"):
                return Packed(now, body)
        built = build(name)
        with its_absence_logged():
            cache.set(f"snapshot:{built.etag}", built.body, KEPT_SECONDS)
        return built


@contextmanager
def leased(key: str) -> Iterator[None]:
    """Renews the lease of ``key`` for as long as building takes, and gives it back, also when building failed.

    By a thread: the database may be silent for longer than a lease, or the packing take longer.
    """
    kept, done = caches["default"], Event()  # this thread's; the other would connect anew

    def renew() -> None:
        while not done.wait(LEASE_SECONDS / 3):
            with suppress(redis.RedisError):  # at worst somebody builds it once more
                kept.touch(key, LEASE_SECONDS)

    Thread(target=renew, name="snapshot-lease", daemon=True).start()
    try:
        yield
    finally:
        done.set()
        with its_absence_logged():
            kept.delete(key)


def let_go_of_the_database() -> None:
    """Gives the connection back to its pool: what comes next takes its time, and doesn't need it."""
    if not connection.in_atomic_block:
        connection.close()


@contextmanager
def its_absence_logged() -> Iterator[None]:
    """A cache that is away is no failure of what we do."""
    try:
        yield
    except redis.RedisError as error:
        log.warning("The cache is away (%s); a snapshot isn't kept", error)


def build(name: str) -> Packed:
    snapshot = sync_log.snapshot(name=name)
    answer: dict[str, Any] = {
        "epoch": str(snapshot.epoch),
        "resource": name,
        "version": snapshot.version,
        "items": snapshot.items,
    }
    body = gzip.compress(orjson.dumps(answer), COMPRESSION, mtime=0)
    return Packed(etag_of(snapshot.epoch, name, snapshot.version), body)
