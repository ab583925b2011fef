"""One row, one statement, and whether it was done: what a state machine asks of a database.

By hand, because the ORM's ``update`` returns no row, and its ``bulk_create`` that ignores conflicts says to nobody
whether the row is his, and swallows SQLite's other broken constraints too. Outside a transaction each is a commit.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def insert_if_absent(row: models.Model) -> bool:
    """Whether the row is new, and ours; False when there was one with its key. Raises ``IntegrityError``."""
    fields = row._meta.concrete_fields
    columns, places = ", ".join(str(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({places})"  # noqa: S608 - only names of columns
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ON CONFLICT ({row._meta.pk.column}) DO NOTHING", values)
        if cursor.rowcount == 0:
            return False
    row._state.adding, row._state.db = False, connection.alias
    return True


def compare_and_set(
    model: type[Row], known: Mapping[str, Any], changes: Mapping[str, Any], *, count: str = ""
) -> Row | None:
    """The row as it is after ``changes`` when it was as ``known``, with its key; else None, and nothing is changed.

    Both map columns to values; ``count`` is one more column, to which one is added.
    """
    fields = {str(field.column): field for field in model._meta.concrete_fields}
    sets = [f"{column} = %s" for column in changes]
    if count:
        sets.append(f"{count} = {count} + 1")
    sql = (
        f"UPDATE {model._meta.db_table} SET {', '.join(sets)}"  # noqa: S608 - only names of columns
        f" WHERE {' AND '.join(f'{column} = %s' for column in known)} RETURNING {', '.join(fields)}"
    )
    given = chain(changes.items(), known.items())
    with connection.cursor() as cursor:
        cursor.execute(sql, [fields[column].get_db_prep_save(value, connection) for column, value in given])
        found = cursor.fetchone()
    if found is None:
        return None
    values = [read(field, value) for field, value in zip(fields.values(), found, strict=True)]
    return model.from_db(connection.alias, [field.attname for field in fields.values()], values)


def read(field: Any, value: Any) -> Any:
    """An id, number, text or time as Django has it: of SQLite ids come as text, times without their zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        kind = field.target_field if field.is_relation else field
        if isinstance(kind, models.UUIDField):
            return UUID(value)
        if isinstance(kind, models.DateTimeField):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value
