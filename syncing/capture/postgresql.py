"""PostgreSQL: statement triggers note what a transaction touched; a deferred trigger numbers it at commit.

1. A statement trigger writes one row of ids into ``syncing_pending``, under the transaction's id.
2. At commit, after the foreign-key checks of all that was written before it, the last pending row takes the counters in
   name order, gives each touched object one version, writes the change log, and notifies.
3. The counters stay locked until that commit ends. So versions are dense and in commit order, and no writer waits
   longer than for a commit. What can still go wrong: two commits wait for each other's foreign keys (40P01). The API
   and the admin then try once more.

Every function takes the tables to watch.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.db import connection

from . import plpgsql
from .table import Table

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

PREFIX = "capture_"  # of every trigger and of its function, which bears the same name
LONGEST_NAME = 63  # PostgreSQL cuts what is longer
CHANNEL = "syncing"


def render(tables: Iterable[Table]) -> Iterator[str]:
    """The statements that create every function and trigger."""
    yield plpgsql.PENDING
    yield plpgsql.PENDING_IDS
    functions, triggers = _parts(tables)
    for name, body in functions.items():
        settings = "".join(f" SET {key} = {value}" for key, value in plpgsql.SETTINGS.get(name, {}).items())
        yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{settings} AS $body${body}$body$"
    for (table, name), (events, how) in triggers.items():
        kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in how else "TRIGGER"
        yield f'CREATE {kind} {name} {events} ON "{table}" {how} EXECUTE FUNCTION {name}()'


def drop(cursor: "CursorWrapper") -> None:
    for table, name in _installed_triggers():
        cursor.execute(f'DROP TRIGGER IF EXISTS {name} ON "{table}"')


def verify(tables: Iterable[Table]) -> list[str]:
    """A line for each function or trigger that is missing, switched off, left over or isn't as rendered."""
    functions, triggers = _parts(tables)
    there = _installed_triggers()
    bodies = _installed_functions()
    lines = [f"Trigger {name} on {table} is missing." for table, name in triggers if (table, name) not in there]
    for (table, name), (switch, form) in there.items():
        if (table, name) not in triggers:
            lines.append(f"Trigger {name} on {table} is left over.")
        elif switch not in "OA":
            lines.append(f"Trigger {name} on {table} is switched off.")
        elif form != _form(name, *triggers[table, name]):
            lines.append(f"Trigger {name} on {table} was altered.")
    lines += [
        f"Function {name} is missing or was altered."
        for name, body in functions.items()
        if bodies.get(name) != (body, plpgsql.SETTINGS.get(name, {}))
    ]
    return lines


# Of pg_trigger.tgtype, see PostgreSQL's catalog/pg_trigger.h.
ROW, BEFORE, BITS = 1, 2, {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
# (function, type, deferred to the commit, names of its transition tables, with a condition or for some columns only)
Form = tuple[str, int, bool, str, bool]


def _form(name: str, events: str, how: str) -> Form:
    """What PostgreSQL knows of a trigger that was made by these words."""
    kind = sum(bit for word, bit in BITS.items() if word in events) + BEFORE * ("BEFORE" in events)
    tables = " ".join(word for word in ("old_rows", "new_rows") if word in how)
    return name, kind + ROW * ("FOR EACH ROW" in how), "INITIALLY DEFERRED" in how, tables, False


def _installed_triggers() -> dict[tuple[str, str], tuple[str, Form]]:
    """(table, trigger) → (how it is switched, its form), in the tables that the search path finds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname, t.tgenabled,"
            " CASE WHEN pg_function_is_visible(p.oid) THEN p.proname ELSE '' END, t.tgtype, t.tginitdeferred,"
            " concat_ws(' ', t.tgoldtable, t.tgnewtable), t.tgqual IS NOT NULL OR cardinality(t.tgattr) > 0"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE NOT t.tgisinternal AND t.tgname LIKE %s AND pg_table_is_visible(c.oid)",
            [_pattern()],
        )
        return {(table, name): (switch, tuple(form)) for table, name, switch, *form in cursor.fetchall()}


def _installed_functions() -> dict[str, tuple[str, dict[str, str]]]:
    """Name → (body, settings)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosrc, coalesce(proconfig, '{}') FROM pg_proc"
            " WHERE proname LIKE %s AND pg_function_is_visible(oid)",
            [_pattern()],
        )
        return {
            name: (body, dict(setting.split("=", 1) for setting in settings))
            for name, body, settings in cursor.fetchall()
        }


def _pattern() -> str:
    return PREFIX.replace("_", r"\_") + "%"


def _parts(tables: Iterable[Table]) -> tuple[dict[str, str], dict[tuple[str, str], tuple[str, str]]]:
    """Functions by name, and triggers: (table, name) → (events, how)."""
    functions: dict[str, str] = {}
    triggers: dict[tuple[str, str], tuple[str, str]] = {}

    def add(table: str, part: str, events: str, how: str, body: str) -> None:
        name = f"{PREFIX}{part}"
        if name in functions or len(name) > LONGEST_NAME:
            raise ValueError(f"{name} is taken already or too long for a trigger")
        functions[name] = body
        triggers[table, name] = (events, how)

    old, new = "OLD TABLE AS old_rows", "NEW TABLE AS new_rows"
    for table in tables:
        for part, events, how, body in (
            ("insert", "AFTER INSERT", f"REFERENCING {new} FOR EACH STATEMENT", plpgsql.inserted(table)),
            ("update", "AFTER UPDATE", f"REFERENCING {old} {new} FOR EACH STATEMENT", plpgsql.updated(table)),
            ("delete", "AFTER DELETE", f"REFERENCING {old} FOR EACH STATEMENT", plpgsql.deleted(table)),
            ("truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", plpgsql.truncated(table)),
        ):
            add(table.name, f"{table.slug}_{part}", events, how, body)
    add("syncing_pending", "flush", "AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", plpgsql.FLUSH)
    add("syncing_resource", "forget", "AFTER TRUNCATE", "FOR EACH STATEMENT", plpgsql.FORGET)
    add("syncing_epoch", "epoch", "AFTER INSERT OR UPDATE", "FOR EACH STATEMENT", plpgsql.RING)
    return functions, triggers
