"""SQLite: one writer at a time, so row triggers number each change as it happens.

An edit of several statements is several versions here. Their order is commit order, because one writer waits for the
other (``IMMEDIATE``). Every function takes the tables to watch.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.db import connection

from .table import Table

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

PREFIX = "capture_"


def render(tables: Iterable[Table]) -> Iterator[str]:
    """The statements that create every trigger."""
    yield from _triggers(tables).values()


def drop(cursor: "CursorWrapper") -> None:
    for name in _installed():
        cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')


def verify(tables: Iterable[Table]) -> list[str]:
    """A line for each trigger that is missing, left over or isn't as rendered."""
    wanted, there = _triggers(tables), _installed()
    missing = [f"Trigger {name} is missing." for name in wanted if name not in there]
    altered = [f"Trigger {name} was altered." for name in wanted if there.get(name, wanted[name]) != wanted[name]]
    surplus = [f"Trigger {name} is left over." for name in there if name not in wanted]
    return missing + altered + surplus


def _installed() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{PREFIX}%"])
        return dict(cursor.fetchall())


def _triggers(tables: Iterable[Table]) -> dict[str, str]:
    found = {}
    for table in tables:
        changed = " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in table.columns)
        if table.owner is None:
            key = table.key
            is_same = " AND ".join(f'OLD."{c}" IS NEW."{c}"' for c in (key, table.partition) if c)
            parts = {
                "insert": ("INSERT", "", _note(table, "NEW", key, "created")),
                "delete": ("DELETE", "", _note(table, "OLD", key, "deleted")),
                "update": ("UPDATE", f"WHEN {is_same} AND ({changed})", _note(table, "NEW", key, "updated")),
                "rename": (
                    "UPDATE",
                    f"WHEN NOT ({is_same})",
                    _note(table, "OLD", key, "deleted") + _note(table, "NEW", key, "created"),
                ),
            }
        else:
            old, new = f'OLD."{table.owner}"', f'NEW."{table.owner}"'
            parts = {
                "insert": ("INSERT", "", _note(table, "NEW", table.owner, "updated")),
                "delete": ("DELETE", "", _note(table, "OLD", table.owner, "updated")),
                "update": ("UPDATE", f"WHEN {changed}", _note(table, "NEW", table.owner, "updated")),
                "move": ("UPDATE", f"WHEN {old} IS NOT {new}", _note(table, "OLD", table.owner, "updated")),
            }
        for part, (event, condition, body) in parts.items():
            name = f"{PREFIX}{table.slug}_{part}"
            head = f'CREATE TRIGGER "{name}" AFTER {event} ON "{table.name}" FOR EACH ROW {condition}'
            found[name] = f"{head} BEGIN\n{body}END"
    return found


def _note(table: Table, row: str, column: str, action: str) -> str:
    """Numbers the change of the object whose id ``column`` of ``row`` (OLD or NEW) has."""
    if table.partition is None:
        name = f"'{table.resource}'"
        counted = (
            f"  SELECT RAISE(ABORT, 'The counter of {table.resource} is missing: run manage.py migrate.')"
            f" WHERE NOT EXISTS (SELECT 1 FROM syncing_resource WHERE name = {name});\n"
        )
    else:  # the first change makes the counter, which goes on where a log without one ends
        name = f"'{table.resource}:' || {row}.\"{table.partition}\""
        counted = (
            f"  INSERT INTO syncing_resource (name, version, horizon)"
            f" SELECT {name}, newest, newest"
            f" FROM (SELECT coalesce(max(version), 0) AS newest FROM syncing_change WHERE resource = {name})"
            f" WHERE NOT EXISTS (SELECT 1 FROM syncing_resource WHERE name = {name});\n"
        )
    return (
        f"{counted}  UPDATE syncing_resource SET version = version + 1 WHERE name = {name};\n"
        f"  INSERT INTO syncing_change (resource, version, object_id, action, at)"
        f" SELECT name, version, {row}.\"{column}\", '{action}', strftime('%Y-%m-%d %H:%M:%f', 'now')"
        f" FROM syncing_resource WHERE name = {name};\n"
    )
