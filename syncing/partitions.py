"""Private resources: each value of their partition has a version, a horizon and a change log of its own.

They are captured by the same triggers into the same tables, under names such as ``history:7``. Terminals don't know of
them: no status, snapshot, cursor or stream names them. Whoever owns the resource answers for it, by ``whole`` and
``changes``. Each answer is one statement, and so one snapshot of the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from devices.identity import as_uuid

from . import objects
from .log import NO_VERSION, Reason, ResyncRequired
from .registry import Resource


@dataclass(frozen=True)
class Part:
    """Of one partition: ``items`` are the JSON of objects, ``deleted`` ids; both true at ``version`` or later.

    ``version < head`` means that there is more to ask for.
    """

    epoch: UUID
    version: int
    head: int
    items: list[bytes]
    deleted: list[str]


def whole(resource: Resource, value: int) -> Part:
    """Every object of the partition, by id, at exactly ``version``."""
    with connection.cursor() as cursor:
        cursor.execute(statements(resource, connection.vendor).whole, [f"{resource.name}:{value}", value])
        rows = cursor.fetchall()
    epoch, version, _horizon = _head(rows[0])
    return Part(epoch, version, version, [text.encode() for *_, text in rows if text is not None], [])


def changes(resource: Resource, value: int, *, since: int, epoch: UUID | None, limit: int) -> Part:
    """The newest state of what changed in (``since``, ``version``], by at most ``limit`` changes.

    Without ``epoch`` nobody notices that a backup was restored. Raises ResyncRequired when the change log can't
    continue from there.
    """
    begin, name = min(since, NO_VERSION), f"{resource.name}:{value}"
    with connection.cursor() as cursor:
        cursor.execute(statements(resource, connection.vendor).changes, [name, value, name, begin, begin + limit])
        rows = cursor.fetchall()
    current, head, horizon = _head(rows[0])
    versions = [row[3] for row in rows if row[3] is not None]
    trouble = None
    if epoch not in (None, current):
        trouble = Reason.EPOCH
    elif since > head:
        trouble = Reason.AHEAD
    # Also when the change log has a hole: better a refetch than a lost change.
    elif since < horizon or len(versions) != min(limit, head - since):
        trouble = Reason.HORIZON
    if trouble:
        raise ResyncRequired(epoch=current, version=head, reason=trouble)
    newest = [row for row in rows if row[3] is not None and row[5]]
    return Part(
        epoch=current,
        version=since + len(versions),
        head=head,
        items=[text.encode() for *_, text in newest if text is not None],
        deleted=[str(key) for *_, key, _is_newest, text in newest if text is None],
    )


def _head(row: Sequence[Any]) -> tuple[UUID, int, int]:
    """Epoch, version and horizon; a partition that nothing was ever written to stands at 0."""
    epoch, version, horizon = row[:3]
    if epoch is None:
        raise RuntimeError("The epoch is missing: run manage.py migrate.")
    return as_uuid(epoch), version or 0, horizon or 0


@dataclass(frozen=True)
class Statements:
    """Placeholders are Django's: the counter's name and the partition; ``changes`` takes then the name once more, and
    the versions after which it begins and where it ends."""

    whole: str
    changes: str


@cache
def statements(resource: Resource, vendor: str) -> Statements:
    table = resource.model._meta.db_table
    column = objects.column_of(resource.model, resource.partition).column
    one = objects.statements(resource, vendor).one
    # "+ 0" leaves the planner the primary key only. By the index of the partition, which it takes where most partitions
    # were small when it last looked, each object of a large one would cost as much as all of them.
    in_part = f"{table}.{column} + 0 = c.part"
    text_of_id = objects.DIALECTS[vendor].text_of_id("c.object_id")
    head = """
SELECT epoch, r.version, horizon{columns}
FROM syncing_epoch LEFT JOIN syncing_resource r ON r.name = %s
LEFT JOIN {rows} ON TRUE
WHERE syncing_epoch.id = 1
ORDER BY {order}"""
    return Statements(
        whole=head.format(
            columns=f", ({one} c.id)",
            rows=f"(SELECT id FROM {table} WHERE {column} = %s) c",  # noqa: S608 - rendered from the list of resources
            order="c.id",
        ),
        changes=head.format(
            columns=f", c.version, {text_of_id}, is_newest, ({one} c.object_id AND {in_part})",
            rows="""(
    SELECT version, object_id, lead(version) OVER (PARTITION BY object_id ORDER BY version) IS NULL AS is_newest,
        part
    FROM syncing_change, (SELECT CAST(%s AS bigint) AS part) p
    WHERE resource = %s AND version > %s AND version <= %s
) c""",
            order="c.version",
        ),
    )
