"""Django's PostgreSQL backend, with a pool that is of use at once when the database comes back from a restart.

One dead connection in the pool says that all of them are. The pool itself would find that out one by one, with a pause
before each that doubles: a request that meets four of them would fail though the database is there.
"""

import select
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.adapt import AdaptersMap, Buffer
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        """A connection that works: from the pool, or from a pool that was emptied because that one was dead."""
        connection = super().get_new_connection(conn_params)
        pool = self.pool
        if pool is None:
            return connection
        try:
            if has_news(connection):
                ConnectionPool.check_connection(connection)
        except psycopg.Error:
            pool.putconn(connection)
            pool.drain()
            return super().get_new_connection(conn_params)
        return connection

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if self.timezone is UTC:
            parameters["context"] = with_utc_loader(parameters["context"])
        return parameters


def has_news(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has sent what nobody asked for, such as that it ended this idle connection.

    A question would cost each request a round trip, and find no more: a server that is gone without a word answers
    nothing, however it is asked.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class UtcLoader(TimestamptzLoader):
    """A time of a connection that speaks UTC, as all of ours do. Django's loader takes ten times as long."""

    timezone = UTC  # Django compares it with its own

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:  # infinity, or before the year 1: psycopg has the words for it
            return super().load(data)


@lru_cache
def with_utc_loader(adapters: AdaptersMap) -> AdaptersMap:
    """A copy, made once, of what Django adapts values with; its loader of times is ours."""
    copy = AdaptersMap(adapters)
    copy.register_loader("timestamptz", UtcLoader)
    return copy
