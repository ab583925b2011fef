"""The functions that PostgreSQL's triggers call, in PL/pgSQL: notes of what a statement touched, and the numbering.

A changed text here is a changed function for every installation: ``verify`` finds the old one, and ``migrate`` puts the
new one in place and begins a new epoch.
"""

from textwrap import indent

from .table import Table

# Not a Django model, because `flush` would truncate it. Its rows live only inside one transaction, so it needs no WAL.
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
    """Takes the counter to the end of the transaction, and writes the change log: ``action`` for each of ``touched``.

    Other transactions that change the resource wait from here until this commit is on disk. They queue for an advisory
    lock, because in a queue for the row itself each would wait twice and then read the row again. The first change of a
    partition makes its counter, which goes on where a log without one ends.
    """
    return f"""
    done := pg_advisory_xact_lock(hashtextextended({resource}, 7411));
    UPDATE syncing_resource SET version = version + cardinality({ids}) WHERE name = {resource}
      RETURNING version - cardinality({ids}) INTO base;
    IF NOT FOUND THEN
      IF position(':' IN {resource}) = 0 THEN
        RAISE EXCEPTION 'The counter of % is missing: run manage.py migrate.', {resource};
      END IF;
      SELECT coalesce(max(version), 0) INTO base FROM syncing_change WHERE resource = {resource};
      INSERT INTO syncing_resource (name, version, horizon) VALUES ({resource}, base + cardinality({ids}), base);
    END IF;
    INSERT INTO syncing_change (resource, version, object_id, action, at)
      SELECT {resource}, base + place, id, {action}, clock_timestamp() FROM {touched};"""


OF_ONE_NOTE = _numbering(
    "NEW.resource", "NEW.ids", "NEW.action", touched="unnest(NEW.ids) WITH ORDINALITY AS touched (id, place)"
)
OF_MANY = _numbering(
    "r.resource", "r.ids", "action", touched="unnest(r.ids, r.actions) WITH ORDINALITY AS touched (id, action, place)"
)
# Most transactions touch one resource in one statement. Their one note is numbered as it is: gathering its ids costs
# half as much again. A call that is assigned is evaluated at once, where PERFORM would run a query for it.
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
        # Without it each commit would plan anew: a plan for an array whose length is known looks cheaper.
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


def inserted(table: Table) -> str:
    if table.partition is not None:
        return _noting_partitions(table, "'created'", "n", "new_rows AS n")
    if table.owner is None:
        return _noting(table, created=f'array_agg("{table.key}")', source="new_rows")
    return _noting(table, updated=f'array_agg(DISTINCT "{table.owner}")', source="new_rows")


def deleted(table: Table) -> str:
    """A row that the statement also put back (``WITH … DELETE … INSERT``, noted before) is noted as replaced."""
    if table.partition is not None:
        return _noting_partitions(table, _end_of(table), "o", "old_rows AS o")
    if table.owner is not None:
        return _noting(table, updated=f'array_agg(DISTINCT "{table.owner}")', source="old_rows")
    return _noting(
        table,
        deleted=f'array_agg(o."{table.key}") FILTER (WHERE NOT here)',
        replaced=f'array_agg(o."{table.key}") FILTER (WHERE here)',
        source=f"old_rows AS o CROSS JOIN LATERAL (SELECT {_is_here(table)} AS here OFFSET 0) AS now",
    )


def _is_here(table: Table) -> str:
    """Whether the row of ``o`` is in its table. Read by the table's index, however many rows are asked for."""
    same = " AND ".join(f't."{column}" = o."{column}"' for column in (table.key, table.partition) if column)
    return f'EXISTS (SELECT FROM "{table.name}" AS t WHERE {same} OFFSET 0)'


def _end_of(table: Table) -> str:
    return f"CASE WHEN {_is_here(table)} THEN 'replaced' ELSE 'deleted' END"


def truncated(table: Table) -> str:
    """Refused under an older snapshot: TRUNCATE also takes rows that such a snapshot doesn't show."""
    own = {"deleted": f'array_agg("{table.key}")'}
    first = f"""
  IF current_setting('transaction_isolation') NOT LIKE 'read %' THEN
    RAISE EXCEPTION 'TRUNCATE of {table.name} would lose changes under %: do it under READ COMMITTED.',
      current_setting('transaction_isolation');
  END IF;"""
    if table.partition is not None:
        return _noting_partitions(table, "'deleted'", "t", f'"{table.name}" AS t', first=first)
    return _noting(
        table,
        **(own if table.owner is None else {"updated": f'array_agg(DISTINCT "{table.owner}")'}),
        source=f'"{table.name}"',
        first=first,
    )


def updated(table: Table) -> str:
    """An update that changes nothing is no change; a changed key is a deletion and a creation.

    Rows are compared column by column: to compare them whole (``o.* IS DISTINCT FROM n.*``) copies each row first and
    takes twice as long.
    """
    key, owner = table.key, table.owner
    before, after = (", ".join(f'{row}."{column}"' for column in table.columns if column != key) for row in "on")
    differ = f"({before}) IS DISTINCT FROM ({after})"
    joined = f'old_rows AS o FULL JOIN new_rows AS n ON n."{key}" = o."{key}"'
    if table.partition is not None:
        gone, came = f'n."{key}" IS NULL', f'o."{key}" IS NULL'
        return _noting_partitions(
            table,
            f"CASE WHEN {came} THEN 'created' WHEN {gone} THEN {_end_of(table)} ELSE 'updated' END",
            "both_rows",
            f"""{joined} AND n."{table.partition}" = o."{table.partition}"
      CROSS JOIN LATERAL (
        SELECT coalesce(n."{key}", o."{key}"), coalesce(n."{table.partition}", o."{table.partition}")
      ) AS both_rows ("{key}", "{table.partition}")
    WHERE {gone} OR {came} OR {differ}""",
        )
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


def _noting_partitions(table: Table, action: str, row: str, source: str, *, first: str = "") -> str:
    """A function body that notes the rows of ``source`` by partition; ``row`` has key and partition of each."""
    return f"""
BEGIN{first}
  INSERT INTO syncing_pending (resource, action, ids)
    SELECT '{table.resource}:' || {row}."{table.partition}", {action}, array_agg({row}."{table.key}")
    FROM {source}
    GROUP BY 1, 2;
  RETURN NULL;
END
"""


def _noting(table: Table, *, source: str, first: str = "", lone: str = "", **ids: str) -> str:
    """A function body that reads ``source`` once and notes, for each action, its array of ids when there are any.

    ``first`` is done before. ``lone`` is a query for the one row of most updates, which kept its key: for one row the
    full join of ``source`` would cost more than all the rest. When ``lone`` finds nothing, ``source`` is read, with
    merge joins switched off: PostgreSQL knows nothing of a statement's rows and takes hashing for dearer than it is.
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
