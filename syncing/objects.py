"""Objects as they go over the wire: one statement reads a resource, and the database makes the JSON of each.

Statements are rendered from the list of resources, as the triggers are, and take ids as one array. So their text never
changes, PostgreSQL keeps its plan, and links and children cost no further statement. The bytes are the same on both
databases: compact JSON in the order of the shape; ids, money and times as strings; times in UTC with a ``Z``, and
without a fraction when that is zero.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, models

from .registry import Resource


class Object(NamedTuple):
    id: str
    json: bytes


def read(resource: Resource, ids: Sequence[UUID]) -> list[Object]:
    """The objects ``ids`` in that order, without those that are gone. One statement."""
    values = [DIALECTS[connection.vendor].array(ids)]
    known = {
        key: Object(key, text.encode()) for key, text in _rows(statements(resource, connection.vendor).of_some, values)
    }
    return [known[key] for key in map(str, ids) if key in known]


def listed(resource: Resource, rows: models.QuerySet[Any]) -> list[bytes]:
    """The JSON of the objects of ``rows``, a queryset of their model, in its order. One statement."""
    chosen, values = rows.values("pk").query.sql_with_params()
    one = statements(resource, connection.vendor).one
    # Both databases read what is materialized in the order in which it was made.
    sql = f"WITH chosen(id) AS MATERIALIZED ({chosen}) SELECT ({one} chosen.id) FROM chosen"
    return [text.encode() for (text,) in _rows(sql, values)]


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


@dataclass(frozen=True)
class Statements:
    """SQL that makes the JSON (text) of objects; placeholders are Django's."""

    of_all: str  # one text: all of them by id, with commas between
    of_some: str  # with the id (text) of each, in no order; its parameter is what ``array`` makes of the ids
    one: str  # a subquery but for its end: the expression of the id
    returning: str  # the end of a statement that writes rows of the table: id (text) and JSON


@dataclass(frozen=True)
class Inside:
    """Links or children of an object, as a member of it. ``element`` is an expression over rows ``c`` of ``table``."""

    name: str
    table: str
    owner: str
    element: str
    order: str


class PostgreSQL:
    """How a database writes JSON. Columns, keys and expressions are SQL. SQLite has the same methods."""

    is_in = "= ANY(%s)"

    def array(self, ids: Sequence[UUID]) -> Any:
        """The parameter of ``is_in``."""
        return list(ids)

    def text_of_id(self, column: str) -> str:
        return f"{column}::text"

    def value(self, field: Any, column: str) -> str:
        """The column of a model's field as a member of ``object``."""
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
        """JSON of these members, as text or as a member of another."""
        named = ", ".join(f'{expression} AS "{name}"' for name, expression in members.items())
        return f"(SELECT row_to_json(o) FROM (SELECT {named}) o)"

    def array_of(self, rows: Inside, key: str) -> str:
        """A JSON array, as a member of ``object``: what the object with this key has inside."""
        return f"ARRAY(SELECT {rows.element} FROM {rows.table} c WHERE c.{rows.owner} = {key} ORDER BY {rows.order})"

    def array_and_join(self, rows: Inside, key: str) -> tuple[str, str]:
        """The same for a statement that reads all objects, and what its FROM clause needs for it.

        One pass over the table takes 10,000 objects three quarters of what as many subqueries take.
        """
        grouped = f"SELECT {rows.owner} AS owner, array_agg({rows.element} ORDER BY {rows.order}) AS items"
        grouped += f" FROM {rows.table} c GROUP BY {rows.owner}"
        return (
            f"coalesce(\"{rows.name}\".items, '{{}}')",
            f' LEFT JOIN ({grouped}) "{rows.name}" ON "{rows.name}".owner = {key}',
        )

    def all_in_one(self, json: str, source: str, key: str) -> str:
        """A statement that makes one text of the JSON of all rows, in the order of ``key``, with commas between.

        An aggregate in order gets its rows in order, from an index; sorted afterwards, all the JSON would be.
        """
        return f"SELECT string_agg(j, ',' ORDER BY k) FROM (SELECT {json} AS j, {key} AS k FROM {source}) o"


class SQLite:
    is_in = "IN (SELECT value FROM json_each(%s))"

    def array(self, ids: Sequence[UUID]) -> Any:
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

    def array_of(self, rows: Inside, key: str) -> str:
        ordered = f"SELECT * FROM {rows.table} c WHERE c.{rows.owner} = {key} ORDER BY {rows.order}"
        return f"json((SELECT json_group_array({rows.element}) FROM ({ordered}) c))"

    def array_and_join(self, rows: Inside, key: str) -> tuple[str, str]:
        return self.array_of(rows, key), ""

    def all_in_one(self, json: str, source: str, key: str) -> str:
        return f"SELECT group_concat(j, ',') FROM (SELECT {json} AS j FROM {source} ORDER BY {key}) o"


DIALECTS: dict[str, PostgreSQL | SQLite] = {"postgresql": PostgreSQL(), "sqlite": SQLite()}


@cache
def statements(resource: Resource, vendor: str) -> Statements:
    """The statements of ``resource`` for a database of Django's ``vendor``."""
    dialect = DIALECTS[vendor]
    table = resource.model._meta.db_table  # by its own name, since in SQLite a RETURNING clause knows no other
    key = f"{table}.id"
    inside = {rows.name: rows for rows in _inside(dialect, resource)}
    columns = {name: column_of(resource.model, name) for name in resource.fields if name not in inside}
    plain = {name: dialect.value(_target(field), f"{table}.{field.column}") for name, field in columns.items()}
    arrays = {name: dialect.array_of(rows, key) for name, rows in inside.items()}
    joins = {name: dialect.array_and_join(rows, key) for name, rows in inside.items()}

    def json_of(found: Mapping[str, str]) -> str:
        return f"CAST({dialect.object({name: found[name] for name in resource.fields})} AS text)"

    both = f"{dialect.text_of_id(key)}, {json_of(plain | arrays)}"
    whole = json_of(plain | {name: array for name, (array, _) in joins.items()})
    source = table + "".join(join for _, join in joins.values())
    return Statements(
        of_all=dialect.all_in_one(whole, source, key),
        of_some=f"SELECT {both} FROM {table} WHERE {key} {dialect.is_in}",
        one=f"SELECT {json_of(plain | arrays)} FROM {table} WHERE {key} =",
        returning=f" RETURNING {both}",
    )


def _inside(dialect: PostgreSQL | SQLite, resource: Resource) -> Iterator[Inside]:
    for link in resource.links:
        other, owner = column_of(link.model, link.other), column_of(link.model, link.owner)
        element = dialect.value(_target(other), f"c.{other.column}")
        yield Inside(link.field, link.model._meta.db_table, owner.column, element, f"c.{other.column}")
    for child in resource.children:
        fields = {name: column_of(child.model, name) for name in child.fields}
        element = dialect.object({name: dialect.value(_target(f), f"c.{f.column}") for name, f in fields.items()})
        owner, order = column_of(child.model, child.owner), ", ".join(f"c.{name}" for name in child.order)
        yield Inside(child.field, child.model._meta.db_table, owner.column, element, order)


def column_of(model: type[models.Model], name: str) -> Any:
    """The concrete field of this name or attribute name."""
    return next(field for field in model._meta.concrete_fields if name in (field.name, field.attname))


def _target(field: Any) -> Any:
    """The field whose values a column holds: of a relation, that of the other end."""
    return field.target_field if field.is_relation else field
