"""The replica's SQLite file: a copy that can always be fetched again, written by one process and read by many.

``object`` holds each object as the JSON that came, so a server that grows new fields changes nothing here.
``notice`` is how the other processes of this terminal learn what changed.
"""

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ._rules import Change, Step, Versions
from ._sqlite import BUSY_SECONDS, put_aside, wait_for_wal, writing

logger = logging.getLogger("posclient")

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT, cursor TEXT, last_sync_time REAL);
CREATE TABLE resource (name TEXT PRIMARY KEY, version INTEGER) WITHOUT ROWID;
CREATE TABLE object (resource TEXT, id TEXT, data TEXT NOT NULL, PRIMARY KEY (resource, id)) WITHOUT ROWID;
CREATE TABLE notice (
  number INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL,
  resource TEXT NOT NULL, action TEXT NOT NULL, id TEXT, version INTEGER NOT NULL
);
INSERT INTO state (one) VALUES (1);
"""
NOTICES_KEPT = 20_000
TOLD_ONE_BY_ONE = 1000  # changes of one step; more are told as "reloaded"


class Held(NamedTuple):
    """What the file holds: epoch and versions, the stream's cursor, and when it was last in step (since 1970)."""

    epoch: str | None
    versions: Versions
    cursor: str | None
    last_sync_time: float | None


Row = tuple[str, Literal["created", "updated", "deleted", "reloaded"], str | None, int]


class ReplicaStore:
    """The file at ``path``. Threads may share it: each gets a connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closed = False

    def close(self) -> None:
        with self._guard:
            self._closed = True
            connections, self._open = self._open, []
        for connection in connections:
            connection.close()

    # --- Reading ----------------------------------------------------------------------------------------------
    def get(self, resource: str, id: str) -> dict[str, Any] | None:
        row = self._rows("SELECT data FROM object WHERE resource = ? AND id = ?", (resource, id))
        return json.loads(row[0][0]) if row else None

    def all(self, resource: str) -> list[dict[str, Any]]:
        rows = self._rows("SELECT data FROM object WHERE resource = ? ORDER BY id", (resource,))
        return json.loads(f"[{','.join(data for (data,) in rows)}]") if rows else []

    def count(self, resource: str) -> int:
        return int(self._rows("SELECT count(*) FROM object WHERE resource = ?", (resource,))[0][0])

    def held(self) -> Held:
        with self._reading() as connection:
            epoch, cursor, at = connection.execute("SELECT epoch, cursor, last_sync_time FROM state").fetchone()
            versions = dict(connection.execute("SELECT name, version FROM resource").fetchall())
        return Held(epoch, versions, cursor, at)

    def last_notice(self) -> int:
        return int(self._rows("SELECT coalesce(max(number), 0) FROM notice", ())[0][0])

    def data_version(self) -> tuple[int, int]:
        """Changes when another process has written, or has begun the file anew."""
        return self._inode(), int(self._rows("PRAGMA data_version", ())[0][0])

    def notices_since(self, number: int) -> tuple[int, list[list[Row]]]:
        """The last notice's number, and what each step after ``number`` changed.

        When older notices are gone already, one "reloaded" for every resource stands for all.
        """
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT number, step, resource, action, id, version FROM notice WHERE number > ? ORDER BY number",
                (number,),
            ).fetchall()
            if rows and rows[0][0] != number + 1:
                held = connection.execute("SELECT name, version FROM resource ORDER BY name").fetchall()
                return rows[-1][0], [[(name, "reloaded", None, version or 0) for name, version in held]]
        steps: dict[int, list[Row]] = {}
        for _number, step, resource, action, id, version in rows:
            steps.setdefault(step, []).append((resource, action, id, version))
        return (rows[-1][0] if rows else number), list(steps.values())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything that this thread reads within is true at one moment."""
        with self._reading():
            yield

    # --- Writing ----------------------------------------------------------------------------------------------
    def effect(self, step: Step) -> tuple[list[Change], dict[str, str]]:
        """What a step will really change, and the JSON of each object that it puts.

        A snapshot names everything; only what differs from what is held is a change.
        """
        if step.replaced is None:
            latest: dict[tuple[str, str], Change] = {}
            for change in step.changes:
                if change.action == "deleted" or change.data is not None:
                    latest.pop((change.resource, change.id), None)
                    latest[change.resource, change.id] = change
            return list(latest.values()), {}
        name, version = step.replaced, step.versions[step.replaced] or 0
        held = dict(self._rows("SELECT id, data FROM object WHERE resource = ?", (name,)))
        texts = {str(item["id"]): to_json(item) for item in step.items}
        changes = [
            Change(name, "updated" if id in held else "created", id, version, item)
            for item, (id, text) in zip(step.items, texts.items(), strict=True)
            if held.get(id) != text
        ]
        changes += [Change(name, "deleted", id, version, None) for id in held.keys() - texts.keys()]
        return changes, texts

    def write(self, step: Step, changes: list[Change], texts: Mapping[str, str], *, now: float) -> list[Row]:
        """The whole step in one transaction; returns what is to be told. Raises StorageFull."""
        puts, deletes = [], []
        for change in changes:
            if change.action == "deleted":
                deletes.append((change.resource, change.id))
            else:
                text = texts.get(change.id) if step.replaced else None
                puts.append((change.resource, change.id, text or to_json(change.data)))
        told = rows_to_tell(changes)
        with self._writing() as connection:
            connection.executemany("DELETE FROM object WHERE resource = ? AND id = ?", deletes)
            connection.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", puts)
            connection.execute(
                "UPDATE state SET epoch = ?, cursor = ?, last_sync_time = ?", (step.epoch, step.cursor, now)
            )
            known = dict(connection.execute("SELECT name, version FROM resource").fetchall())
            if known != step.versions:
                connection.execute("DELETE FROM resource")
                connection.executemany("INSERT INTO resource VALUES (?, ?)", list(step.versions.items()))
            if told:
                last = connection.execute("SELECT coalesce(max(number), 0) FROM notice").fetchone()[0]
                connection.executemany(
                    "INSERT INTO notice (step, resource, action, id, version) VALUES (?, ?, ?, ?, ?)",
                    [(last + 1, *row) for row in told],
                )
                connection.execute("DELETE FROM notice WHERE number <= ?", (last - NOTICES_KEPT,))
        return told

    def note_sync(self, *, now: float) -> None:
        """The server was heard, and nothing is missing."""
        with self._writing() as connection:
            connection.execute("UPDATE state SET last_sync_time = ?", (now,))

    def begin_anew(self, why: BaseException) -> None:
        """The file is damaged: put it aside; everything in it can be fetched again."""
        logger.error("%s is damaged and begins anew: %s", self.path, why)
        put_aside(self.path)
        self._forget()

    # --- Connections ------------------------------------------------------------------------------------------
    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.rollback()

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        return writing(self._connection(), self.path)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._local.inode != self._inode():
            if connection is not None:
                self._drop(connection)
            connection = self._connect()
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        with self._guard:
            if self._closed:
                connection.close()
                raise sqlite3.ProgrammingError("this store is closed")
            self._open.append(connection)
        self._local.connection, self._local.inode = connection, self._inode()
        return connection

    def _inode(self) -> int:
        try:
            return os.stat(self.path).st_ino
        except FileNotFoundError:
            return 0

    def _forget(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._drop(connection)
            self._local.connection = None

    def _drop(self, connection: sqlite3.Connection) -> None:
        with self._guard, suppress(ValueError):
            self._open.remove(connection)
        connection.close()


class Follower:
    """What another process of this terminal wrote since the last look."""

    def __init__(self, store: ReplicaStore) -> None:
        self.store = store
        self.seen = store.data_version()
        self.number = store.last_notice()

    def news(self) -> Iterator[list[Row]]:
        """What each step since the last call changed."""
        now = self.store.data_version()
        if now == self.seen:
            return
        began_anew, self.seen = now[0] != self.seen[0], now
        if began_anew:
            self.number = 0
        self.number, steps = self.store.notices_since(self.number)
        yield from steps


def prepare(connection: sqlite3.Connection) -> None:
    """The tables; those of another version of this package are dropped: they are a copy."""
    wait_for_wal(connection)
    # A power cut may take the last transactions, never the file: the cursor goes back with them.
    connection.execute("PRAGMA synchronous = NORMAL")
    if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        for name in ("state", "resource", "object", "notice"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in filter(str.strip, SCHEMA.split(";\n")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")
    connection.execute("COMMIT")


def to_json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def rows_to_tell(changes: Iterable[Change]) -> list[Row]:
    """One row for each change, or one for each resource when there are too many."""
    rows: list[Row] = [(change.resource, change.action, change.id, change.version) for change in changes]
    if len(rows) <= TOLD_ONE_BY_ONE:
        return rows
    newest: dict[str, int] = {}
    for resource, _action, _id, version in rows:
        newest[resource] = max(version, newest.get(resource, 0))
    return [(resource, "reloaded", None, version) for resource, version in newest.items()]
