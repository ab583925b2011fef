"""PostgreSQL: statement triggers note what a transaction touched; a deferred trigger numbers it at commit.

1. A statement trigger writes one row of ids into ``syncing_pending``, under the transaction's id.
2. At commit, after the foreign-key checks of all that was written before it, the last pending row takes the counters in
   name order, gives each touched object one version, writes the log, and notifies.
3. The counters stay locked only until that commit ends: versions are dense, in commit order, and nobody waits
   longer than a commit. What can still go wrong: two commits that wait for each other's foreign keys (40P01): the door
   retries.

Every function takes ``capture.Table`` values.
"""

from collections.abc import Iterable, Iterator
from textwrap import indent
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from . import Table

PREFIX = "capture_"  # of every trigger and of its function, which bears the same name
LONGEST_NAME = 63  # PostgreSQL cuts what is longer
CHANNEL = "syncing"

# Not a Django model: `flush` would truncate it. Its rows live only inside one transaction, so it needs no WAL.
PENDING = """
CREATE UNLOGGED TABLE IF NOT EXISTS syncing_pending (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint GENERATED ALWAYS AS IDENTITY,
  resource text NOT NULL,
  action text NOT NULL,
  ids uuid[] NOT NULL,
  PRIMARY KEY (xid, seq))
"""
PENDING_IDS = "ALTER TABLE syncing_pending ALTER ids SET STORAGE EXTERNAL"  # random bytes: compressing them is in vain


def _numbering(resource: str, ids: str, action: str, touched: str) -> str:
    """Takes the counter, to the end of the transaction, and writes the log: ``action`` for each of ``touched``.

    Everybody else who changes the resource waits from here until this commit is on disk. They queue for the advisory
    lock: in a queue for the row itself each waits twice, and looks again at what it waited for.
    """
    return f"""
    done := pg_advisory_xact_lock(hashtextextended({resource}, 7411));
    UPDATE syncing_resource SET version = version + cardinality({ids}) WHERE name = {resource}
      RETURNING version - cardinality({ids}) INTO base;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'The counter of % is missing: run manage.py migrate.', {resource};
    END IF;
    INSERT INTO syncing_change (resource, version, object_id, action, at)
      SELECT {resource}, base + place, id, {action}, clock_timestamp() FROM {touched};"""


OF_ONE_NOTE = _numbering(
    "NEW.resource", "NEW.ids", "NEW.action", touched="unnest(NEW.ids) WITH ORDINALITY AS touched (id, place)"
)
OF_MANY = _numbering(
    "r.resource", "r.ids", "action", touched="unnest(r.ids, r.actions) WITH ORDINALITY AS touched (id, action, place)"
)
# Most transactions touch one resource in one statement; to gather from one note would cost them half as much again.
# A call that is assigned is evaluated at once, where PERFORM runs a query for it.
FLUSH = f"""
DECLARE
  me xid8 := pg_current_xact_id();
  r record;
  base bigint;
  done text;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM syncing_pending WHERE xid = me AND seq <> NEW.seq) THEN
    DELETE FROM syncing_pending WHERE xid = me AND seq = NEW.seq;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    done := pg_notify('syncing', '');{OF_ONE_NOTE}
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT 1 FROM syncing_pending WHERE xid = me AND seq > NEW.seq) THEN
    RETURN NULL;
  END IF;
  done := pg_notify('syncing', '');
  FOR r IN
    WITH noted AS (DELETE FROM syncing_pending WHERE xid = me RETURNING seq, resource, action, ids)
    SELECT resource, array_agg(id) AS ids, array_agg(action) AS actions
    FROM (
      SELECT resource, id,
        CASE
          WHEN gone > born THEN CASE WHEN first_born < first_gone THEN NULL ELSE 'deleted' END
          WHEN born > 0 AND first_born < first_gone THEN 'created'
          ELSE 'updated'
        END AS action
      FROM (
        SELECT resource, id,
          coalesce(max(seq) FILTER (WHERE action = 'created'), 0) AS born,
          coalesce(max(seq) FILTER (WHERE action = 'deleted'), 0) AS gone,
          coalesce(min(seq) FILTER (WHERE action = 'created'), 9223372036854775807) AS first_born,
          coalesce(min(CASE action WHEN 'deleted' THEN seq WHEN 'replaced' THEN 0 END), 9223372036854775807)
            AS first_gone
        FROM noted, unnest(ids) AS id
        GROUP BY resource, id
      ) AS life
    ) AS outcome
    WHERE action IS NOT NULL
    GROUP BY resource
    ORDER BY resource
  LOOP{OF_MANY}
  END LOOP;
  RETURN NULL;
END
"""

SETTINGS = {
    "capture_flush": {
        # A plan made while the table of notes was empty would read all of it, and it grows until it is vacuumed.
        "enable_seqscan": "off",
        # Or each commit plans anew: with the array at hand its length is known, and the plan looks cheaper.
        "plan_cache_mode": "force_generic_plan",
    }
}

# Django's `flush` truncates the counters together with everything else: there is nothing left to number.
FORGET = """
BEGIN
  DELETE FROM syncing_pending WHERE xid = pg_current_xact_id();
  RETURN NULL;
END
"""

RING = """
BEGIN
  PERFORM pg_notify('syncing', '');
  RETURN NULL;
END
"""


def render(tables: Iterable["Table"]) -> Iterator[str]:
    """The statements that create every function and trigger."""
    yield PENDING
    yield PENDING_IDS
    functions, triggers = _parts(tables)
    for name, body in functions.items():
        settings = "".join(f" SET {key} = {value}" for key, value in SETTINGS.get(name, {}).items())
        yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{settings} AS $body${body}$body$"
    for (table, name), (events, how) in triggers.items():
        kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in how else "TRIGGER"
        yield f'CREATE {kind} {name} {events} ON "{table}" {how} EXECUTE FUNCTION {name}()'


def drop(cursor: "CursorWrapper") -> None:
    for table, name in _installed_triggers():
        cursor.execute(f'DROP TRIGGER IF EXISTS {name} ON "{table}"')


def verify(tables: Iterable["Table"]) -> list[str]:
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
        if bodies.get(name) != (body, SETTINGS.get(name, {}))
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


def _parts(tables: Iterable["Table"]) -> tuple[dict[str, str], dict[tuple[str, str], tuple[str, str]]]:
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
            ("insert", "AFTER INSERT", f"REFERENCING {new} FOR EACH STATEMENT", _inserted(table)),
            ("update", "AFTER UPDATE", f"REFERENCING {old} {new} FOR EACH STATEMENT", _updated(table)),
            ("delete", "AFTER DELETE", f"REFERENCING {old} FOR EACH STATEMENT", _deleted(table)),
            ("truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", _truncated(table)),
        ):
            add(table.name, f"{table.slug}_{part}", events, how, body)
    add("syncing_pending", "flush", "AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", FLUSH)
    add("syncing_resource", "forget", "AFTER TRUNCATE", "FOR EACH STATEMENT", FORGET)
    add("syncing_epoch", "epoch", "AFTER INSERT OR UPDATE", "FOR EACH STATEMENT", RING)
    return functions, triggers


def _inserted(table: "Table") -> str:
    if table.owner is None:
        return _noting(table, created=f'array_agg("{table.key}")', source="new_rows")
    return _noting(table, updated=f'array_agg(DISTINCT "{table.owner}")', source="new_rows")


def _deleted(table: "Table") -> str:
    """A statement may put back what it deletes (``WITH … DELETE … INSERT``), and note that before: it was replaced."""
    if table.owner is not None:
        return _noting(table, updated=f'array_agg(DISTINCT "{table.owner}")', source="old_rows")
    return _noting(
        table,
        deleted=f'array_agg(o."{table.key}") FILTER (WHERE NOT here)',
        replaced=f'array_agg(o."{table.key}") FILTER (WHERE here)',
        source=f"old_rows AS o CROSS JOIN LATERAL (SELECT {_is_here(table)} AS here OFFSET 0) AS now",
    )


def _is_here(table: "Table") -> str:
    """Whether the row of ``o`` is in its table; by its index, however many are asked for."""
    return f'EXISTS (SELECT FROM "{table.name}" AS t WHERE t."{table.key}" = o."{table.key}" OFFSET 0)'


def _truncated(table: "Table") -> str:
    """TRUNCATE takes rows that an older snapshot doesn't show."""
    own = {"deleted": f'array_agg("{table.key}")'}
    return _noting(
        table,
        **(own if table.owner is None else {"updated": f'array_agg(DISTINCT "{table.owner}")'}),
        source=f'"{table.name}"',
        first=f"""
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of {table.name} would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;""",
    )


def _updated(table: "Table") -> str:
    """An update that changes nothing is no change; a changed key is a deletion and a creation.

    Column by column: comparing whole rows (``o.* IS DISTINCT FROM n.*``) copies each first and takes twice as long.
    """
    key, owner = table.key, table.owner
    before, after = (", ".join(f'{row}."{column}"' for column in table.columns if column != key) for row in "on")
    differ = f"({before}) IS DISTINCT FROM ({after})"
    joined = f'old_rows AS o FULL JOIN new_rows AS n ON n."{key}" = o."{key}"'
    if owner is None:
        return _noting(
            table,
            deleted=f'array_agg(o."{key}") FILTER (WHERE n."{key}" IS NULL AND NOT {_is_here(table)})',
            replaced=f'array_agg(o."{key}") FILTER (WHERE n."{key}" IS NULL AND {_is_here(table)})',
            created=f'array_agg(n."{key}") FILTER (WHERE o."{key}" IS NULL)',
            updated=f'array_agg(n."{key}") FILTER (WHERE o."{key}" = n."{key}" AND {differ})',
            source=joined,
            lone=f"""
  SELECT CASE WHEN {differ} THEN ARRAY[n."{key}"] END INTO updated_ids
  FROM old_rows AS o, new_rows AS n
  WHERE NOT EXISTS (SELECT FROM new_rows OFFSET 1) AND n."{key}" = o."{key}";""",
        )
    return _noting(
        table,
        updated="array_agg(DISTINCT owner)",
        source=f'{joined} CROSS JOIN LATERAL (VALUES (o."{owner}"), (n."{owner}")) AS ends (owner)'
        f' WHERE (o."{key}" IS DISTINCT FROM n."{key}" OR {differ}) AND owner IS NOT NULL',
    )


def _noting(table: "Table", *, source: str, first: str = "", lone: str = "", **ids: str) -> str:
    """A function body that reads ``source`` once and notes, for each action, its array of ids when there are any.

    ``first`` is done before. ``lone`` is a query for one row that kept its key, as most updates have: for it alone a
    full join costs more than all else that notes it. When it finds none, ``source`` is read, and never by sorting:
    nothing is known of the rows of a statement, so that PostgreSQL takes hashing for dearer than it is.
    """
    notes = "".join(
        f"""
  IF {action}_ids IS NOT NULL THEN
    INSERT INTO syncing_pending (resource, action, ids) VALUES ('{table.resource}', '{action}', {action}_ids);
  END IF;"""
        for action in ids
    )
    declared = "".join(f"  {action}_ids uuid[];\n" for action in ids)
    into = ", ".join(f"{action}_ids" for action in ids)
    read = f"""
  SELECT {", ".join(ids.values())} INTO {into} FROM {source};"""
    if lone:
        declared += "  merging text := current_setting('enable_mergejoin');\n  done text;\n"
        read = f"""{lone}
  IF NOT FOUND THEN
    done := set_config('enable_mergejoin', 'off', true);{indent(read, "  ")}
    done := set_config('enable_mergejoin', merging, true);
  END IF;"""
    return f"""
DECLARE
{declared}BEGIN{first}{read}{notes}
  RETURN NULL;
END
"""
