"""Redis or Valkey asked directly: how many messages wait, and counters that all processes share.

Only numbers depend on the answers. A broker that doesn't answer costs half a second and is logged.
"""

import logging
from collections.abc import Mapping
from functools import cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

IMAGES, LARGE_IMAGES = "images", "large_images"  # queues
COUNTERS = "redcoral:uploads"  # a hash: name → number


@cache
def client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=None, decode_responses=True
    )


def waiting() -> int:
    """How many messages about photos no worker has fetched yet; 0 when the broker can't say."""
    try:
        return sum(int(client().llen(queue)) for queue in (IMAGES, LARGE_IMAGES))
    except redis.RedisError as error:
        logger.warning("broker did not say how long its queues are: %s", error)
        return 0


def add(counters: Mapping[str, float]) -> None:
    """Add to counters of these names."""
    try:
        with client().pipeline(transaction=False) as pipe:
            for name, amount in counters.items():
                pipe.hincrbyfloat(COUNTERS, name, amount)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning("not counted: %s", error)


def counters() -> dict[str, float]:
    """All counters, as far as the broker remembers. Raises redis.RedisError."""
    found: dict[str, str] = client().hgetall(COUNTERS)  # type: ignore[assignment]
    return {name: float(value) for name, value in found.items()}
