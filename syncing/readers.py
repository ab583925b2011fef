"""The threads in which a stream process reads its database: a few for all streams together, and one for the hub.

A herd of streams that show their tokens, or do their backfill, waits for a thread and for a connection of the pool. The
hub waits for neither, because each change passes through it on its way to all streams.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db import Error as DatabaseError


def without_the_pool() -> None:
    """Give this thread a connection of its own, beside the pool; it opens when it is used."""
    alone = connection.copy()
    alone.settings_dict["OPTIONS"].pop("pool", None)
    connections[DEFAULT_DB_ALIAS] = alone


# Reading is short work: a few threads are enough, and hold as many database connections.
threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sync-reader")
hub_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync-hub", initializer=without_the_pool)


async def in_reader(call: Callable[..., Any], /, **arguments: Any) -> Any:
    """Run ``call`` in a reader thread; its database connection goes back to the pool at once."""

    def run() -> Any:
        try:
            return _called(call, arguments)
        finally:
            if connection.vendor != "sqlite":
                connection.close()

    return await asyncio.get_running_loop().run_in_executor(threads, run)


async def in_hub_reader(call: Callable[..., Any], /, **arguments: Any) -> Any:
    """Run ``call`` in the hub's thread, which keeps its database connection as long as it works."""
    return await asyncio.get_running_loop().run_in_executor(hub_thread, _called, call, arguments)


def _called(call: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return call(**arguments)
    except DatabaseError:
        connection.close()  # a broken one must not serve the next reader
        raise
