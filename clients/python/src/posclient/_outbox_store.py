"""What waits to be sent: a row for each photo in ``outbox.sqlite3``, its bytes in ``waiting/<hash>.jpg``.

Both are durable when ``add`` returns. A file is removed only in a transaction after which no row names it.
"""

import logging
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ._files import digest, private_folder, write_durably
from ._locks import Lock
from ._sqlite import BUSY_SECONDS, is_damage, put_aside, wait_for_wal, writing

logger = logging.getLogger("posclient")

SCHEMA = """
CREATE TABLE IF NOT EXISTS photo (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL, product TEXT, filename TEXT NOT NULL, size INTEGER NOT NULL,
  added_at REAL NOT NULL, album TEXT, step TEXT NOT NULL DEFAULT 'new', tries INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '', failed INTEGER NOT NULL DEFAULT 0, cleanup INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS same_picture_for_the_same_product ON photo (hash, coalesce(product, ''));
CREATE TABLE IF NOT EXISTS album (id TEXT PRIMARY KEY, created_at REAL NOT NULL)
"""
COLUMNS = "id, hash, product, filename, size, album, step, tries, error, failed, cleanup"
REMOVED = "removed"  # the error of a photo that its owner took back; it is gone when the server has forgotten it


@dataclass(frozen=True, slots=True)
class Waiting:
    """A photo that waits. ``step`` is how far it came: new, registered, asked. ``error`` is the last failure.

    ``failed``: it isn't tried again by itself. ``cleanup``: the server still has to forget about it.
    """

    id: str
    hash: str
    product: str | None
    filename: str
    size: int
    album: str | None
    step: str
    tries: int
    error: str
    failed: int
    cleanup: int


class OutboxStore:
    """The rows and files in ``folder``; threads and processes may share it. Every write may raise StorageFull."""

    def __init__(self, folder: Path) -> None:
        self.folder = private_folder(folder)
        self.path = self.folder / "outbox.sqlite3"
        self.waiting_folder = private_folder(folder / "waiting")
        self._guard = threading.RLock()
        self._connection = self._open()

    def close(self) -> None:
        with self._guard:
            self._connection.close()

    def all(self) -> list[Waiting]:
        """What waits and what failed, the oldest first."""
        with self._guard:
            rows = self._connection.execute(f"SELECT {COLUMNS} FROM photo ORDER BY added_at, id").fetchall()  # noqa: S608
        return [Waiting(*row) for row in rows]

    def add(self, data: bytes, product: str | None, *, filename: str) -> str:
        """Keeps an image and returns its hash. The same one for the same product is the newest of its product again."""
        hash = digest(data)
        with self._writing() as connection:
            known = connection.execute(
                "SELECT id FROM photo WHERE hash = ? AND product IS ?", (hash, product)
            ).fetchone()
            if known is None or self.read(hash) is None:
                write_durably(self.file(hash), data)
            if known is None:
                connection.execute(
                    "INSERT INTO photo (id, hash, product, filename, size, added_at) VALUES (?, ?, ?, ?, ?, ?)",
                    (str(uuid.uuid4()), hash, product, filename[:255], len(data), time.time()),
                )
            else:  # one that failed, or was to be removed, begins anew
                connection.execute("UPDATE photo SET added_at = ? WHERE id = ?", (time.time(), *known))
                connection.execute(
                    "UPDATE photo SET failed = 0, cleanup = 0, error = '', step = 'new' WHERE id = ? AND failed = 1",
                    known,
                )
        return hash

    def file(self, hash: str) -> Path:
        return self.waiting_folder / f"{hash}.jpg"

    def read(self, hash: str) -> bytes | None:
        """The bytes of a waiting image; None when they are gone or damaged."""
        return whole_bytes(self.file(hash), hash)

    def retry_failed(self) -> int:
        """Lets those that failed wait again; returns how many."""
        with self._writing() as connection:
            return connection.execute(
                "UPDATE photo SET failed = 0, error = '', step = 'new' WHERE failed = 1 AND cleanup = 0"
            ).rowcount

    def remove(self, id: str) -> None:
        """Its owner takes it back. The row stays until ``cleaned`` when the server may know of the photo."""
        with self._writing() as connection:
            connection.execute("UPDATE photo SET failed = 1, cleanup = 1, error = ? WHERE id = ?", (REMOVED, id))
            connection.execute("DELETE FROM photo WHERE id = ? AND step = 'new'", (id,))
            self._drop_files(connection)

    # --- How far a photo came ---------------------------------------------------------------------------------
    def note(self, photo: Waiting, *, step: str, album: str | None = None) -> None:
        """The id of its album is known before anything is sent there."""
        self._update("UPDATE photo SET step = ?, album = coalesce(?, album) WHERE id = ?", step, album, photo.id)

    def renumber(self, photo: Waiting) -> None:
        """Its id is taken on the server: it begins anew with another one."""
        self._update("UPDATE photo SET id = ?, step = 'new', album = NULL WHERE id = ?", str(uuid.uuid4()), photo.id)

    def postpone(self, photo: Waiting, error: str) -> None:
        """It is tried again with the next run."""
        self._update("UPDATE photo SET tries = tries + 1, error = ? WHERE id = ?", error[:500], photo.id)

    def fail(self, photo: Waiting, error: str) -> None:
        """It isn't tried again. The server hasn't forgotten it yet, if it ever knew."""
        sql = "UPDATE photo SET failed = 1, error = ?, cleanup = ?, tries = tries + 1 WHERE id = ?"
        self._update(sql, error[:500], photo.product is not None, photo.id)

    def cleaned(self, photo: Waiting) -> None:
        """The server has forgotten it."""
        with self._writing() as connection:
            connection.execute("UPDATE photo SET cleanup = 0 WHERE id = ?", (photo.id,))
            connection.execute("DELETE FROM photo WHERE id = ? AND error = ?", (photo.id, REMOVED))
            self._drop_files(connection)

    def done(self, photo: Waiting) -> None:
        """The server has it."""
        with self._writing() as connection:
            connection.execute("DELETE FROM photo WHERE id = ?", (photo.id,))
            self._drop_files(connection)

    def album(self) -> str | None:
        """The album on the server that photos for products go into."""
        with self._guard:
            row = self._connection.execute("SELECT id FROM album ORDER BY created_at DESC LIMIT 1").fetchone()
        return str(row[0]) if row else None

    def set_album(self, id: str | None) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM album")
            if id is not None:
                connection.execute("INSERT INTO album VALUES (?, ?)", (id, time.time()))

    def drop_files(self) -> None:
        """Removes files that no row names: what a crash left."""
        with self._writing() as connection:
            self._drop_files(connection)

    # --- Underneath -------------------------------------------------------------------------------------------
    def _drop_files(self, connection: sqlite3.Connection) -> None:
        """Within a transaction that writes: a file whose row isn't there yet can't be under way."""
        named = {hash for (hash,) in connection.execute("SELECT hash FROM photo WHERE error != ?", (REMOVED,))}
        for path in self.waiting_folder.iterdir():
            if path.name.removesuffix(".jpg") not in named:
                with suppress(FileNotFoundError):
                    path.unlink()

    def _update(self, sql: str, *values: object) -> None:
        with self._writing() as connection:
            connection.execute(sql, values)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._guard, writing(self._connection, self.folder) as connection:
            yield connection

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        # One at a time: a second one would put aside what the first has begun anew.
        with Lock(self.folder / "outbox.open.lock").held(seconds=60):
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                logger.error("%s is damaged and begins anew, without the products of its photos: %s", self.path, error)
                put_aside(self.path)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            wait_for_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")  # nothing that was added is lost by a power cut
            ((found,), *_more) = connection.execute("PRAGMA quick_check(1)").fetchall()  # milliseconds: it is small
            if found != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")
            connection.execute("BEGIN IMMEDIATE")
            is_new = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'photo'").fetchone() is None
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            if is_new:
                self._take_in(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_in(self, connection: sqlite3.Connection) -> None:
        """What waits in the folder of a database that was lost is sent all the same, though not to any product."""
        for path in sorted(self.waiting_folder.glob("*.jpg")):
            if (data := whole_bytes(path, path.stem)) is not None:
                connection.execute(
                    "INSERT OR IGNORE INTO photo (id, hash, filename, size, added_at) VALUES (?, ?, ?, ?, ?)",
                    (str(uuid.uuid4()), path.stem, path.name, len(data), path.stat().st_mtime),
                )


def whole_bytes(path: Path, hash: str) -> bytes | None:
    """The bytes of this file; None when it is gone, or they have another hash."""
    with suppress(FileNotFoundError):
        data = path.read_bytes()
        return data if digest(data) == hash else None
    return None
