"""Which workers live: each keeps a key in the broker that runs out; /readyz counts the keys.

A worker writes its key itself, in the loop that also fetches tasks: when that loop hangs, the key runs out.
"""

from functools import cache

import redis
from django.conf import settings

KEYS = "redcoral:worker:"
KEY_SECONDS = 15  # a worker writes every 2


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
