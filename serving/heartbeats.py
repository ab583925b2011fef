"""Which workers live, whether beat does, and how many streams each process has open: keys in the broker that run out.

Who lives writes its key itself, a worker in the loop that also fetches tasks: when that loop hangs, the key runs out.
/readyz counts workers and processes for streams, /metrics shows streams: any process can answer for all.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import redis
import redis.asyncio
from django.conf import settings

from clocks.jumps import Jump, Watch

KEYS = "redcoral:worker:"
BEAT = "redcoral:beat"  # what it noticed of the clock, as JSON: seconds, at, and how long ago
STREAMS = "redcoral:streams:"  # and the name of a process: how many streams it has open
KEY_SECONDS = 15  # a worker writes every 2, beat every 5
LONGEST_SECONDS = 120  # that such a key has to run; more says that its clock was ahead
TELL_SECONDS = 5.0


class BeatSilent(LookupError):
    """The clock of periodic tasks was not heard of lately."""


def broker() -> redis.Redis:
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)


def beat(worker: str) -> None:
    """``worker`` lives. Raises redis.RedisError."""
    broker().set(f"{KEYS}{worker}", "", ex=KEY_SECONDS)


def end(worker: str) -> None:
    """``worker`` stops. Raises redis.RedisError."""
    broker().delete(f"{KEYS}{worker}")


def count(broker: redis.Redis, keys: str = KEYS) -> int:
    """How many workers, or others by their ``keys``, were heard of within ``KEY_SECONDS``. Raises redis.RedisError."""
    return sum(is_fresh(broker, key) for key in broker.scan_iter(f"{keys}*"))


def is_fresh(broker: redis.Redis, key: str | bytes) -> bool:
    """Whether ``key`` runs out in time. One that was written while the broker's clock was ahead would stay for long."""
    return 0 <= int(broker.ttl(key)) <= LONGEST_SECONDS


def beat_lives(watch: Watch) -> None:
    """The clock of periodic tasks lives, and noticed this of the machine's clock. A broker that fails is no matter."""
    noticed = {}
    if watch.jump is not None:
        noticed = {"seconds": watch.jump.seconds, "at": watch.jump.at.timestamp(), "age": watch.age}
    with suppress(redis.RedisError):
        broker().set(BEAT, json.dumps(noticed), ex=KEY_SECONDS)


def beat_heard(broker: redis.Redis) -> tuple[Jump, float] | None:
    """What beat noticed last of the clock, and how many seconds ago. Raises BeatSilent, redis.RedisError."""
    said = broker.get(BEAT)
    if said is None or not is_fresh(broker, BEAT):
        raise BeatSilent
    noticed = json.loads(said)
    if not noticed:
        return None
    return Jump(noticed["seconds"], datetime.fromtimestamp(noticed["at"], UTC)), noticed["age"]


async def tell_streams(count: Callable[[], int]) -> None:
    """Write every few seconds how many streams this process has open, until cancelled."""
    key = f"{STREAMS}{socket.gethostname()}:{os.getpid()}"
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as broker:
        while True:
            with suppress(redis.RedisError):  # streams need no broker
                await broker.set(key, count(), ex=KEY_SECONDS)
            await asyncio.sleep(TELL_SECONDS)


def streams(broker: redis.Redis) -> Iterator[tuple[str, int]]:
    """Each process that serves streams, and how many it has open. Raises redis.RedisError."""
    for key in broker.scan_iter(f"{STREAMS}*"):
        if (count := broker.get(key)) is not None:  # it may run out meanwhile
            yield key.decode().removeprefix(STREAMS), int(count)
