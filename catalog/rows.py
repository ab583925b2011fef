"""Rows of a table: read, inserted or changed by one statement, however many they are.

Ids and values travel as one array, so the text of a statement follows from the table and its columns alone: PostgreSQL
keeps its plan, and nothing is compiled anew. Rows are dictionaries from attribute name to value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, models

from syncing.objects import DIALECTS, column_of

Row = dict[str, Any]


def read(model: type[models.Model], ids: Iterable[UUID], *, by: str = "id", lock: str = "") -> list[Row]:
    """The rows whose column ``by`` is one of ``ids``, by ``by``; locked in that order by ``lock`` (FOR UPDATE, say)."""
    sql, converters = _reading(model, by, connection.vendor)
    lock = f" {lock}" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(sql + lock, [DIALECTS[connection.vendor].array(list(ids))])
        found = cursor.fetchall()
    names = [field.attname for field in model._meta.concrete_fields]
    rows = [dict(zip(names, values, strict=True)) for values in found]
    for name, of_column, convert in converters:
        for row in rows:
            row[name] = convert(row[name], of_column, connection)
    return rows


def instance(model: type[models.Model], row: Row) -> Any:
    """The stored ``row`` as an object of ``model``."""
    return model.from_db(DEFAULT_DB_ALIAS, list(row), list(row.values()))


def insert(
    model: type[models.Model], rows: Sequence[Row], *, or_skip: bool = False, returning: str = ""
) -> list[tuple[Any, ...]]:
    """Insert ``rows``, all with the same columns. ``or_skip`` leaves out those that break uniqueness.

    Returns what ``returning`` (the end of the statement) says of those that were inserted.
    """
    return insertion(model, rows, or_skip=or_skip, returning=returning).run()


def change(
    model: type[models.Model], rows: Sequence[Row], names: Iterable[str], *, returning: str = ""
) -> list[tuple[Any, ...]]:
    """Set the columns ``names`` of the stored rows that have the ids of ``rows``; ``returning`` as in ``insert``."""
    return alteration(model, rows, names, returning=returning).run()


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters. Making one of many rows takes longer than running it: it is made before a lock is."""

    sql: str
    parameters: Sequence[Any]

    def run(self) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.parameters)
            return cursor.fetchall() if cursor.description else []


def insertion(
    model: type[models.Model], rows: Sequence[Row], *, or_skip: bool = False, returning: str = ""
) -> Statement:
    """The statement of ``insert``."""
    sql = _inserting(model, tuple(rows[0]), connection.vendor)
    return Statement(sql + " ON CONFLICT DO NOTHING" * or_skip + returning, [_values(model, tuple(rows[0]), rows)])


def alteration(
    model: type[models.Model], rows: Sequence[Row], names: Iterable[str], *, returning: str = ""
) -> Statement:
    """The statement of ``change``."""
    named = ("id", *sorted(set(names) - {"id"}))
    parameters: list[Any] = [_values(model, named, rows)]
    if connection.vendor != "sqlite":
        parameters.append(DIALECTS[connection.vendor].array([row["id"] for row in rows]))
    return Statement(_changing(model, named, connection.vendor) + returning, parameters)


def _values(model: type[models.Model], names: tuple[str, ...], rows: Sequence[Row]) -> str:
    """The JSON array of ``rows``, by column."""
    fields = [column_of(model, name) for name in names]
    values: list[dict[str, Any]]
    if connection.vendor == "sqlite":  # PostgreSQL has the types to make of JSON what each column holds
        values = [{one.column: one.get_db_prep_save(row[one.attname], connection) for one in fields} for row in rows]
    else:
        values = [{one.column: row[one.attname] for one in fields} for row in rows]
    return orjson.dumps(values, default=str).decode()


@cache
def _reading(model: type[models.Model], by: str, vendor: str) -> tuple[str, list[tuple[str, Any, Any]]]:
    """A SELECT, and what makes a Python value of a column: (attribute name, expression, converter)."""
    table, fields = model._meta.db_table, model._meta.concrete_fields
    converters = []
    for field in fields:
        of_column: Any = field.get_col(table)
        made = [*connection.ops.get_db_converters(of_column), *of_column.get_db_converters(connection)]
        converters += [(field.attname, of_column, convert) for convert in made]
    column = column_of(model, by).column
    named = ", ".join(f'"{field.column}"' for field in fields)
    sql = f"SELECT {named} FROM {table} WHERE {column} {DIALECTS[vendor].is_in} ORDER BY {column}"  # noqa: S608 - by models
    return sql, converters


@cache
def _inserting(model: type[models.Model], names: tuple[str, ...], vendor: str) -> str:
    table, columns, given = model._meta.db_table, _columns(model, names), _given(model, names, vendor)
    # WHERE: else SQLite would take the ON of ON CONFLICT for that of a join.
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {given} WHERE true"  # noqa: S608 - by models


@cache
def _changing(model: type[models.Model], names: tuple[str, ...], vendor: str) -> str:
    table = model._meta.db_table
    fields = [column_of(model, name) for name in names if name != "id"]
    assigned = ", ".join(f'"{field.column}" = given."{field.column}"' for field in fields)
    sql = f"UPDATE {table} SET {assigned} FROM {_given(model, names, vendor)} WHERE {table}.id = given.id"  # noqa: S608
    # Else PostgreSQL, which can't know how many are given, reads large tables whole.
    return sql if vendor == "sqlite" else f"{sql} AND {table}.id {DIALECTS[vendor].is_in}"


def _columns(model: type[models.Model], names: Iterable[str]) -> str:
    return ", ".join(f'"{column_of(model, name).column}"' for name in names)


def _given(model: type[models.Model], names: tuple[str, ...], vendor: str) -> str:
    """The rows that the parameter has, as a member of FROM that is called ``given``."""
    fields = [column_of(model, name) for name in names]
    if vendor == "sqlite":
        taken = ", ".join(f"json_extract(value, '$.{field.column}') AS \"{field.column}\"" for field in fields)
        return f"(SELECT {taken} FROM json_each(%s)) AS given"  # noqa: S608 - by models
    typed = ", ".join(f'"{field.column}" {field.db_type(connection)}' for field in fields)
    return f"json_to_recordset(%s::json) AS given ({typed})"
