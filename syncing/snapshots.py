"""Snapshots for herds: built once for each (resource, version), however many terminals of however many processes ask.

After a restart everybody asks for the same thing at once. The first to ask builds it, the others wait for what he
puts into the cache, compressed. The cache is a hint: when it is away each request builds its own.
"""

import gzip
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
import redis
from django.core.cache import cache

from . import log as sync_log
from . import registry

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600
BUILDING_SECONDS = 30  # a builder that is silent for longer is taken for dead
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
    """The snapshot of ``etag``, or a newer one."""
    key, building = f"snapshot:{etag}", f"snapshot:{etag}:building"
    deadline = time.monotonic() + BUILDING_SECONDS
    try:
        while True:
            if body := cache.get(key):
                return Packed(etag, body)
            if cache.add(building, 1, BUILDING_SECONDS):
                # The builder before us may be done, or have found a newer version: there is nothing left to build.
                now = current_etag(name=name)
                if body := cache.get(f"snapshot:{now}"):
                    cache.delete(building)
                    return Packed(now, body)
                break
            if time.monotonic() > deadline:
                break
            time.sleep(PAUSE_SECONDS)
    except redis.RedisError as error:
        log.warning("The cache is away (%s); building a snapshot for one", error)
        return build(name)
    try:
        built = build(name)
        with its_absence_logged():
            cache.set(f"snapshot:{built.etag}", built.body, KEPT_SECONDS)
        return built
    finally:  # also when building failed: the others wait for us
        with its_absence_logged():
            cache.delete(building)


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
