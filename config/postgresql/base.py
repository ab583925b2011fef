"""Django's PostgreSQL backend, with a pool that is of use at once when the database comes back from a restart.

One dead connection in the pool says that all of them are. The pool itself would find that out one by one, with a pause
before each that doubles: a request that meets four of them would fail though the database is there.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        """A connection that works: from the pool, or from a pool that was emptied because that one was dead."""
        connection = super().get_new_connection(conn_params)
        pool = self.pool
        if pool is None:
            return connection
        try:
            ConnectionPool.check_connection(connection)
        except psycopg.Error:
            pool.putconn(connection)
            pool.drain()
            return super().get_new_connection(conn_params)
        return connection
