"""Celery's transport over Redis, with one client for each channel."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """kombu makes a client for each command, which takes about as long as the command itself."""

    kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """``client``, or our own, which is new when the channel's pool is."""
        if client is None:
            if self.kept is None or self.kept.connection_pool is not self.pool:
                self.kept = self._create_client()
            client = self.kept
        yield client


class Transport(redis.Transport):
    Channel = Channel


def use() -> None:
    """Have URLs of Redis lead here; ``redis+socket://`` takes no other way to choose a transport."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
