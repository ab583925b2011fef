"""Room on the disk for those who only read.

SQLite needs 32 kB beside the database to open it, if only for reading. Where these can't be had, a full disk would take
away what is there until somebody makes room. So a running server never lets go of them, and a file that keeps some room
is given up by a start that finds the disk full.
"""

import os
import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

RESERVE = 4 * 1024 * 1024  # bytes
NEEDED = 1024 * 1024


def give_up_reserve(data: Path) -> bool:
    """Deletes the reserve in ``data`` when less than ``NEEDED`` is free; whether the disk is that full."""
    found = os.statvfs(data)
    if found.f_bavail * found.f_frsize >= NEEDED:
        return False
    with suppress(OSError):
        (data / "reserve").unlink()
    return True


def keep_reserve(data: Path) -> None:
    """Makes the reserve when it isn't there, and there is room for several."""
    path, found = data / "reserve", os.statvfs(data)
    if path.exists() or found.f_bavail * found.f_frsize < 4 * RESERVE:
        return
    try:
        with path.open("wb") as file:
            file.write(bytes(RESERVE))  # not a hole
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            path.unlink()


def database_held_open() -> AbstractContextManager[object]:
    """Keeps the files beside a SQLite database, which its last connection would delete, until the block ends."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return nullcontext()
    with suppress(sqlite3.Error):
        held = sqlite3.connect(f"file:{quote(str(database['NAME']))}?mode=ro", uri=True, check_same_thread=False)
        held.execute("SELECT count(*) FROM sqlite_master").fetchone()  # it has them from here on
        return closing(held)
    return nullcontext()
