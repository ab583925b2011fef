"""Which workers live, and how many streams each process has open: keys in the broker that run out.

Who lives writes its key itself, a worker in the loop that also fetches tasks: when that loop hangs, the key runs out.
/readyz counts workers, and /metrics shows streams: any process can answer for all.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

import redis
import redis.asyncio
from django.conf import settings

KEYS = "redcoral:worker:"
STREAMS = "redcoral:streams:"  # and the name of a process: how many streams it has open
KEY_SECONDS = 15  # a worker writes every 2
TELL_SECONDS = 5.0


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)


def beat(worker: str) -> None:
    """``worker`` lives. Raises redis.RedisError."""
    broker().set(f"{KEYS}{worker}", "", ex=KEY_SECONDS)


def end(worker: str) -> None:
    """``worker`` stops. Raises redis.RedisError."""
    broker().delete(f"{KEYS}{worker}")


def count(broker: redis.Redis) -> int:
    """How many workers were heard of within ``KEY_SECONDS``. Raises redis.RedisError."""
    return sum(1 for _key in broker.scan_iter(f"{KEYS}*"))


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
