"""Pictures that were added offline: shown at once under their final hash, sent when the network is back.

What waits lies in ``waiting/<hash>.jpg`` and in one row of ``outbox.sqlite3``, both durable before ``add_image``
returns. Everything that is asked of the server can be asked again, so a crash between any two steps only means
that the step is repeated.
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
from typing import TypedDict

from ._bridge import Bridge
from ._files import Lock, digest, private_folder, write_durably
from ._images import ImageCache, Progress
from ._sending import Failure, Sending
from ._sqlite import BUSY_SECONDS, is_damage, put_aside, wait_for_wal, writing

log = logging.getLogger("posclient")

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


@dataclass(frozen=True, slots=True)
class Waiting:
    """A picture that waits. ``step`` is how far it came: new, registered, sent, asked. ``error`` is the last failure.

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


class FailedUpload(TypedDict):
    id: str
    hash: str
    product: str | None
    reason: str


class UploadsResult(TypedDict):
    """``already_there``: the server had them. ``waiting_count``: for the next time. ``failed``: not tried again."""

    uploaded_count: int
    already_there: int
    waiting_count: int
    failed: list[FailedUpload]


class Outbox:
    """The pictures that wait in ``folder``; threads and processes may share it. One of them sends at a time."""

    def __init__(self, bridge: Bridge, folder: Path, images: ImageCache) -> None:
        self.bridge = bridge
        self.folder = private_folder(folder)
        self.path = self.folder / "outbox.sqlite3"
        self.waiting_folder = private_folder(folder / "waiting")
        self.images = images
        images.waiting = self.waiting_folder
        self._guard = threading.RLock()
        self._connection = self._open()

    def close(self) -> None:
        with self._guard:
            self._connection.close()

    def add_image(self, path: Path | str | bytes, product: str | None = None, *, filename: str = "") -> str:
        """Keeps the picture of this file (or these bytes) and returns its final hash; the same twice waits once.

        ``product``: the id of the product that is to show it. Needs the extra ``images``, not the network. Raises
        PictureRefused, StorageFull.
        """
        from ._normalize import normalize

        product = product or None
        data = path if isinstance(path, bytes) else Path(path).read_bytes()
        filename = filename or ("picture.jpg" if isinstance(path, bytes) else Path(path).name)
        normal = normalize(data)
        hash = digest(normal)
        with self._writing() as connection:
            known = connection.execute(
                "SELECT id FROM photo WHERE hash = ? AND product IS ?", (hash, product)
            ).fetchone()
            kept = self.waiting_folder / f"{hash}.jpg"
            if known is None or whole_bytes(kept, hash) is None:
                write_durably(kept, normal)
            if known is None:
                connection.execute(
                    "INSERT INTO photo (id, hash, product, filename, size, added_at) VALUES (?, ?, ?, ?, ?, ?)",
                    (str(uuid.uuid4()), hash, product, filename[:255], len(normal), time.time()),
                )
            else:  # one that failed, or was to be removed, begins anew
                connection.execute("UPDATE photo SET added_at = ? WHERE id = ?", (time.time(), *known))
                connection.execute(
                    "UPDATE photo SET failed = 0, cleanup = 0, error = '', step = 'new' WHERE id = ? AND failed = 1",
                    known,
                )
        return hash

    def waiting(self) -> list[Waiting]:
        """What waits and what failed, the oldest first."""
        with self._guard:
            rows = self._connection.execute(f"SELECT {COLUMNS} FROM photo ORDER BY added_at, id").fetchall()  # noqa: S608
        return [Waiting(*row) for row in rows]

    def retry_failed(self) -> int:
        """Lets those that failed wait again; returns how many."""
        with self._writing() as connection:
            return connection.execute(
                "UPDATE photo SET failed = 0, error = '', step = 'new' WHERE failed = 1 AND cleanup = 0"
            ).rowcount

    def remove(self, id: str) -> None:
        """Forgets a picture that waits or failed; the server forgets it with the next ``sync_image_uploads``."""
        with self._writing() as connection:
            connection.execute("UPDATE photo SET failed = 1, cleanup = 1, error = 'removed' WHERE id = ?", (id,))
            connection.execute("DELETE FROM photo WHERE id = ? AND step = 'new'", (id,))
            self._drop_orphans(connection)

    def sync_image_uploads(self, progress: Progress | None = None, *, wait_seconds: float = 60.0) -> UploadsResult:
        """Sends what waits. What the network prevents stays for the next time; ``failed`` says why the others did.

        Pictures for a product are waited for until the server has processed them, ``wait_seconds`` at most. Raises
        NotEnrolled and NotAllowed, and TimeoutError when another process has been sending for very long.
        """
        with Lock(self.folder / "outbox.lock").held(seconds=600):
            with self._writing() as connection:
                self._drop_orphans(connection)
            uploaded, there = Sending(self, wait_seconds=wait_seconds, progress=progress).run()
        left = self.waiting()
        failed: list[FailedUpload] = [
            {"id": photo.id, "hash": photo.hash, "product": photo.product, "reason": photo.error}
            for photo in left
            if photo.failed and photo.error != "removed"
        ]
        return {
            "uploaded_count": uploaded,
            "already_there": there,
            "waiting_count": sum(not photo.failed for photo in left),
            "failed": failed,
        }

    # --- What Sending notes -----------------------------------------------------------------------------------
    def read(self, photo: Waiting) -> bytes | None:
        """The bytes of a waiting picture; None when they are gone or damaged."""
        for path in (self.waiting_folder / f"{photo.hash}.jpg", self.images.get_cached_path(photo.hash)):
            if path is not None and (data := whole_bytes(path, photo.hash)) is not None:
                return data
        return None

    def note(self, photo: Waiting, *, step: str, album: str | None = None) -> None:
        """How far it came. The id of its album is known before anything is sent there."""
        self._update("UPDATE photo SET step = ?, album = coalesce(?, album) WHERE id = ?", step, album, photo.id)

    def renumber(self, photo: Waiting) -> None:
        """Its id is taken on the server: it begins anew with another one."""
        self._update("UPDATE photo SET id = ?, step = 'new', album = NULL WHERE id = ?", str(uuid.uuid4()), photo.id)

    def postpone(self, photo: Waiting, error: str) -> None:
        self._update("UPDATE photo SET tries = tries + 1, error = ? WHERE id = ?", error[:500], photo.id)

    def fail(self, photo: Waiting, failure: Failure) -> None:
        """It isn't tried again. The server hasn't forgotten it yet, if it ever knew."""
        sql = "UPDATE photo SET failed = 1, error = ?, cleanup = ?, tries = tries + 1 WHERE id = ?"
        self._update(sql, str(failure)[:500], photo.product is not None, photo.id)

    def cleaned(self, photo: Waiting) -> None:
        with self._writing() as connection:
            connection.execute("UPDATE photo SET cleanup = 0 WHERE id = ?", (photo.id,))
            connection.execute("DELETE FROM photo WHERE id = ? AND error = 'removed'", (photo.id,))
            self._drop_orphans(connection)

    def done(self, photo: Waiting) -> None:
        """The server has it: the cache takes the picture over."""
        waiting = self.waiting_folder / f"{photo.hash}.jpg"
        self.images.adopt(photo.hash, waiting)
        with self._writing() as connection:
            connection.execute("DELETE FROM photo WHERE id = ?", (photo.id,))
            self._drop_orphans(connection)

    def album(self) -> str | None:
        with self._guard:
            row = self._connection.execute("SELECT id FROM album ORDER BY created_at DESC LIMIT 1").fetchone()
        return str(row[0]) if row else None

    def set_album(self, id: str | None) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM album")
            if id is not None:
                connection.execute("INSERT INTO album VALUES (?, ?)", (id, time.time()))

    # --- Underneath -------------------------------------------------------------------------------------------
    def _drop_orphans(self, connection: sqlite3.Connection) -> None:
        """Removes files that no row names. Rows and files are written within this transaction, so none is new."""
        named = {hash for (hash,) in connection.execute("SELECT hash FROM photo WHERE error != 'removed'")}
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
        with Lock(self.folder / "outbox.open.lock").held(
            seconds=60
        ):  # two who put aside would lose what was begun anew
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                log.error("%s is damaged and begins anew, without the products of its pictures: %s", self.path, error)
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
    """The bytes of this picture's file; None when it is gone or damaged."""
    with suppress(FileNotFoundError):
        data = path.read_bytes()
        return data if digest(data) == hash else None
    return None
