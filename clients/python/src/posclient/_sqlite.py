"""What every SQLite file of a terminal needs, whatever it keeps."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._errors import StorageFull

BUSY_SECONDS = 30.0


@contextmanager
def writing(connection: sqlite3.Connection, place: Path) -> Iterator[sqlite3.Connection]:
    """One transaction that takes the write lock at once. Raises StorageFull, which names ``place``."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise StorageFull(f"{place}: {error}") from error
        raise


def wait_for_wal(connection: sqlite3.Connection) -> None:
    """Several processes may open a new file at once, and this pragma doesn't wait for the others."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is no database any more; a lock or a full disk is something else."""
    return isinstance(error, sqlite3.DatabaseError) and any(
        words in str(error) for words in ("malformed", "not a database", "no such table", "no such column")
    )


def put_aside(path: Path) -> None:
    """Makes room for a new file, and keeps the damaged one beside it."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{path}.damaged{suffix}")
