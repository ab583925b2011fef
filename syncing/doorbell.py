"""The doorbell: a hint that the change log may have grown. It may ring for nothing.

PostgreSQL: one ``LISTEN`` connection for each process. SQLite: ``PRAGMA data_version`` every 20 ms, which costs about
1 % of a core and sees every commit of other connections. Besides, it rings every second: a hint that was lost costs
latency only.
"""

import asyncio
import logging
import random
import sqlite3
import threading
from collections.abc import Callable

import psycopg
from django.db import connection

from .capture.postgresql import CHANNEL

logger = logging.getLogger(__name__)

SAFETY_SECONDS = 1.0
SQLITE_POLL_SECONDS = 0.02
LONGEST_BACKOFF_SECONDS = 5.0
# Those of Django's connection parameters that say how Django uses a connection, not where the database is.
NOT_FOR_LISTENING = {"context", "cursor_factory", "prepare_threshold", "server_side_binding"}


async def listen(ring: Callable[[], None]) -> None:
    """Call ``ring`` on every commit, in the loop that runs this, until cancelled."""
    by_the_clock = asyncio.create_task(_every_second(ring))
    try:
        if connection.vendor == "postgresql":
            await _listen_postgresql(ring)
        else:
            await _poll_sqlite(ring)
    finally:
        by_the_clock.cancel()


async def _every_second(ring: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(SAFETY_SECONDS)
        ring()


async def _listen_postgresql(ring: Callable[[], None]) -> None:
    parameters = {k: v for k, v in connection.get_connection_params().items() if k not in NOT_FOR_LISTENING}
    failures = 0
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as bell:
                await bell.execute(f"LISTEN {CHANNEL}")
                failures = 0
                ring()  # what was committed while nobody listened
                async for _ in bell.notifies():
                    ring()
        except (psycopg.Error, OSError) as error:
            failures += 1
            longest = min(LONGEST_BACKOFF_SECONDS, 0.1 * 2**failures)
            logger.warning("The listening connection was lost (%s); polling until it is back", error)
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - spreads load, keeps no secret


async def _poll_sqlite(ring: Callable[[], None]) -> None:
    loop, stop = asyncio.get_running_loop(), threading.Event()
    path = connection.settings_dict["NAME"]
    poller = threading.Thread(
        target=_watch_sqlite,
        args=(path, stop, lambda: loop.call_soon_threadsafe(ring)),
        name="doorbell",
        daemon=True,
    )
    poller.start()
    try:
        await asyncio.Event().wait()
    finally:
        stop.set()
        await asyncio.to_thread(poller.join, 5)


def _watch_sqlite(path: str, stop: threading.Event, ring: Callable[[], object]) -> None:
    """In a thread of its own: ``data_version`` changes when another connection commits."""
    seen = None
    eyes: sqlite3.Connection | None = None
    try:
        while not stop.wait(SQLITE_POLL_SECONDS):
            try:
                if eyes is None:
                    eyes = sqlite3.connect(path, timeout=1, isolation_level=None, uri=path.startswith("file:"))
                (now,) = eyes.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error as error:
                logger.warning("The database can't be watched (%s); looking every second until it can", error)
                if eyes is not None:
                    eyes.close()
                eyes = None
                stop.wait(SAFETY_SECONDS)
                continue
            if now != seen:
                seen = now
                ring()
    finally:
        if eyes is not None:
            eyes.close()
