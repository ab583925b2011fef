"""Objects as they go over the wire: one statement reads a resource, and the database makes the JSON of each.

The statement is rendered from the list of resources, as the triggers are, and takes the ids as one array. So its text
never changes, PostgreSQL keeps its plan, and links and children cost no further statement. The bytes are the same on
both databases: compact JSON in the order of the shape; ids, money and times as strings; times in UTC with a ``Z``, and
without a fraction when that is zero.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import connection, models

from .registry import Resource


class Object(NamedTuple):
    id: str
    json: bytes


def read(resource: Resource, ids: Sequence[UUID] | None = None) -> list[Object]:
    """The objects ``ids`` in that order, without those that are gone; by default all, by id. One statement."""
    dialect, sql = DIALECTS[connection.vendor], statements(resource, connection.vendor)
    with connection.cursor() as cursor:
        if ids is None:
            cursor.execute(sql.of_all, [])
        else:
            cursor.execute(sql.of_some, [dialect.array(ids)])
        found = [Object(key, text.encode()) for key, text in cursor.fetchall()]
    if ids is None:
        return found
    known = {item.id: item for item in found}
    return [known[key] for key in map(str, ids) if key in known]


@dataclass(frozen=True)
class Statements:
    """SQL that answers with an id (text) and the JSON (text) of each object."""

    of_all: str  # ordered by id
    of_some: str  # in no order; its parameter is what ``array`` makes of the ids
    returning: str  # the end of a statement that writes rows of the table


class Dialect(Protocol):
    """How a database writes JSON. Columns and expressions are SQL."""

    is_in: str

    def array(self, ids: Iterable[UUID]) -> Any:
        """The parameter of ``is_in``."""

    def text_of_id(self, column: str) -> str: ...

    def value(self, field: Any, column: str) -> str:
        """The column of a model's field as a member of ``object``."""

    def object(self, members: Mapping[str, str]) -> str:
        """JSON of these members, as text or as a member of ``array_of``."""

    def array_of(self, expression: str, rows: str) -> str:
        """A JSON array, as a member of ``object``: ``expression`` for each of ``rows`` (the FROM clause), in order."""


class PostgreSQL:
    is_in = "= ANY(%s)"

    def array(self, ids: Iterable[UUID]) -> list[UUID]:
        return list(ids)

    def text_of_id(self, column: str) -> str:
        return f"{column}::text"

    def value(self, field: Any, column: str) -> str:
        if isinstance(field, models.DecimalField):
            return f"{column}::text"
        if isinstance(field, models.DateTimeField):
            text = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
            return f"replace({text}, '.000000Z', 'Z')"
        if isinstance(field, models.TimeField):
            return f"replace(to_char({column}, 'HH24:MI:SS.US'), '.000000', '')"
        if isinstance(field, models.JSONField):  # a list of texts or numbers; jsonb as text has blanks
            elements = f"array_to_json(ARRAY(SELECT jsonb_array_elements({column})))"
            return f"CASE jsonb_typeof({column}) WHEN 'array' THEN {elements} ELSE {column}::json END"
        return column

    def object(self, members: Mapping[str, str]) -> str:
        named = ", ".join(f'{expression} AS "{name}"' for name, expression in members.items())
        return f"(SELECT row_to_json(o) FROM (SELECT {named}) o)"

    def array_of(self, expression: str, rows: str) -> str:
        return f"array_to_json(ARRAY(SELECT {expression} FROM {rows}))"


class SQLite:
    is_in = "IN (SELECT value FROM json_each(%s))"

    def array(self, ids: Iterable[UUID]) -> str:
        return json.dumps([key.hex for key in ids])

    def text_of_id(self, column: str) -> str:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in parts)

    def value(self, field: Any, column: str) -> str:
        if isinstance(field, models.UUIDField):
            return self.text_of_id(column)
        if isinstance(field, models.DecimalField):
            return f"CASE WHEN {column} IS NOT NULL THEN printf('%%.2f', {column}) END"
        if isinstance(field, models.DateTimeField):
            return f"replace({column}, ' ', 'T') || 'Z'"
        if isinstance(field, models.BooleanField):
            return f"json(CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' ELSE 'null' END)"
        if isinstance(field, models.JSONField):  # a list of texts or numbers; as it is stored it has \u escapes
            return f"json((SELECT json_group_array(value) FROM json_each({column})))"
        return column

    def object(self, members: Mapping[str, str]) -> str:
        named = ", ".join(f"'{name}', {expression}" for name, expression in members.items())
        return f"json_object({named})"

    def array_of(self, expression: str, rows: str) -> str:
        return f"json((SELECT json_group_array({expression}) FROM {rows}))"


DIALECTS: dict[str, Dialect] = {"postgresql": PostgreSQL(), "sqlite": SQLite()}


@cache
def statements(resource: Resource, vendor: str) -> Statements:
    """The statements of ``resource`` for a database of Django's ``vendor``."""
    dialect = DIALECTS[vendor]
    table = resource.model._meta.db_table  # by its own name, since in SQLite a RETURNING clause knows no other
    key = f"{table}.id"
    members = {name: _member(dialect, resource, name, key) for name in resource.fields}
    both = f"{dialect.text_of_id(key)}, CAST({dialect.object(members)} AS text)"
    return Statements(
        of_all=f"SELECT {both} FROM {table} ORDER BY {key}",
        of_some=f"SELECT {both} FROM {table} WHERE {key} {dialect.is_in}",
        returning=f" RETURNING {both}",
    )


def _member(dialect: Dialect, resource: Resource, name: str, key: str) -> str:
    """The expression of one field of the shape; ``key`` is the column of the object's id."""
    for link in resource.links:
        if link.field == name:
            other, owner = column_of(link.model, link.other), column_of(link.model, link.owner)
            rows = f"SELECT {other.column} AS other FROM {link.model._meta.db_table} WHERE {owner.column} = {key}"
            return dialect.array_of(dialect.value(_target(other), "l.other"), f"({rows} ORDER BY {other.column}) l")
    for child in resource.children:
        if child.field == name:
            table, owner = child.model._meta.db_table, column_of(child.model, child.owner)
            fields = {inner: column_of(child.model, inner) for inner in child.fields}
            members = {inner: dialect.value(_target(field), f"c.{field.column}") for inner, field in fields.items()}
            rows = f"(SELECT * FROM {table} WHERE {owner.column} = {key} ORDER BY {', '.join(child.order)}) c"
            return dialect.array_of(dialect.object(members), rows)
    field = column_of(resource.model, name)
    return dialect.value(_target(field), f"{resource.model._meta.db_table}.{field.column}")


def column_of(model: type[models.Model], name: str) -> Any:
    """The concrete field of this name or attribute name."""
    return next(field for field in model._meta.concrete_fields if name in (field.name, field.attname))


def _target(field: Any) -> Any:
    """The field whose values a column holds: of a relation, that of the other end."""
    return field.target_field if field.is_relation else field
