"""Reading the change log: status, snapshot, delta, and what the stream reads.

Counters, horizons, changes and objects of one answer always come from one database snapshot, so a version never
belongs to other data.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from devices.identity import ID_WITH_DIGEST, as_uuid
from refusals import Refusal

from . import objects, registry
from .models import Change

Versions = dict[str, int]


class Reason(StrEnum):
    """Why a terminal can't continue from where it is."""

    EPOCH = "epoch"
    HORIZON = "horizon"
    AHEAD = "ahead"
    CURSOR = "cursor"


class ResyncRequired(Refusal):
    status, code = 410, "resync_required"
    detail = _("The log can't continue from there: fetch the snapshot.")

    def __init__(self, *, epoch: UUID, version: int, reason: Reason) -> None:
        super().__init__(epoch=str(epoch), version=version, reason=str(reason))


@dataclass(frozen=True)
class Heads:
    """Where every resource stands: version by name, and the horizon below which no delta can be given."""

    epoch: UUID
    versions: Versions
    horizons: Versions

    def trouble(self, name: str, since: int) -> Reason | None:
        """Why ``since`` can't be continued in ``name``; None when it can."""
        if since > self.versions[name]:
            return Reason.AHEAD
        return Reason.HORIZON if since < self.horizons[name] else None


@dataclass(frozen=True)
class Snapshot:
    epoch: UUID
    resource: str
    version: int
    items: list[bytes]  # the JSON of each object


@dataclass(frozen=True)
class Entry:
    """One change as it is delivered: ``data`` is the object's JSON as it is now, None when it is gone."""

    resource: str
    version: int
    action: str
    id: str
    data: bytes | None


@dataclass(frozen=True)
class Delta:
    epoch: UUID
    resource: str
    since: int
    to: int
    head: int
    changes: list[Entry]


@dataclass(frozen=True)
class Batch:
    """Changes of several resources up to ``to``, with their objects, all of one snapshot.

    ``lost`` names resources that can't be continued; they stand at their head in ``to``.
    """

    heads: Heads
    to: Versions
    entries: list[Entry]
    lost: dict[str, Reason] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Nothing that this snapshot shows is left to read."""
        return all(self.to[name] == self.heads.versions[name] for name in self.to)


# By hand: every answer and every read of the change log begins with it. Building it would cost more than running it.
HEADS = """
SELECT syncing_resource.name, version, horizon, epoch
FROM syncing_resource LEFT JOIN syncing_epoch ON syncing_epoch.id = 1
ORDER BY syncing_resource.name
"""
HEADS_FOR = f"SELECT name, version, horizon, epoch, ({ID_WITH_DIGEST}) FROM ({HEADS}) heads"  # noqa: S608 - constants
ONE_VIEW = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"


@contextmanager
def one_view() -> Iterator[Heads]:
    """The heads; what is read inside comes from the same snapshot of the database.

    Outermost only; nothing may be written in it.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A snapshot can't begin inside a transaction that has read already.")
    if connection.vendor == "sqlite":
        connection.ensure_connection()  # connecting sets the mode
        # IMMEDIATE would wait for writers; a plain BEGIN reads beside them.
        mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                yield heads()
        finally:
            connection.transaction_mode = mode  # type: ignore[attr-defined]
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(ONE_VIEW + HEADS)  # one trip for both
                cursor.nextset()
                now = _heads(cursor.fetchall())
            yield now


def heads() -> Heads:
    """Epoch, versions and horizons, in one statement and so in one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(HEADS)
        return _heads(cursor.fetchall())


def heads_for(*, token_hash: str) -> tuple[UUID, Heads] | None:
    """The active device with this token and what ``heads`` says, by one statement; None without such a device."""
    with connection.cursor() as cursor:
        cursor.execute(HEADS_FOR, [token_hash])
        rows = cursor.fetchall()
    if not rows or rows[0][-1] is None:
        return None
    return as_uuid(rows[0][-1]), _heads([row[:-1] for row in rows])


def _heads(rows: Sequence[tuple[str, int, int, UUID | str | None]]) -> Heads:
    known = registry.names()
    found = {name: (version, horizon, epoch) for name, version, horizon, epoch in rows}
    if not found.keys() >= set(known) or (epoch := found[known[0]][2]) is None:
        raise RuntimeError("Counters or epoch are missing: run manage.py migrate.")
    return Heads(
        epoch=as_uuid(epoch),
        versions={name: found[name][0] for name in known},
        horizons={name: found[name][1] for name in known},
    )


def snapshot(*, name: str) -> Snapshot:
    """Every object of the resource, true at exactly ``version``."""
    resource = registry.resource(name)
    with one_view() as now:
        return Snapshot(now.epoch, name, now.versions[name], [item.json for item in objects.read(resource)])


def delta(*, name: str, since: int, epoch: UUID, limit: int) -> Delta:
    """The newest change of each object in (since, to], at most ``limit`` of them; ``to < head`` means ask again.

    Raises ResyncRequired when the change log can't continue from ``since`` in ``epoch``.
    """
    with one_view() as now:
        head = now.versions[name]
        trouble = Reason.EPOCH if epoch != now.epoch else now.trouble(name, since)
        if trouble:
            raise ResyncRequired(epoch=now.epoch, version=head, reason=trouble)
        to = min(since + limit, head)
        rows = _rows({name: since}, {name: to}) if to > since else []
        if len(rows) != to - since:  # the change log has a hole: better a refetch than a lost change
            raise ResyncRequired(epoch=now.epoch, version=head, reason=Reason.HORIZON)
        newest = {row.object_id: row for row in rows}
        entries = _entries(sorted(newest.values(), key=lambda row: row.version))
        return Delta(now.epoch, name, since, to, head, entries)


def read(*, since: Mapping[str, int], limit: int) -> Batch:
    """Every change after ``since`` (resource → version), at most about ``limit``, with the objects as they are now."""
    with one_view() as now:
        to, lost, room = dict(since), {}, limit
        for name in sorted(since):
            head = now.versions[name]
            if trouble := now.trouble(name, since[name]):
                lost[name], to[name] = trouble, head
            else:
                to[name] = min(since[name] + room, head)
                room -= to[name] - since[name]
        start = {name: version for name, version in since.items() if name not in lost and to[name] > version}
        rows = _rows(start, to) if start else []
        if len(rows) != sum(to[name] - start[name] for name in start):
            counted = {name: sum(row.resource == name for row in rows) for name in start}
            for name in start:
                if counted[name] != to[name] - start[name]:
                    lost[name], to[name] = Reason.HORIZON, now.versions[name]
            rows = [row for row in rows if row.resource not in lost]
        return Batch(now, to, _entries(rows), lost)


class _Row(NamedTuple):
    resource: str
    version: int
    object_id: UUID
    action: str


def _rows(since: Mapping[str, int], to: Mapping[str, int]) -> list[_Row]:
    """By hand, as each change is read by each process: building the query would take longer than running it."""
    of_each = " OR ".join(["resource = %s AND version > %s AND version <= %s"] * len(since))
    values = [value for name, version in since.items() for value in (name, version, to[name])]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT resource, version, object_id, action FROM syncing_change"  # noqa: S608 - only placeholders
            f" WHERE {of_each} ORDER BY resource, version",
            values,
        )
        return [_Row(name, version, as_uuid(key), action) for name, version, key, action in cursor.fetchall()]


def _entries(rows: Sequence[_Row]) -> list[Entry]:
    """The rows with their objects: one read for each resource, whatever the number of rows."""
    wanted: dict[str, dict[UUID, None]] = {}
    for row in rows:
        wanted.setdefault(row.resource, {})[row.object_id] = None
    now = {name: dict(objects.read(registry.resource(name), list(ids))) for name, ids in wanted.items()}
    return [
        Entry(
            row.resource,
            row.version,
            row.action,
            str(row.object_id),
            None if row.action == Change.Action.DELETED else now[row.resource].get(str(row.object_id)),
        )
        for row in rows
    ]
