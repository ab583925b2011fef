"""Whoever ran an older version has the same tables after `migrate` as whoever begins today.

tests/schemas/ keeps databases as they were, empty but for what `migrate` wrote, as SQL. A migration that is edited when
it has landed changes what begins today, and not what is there: then this test fails.
"""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts import ROOT, SETTINGS

SCHEMAS = ROOT / "tests" / "schemas"
OLDEST = "2026-11-29"
COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, collation_name
    FROM information_schema.columns WHERE table_schema = 'public'
"""
# Names that Django made of a hash are compared by what they are of.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""
INDEXES = """
    SELECT tablename, regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON') FROM pg_indexes WHERE schemaname = 'public'
"""
TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
FUNCTIONS = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


CHECK = re.compile(
    r'CONSTRAINT "\w+" (?:CHECK|UNIQUE) ?\(.*?\)(?=, (?:"|CONSTRAINT)|\)$)'
)  # in SQLite's text of a table


def migrate(folder: Path, **settings: str) -> None:
    unset = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input"],
        cwd=ROOT,
        env={**unset, "DATA_DIR": str(folder), **settings},
        check=True,
        capture_output=True,
        timeout=200,
    )


def shape_on_sqlite(folder: Path) -> dict[str, object]:
    """Tables with their columns in any order, indexes and triggers."""
    with sqlite3.connect(folder / "db.sqlite3") as connection:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql <> ''").fetchall()
        shape: dict[str, object] = {}
        for kind, name, table, sql in rows:
            if kind == "table":
                columns = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
                keys = connection.execute(f'PRAGMA foreign_key_list("{name}")').fetchall()
                checks = sorted(
                    re.findall(r'CONSTRAINT "\w+" (?:CHECK|UNIQUE) ?\(.*?\)(?=, (?:"|CONSTRAINT)|\)$)', sql)
                )
                shape[name] = {column[1:] for column in columns}, {key[2:] for key in keys}, checks
            elif kind == "index":
                shape.setdefault(f"indexes of {table}", set()).add(sql.partition(" ON ")[2])  # type: ignore[attr-defined]
            else:
                shape[name] = sql
    return shape


def shape_on_postgresql(url: str) -> dict[str, object]:
    import psycopg

    with psycopg.connect(url) as connection:
        return {
            what: {tuple(map(plain, row)) for row in connection.execute(what)}
            for what in (COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, FUNCTIONS)
        }


def plain(value: object) -> object:
    """Without casts and brackets: PostgreSQL writes others when a condition went through SQL."""
    return re.sub(r"::[a-z ]+(?:\[\])?|[()\[\]]", "", value) if isinstance(value, str) else value


@pytest.mark.timeout(240)
def test_a_database_of_an_older_version_becomes_one_that_begins_today(
    tmp_path: Path, new_database: Callable[[], dict[str, str]]
) -> None:
    old, fresh = tmp_path / "old", tmp_path / "fresh"
    old.mkdir(mode=0o700)
    settings = [new_database() for _ in range(2)]
    if settings[0]:
        import psycopg

        with psycopg.connect(settings[0]["DATABASE_URL"], autocommit=True) as connection:
            connection.execute((SCHEMAS / f"{OLDEST}.postgresql.sql").read_bytes())
    else:
        with sqlite3.connect(old / "db.sqlite3") as connection_:
            connection_.executescript((SCHEMAS / f"{OLDEST}.sqlite.sql").read_text())
    migrate(old, **settings[0])
    migrate(fresh, **settings[1])

    if settings[0]:
        shapes = [shape_on_postgresql(one["DATABASE_URL"]) for one in settings]
    else:
        shapes = [shape_on_sqlite(folder) for folder in (old, fresh)]
    assert shapes[0].keys() == shapes[1].keys()
    for what, older in shapes[0].items():
        assert older == shapes[1][what], what
