"""Reading the change log: status, snapshot, delta, and what the stream reads.

Counters, horizons, changes and objects of one answer always come from one database snapshot, so a version never
belongs to other data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from devices.identity import ID_WITH_DIGEST, as_uuid
from refusals import Refusal

from . import objects, registry
from .models import Change

Versions = dict[str, int]
DELETED = Change.Action.DELETED.value
NO_VERSION = 2**62  # no counter comes as far, and a column has room for it and more


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
    items: bytes  # a JSON array of the objects, by id


class Entry(NamedTuple):
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
# It names the counters: those of private resources may be thousands.
HEADS = """
SELECT syncing_resource.name, version, horizon, epoch
FROM syncing_resource LEFT JOIN syncing_epoch ON syncing_epoch.id = 1
WHERE syncing_resource.name IN ({names})
ORDER BY syncing_resource.name
"""


def heads_of_all() -> str:
    return _heads_of(tuple(registry.names()))


@cache
def _heads_of(names: tuple[str, ...]) -> str:
    return HEADS.format(names=", ".join(f"'{name}'" for name in names))


def heads() -> Heads:
    """Epoch, versions and horizons, in one statement and so in one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(heads_of_all())
        return _heads(cursor.fetchall())


def heads_for(*, token_hash: str) -> tuple[UUID, Heads] | None:
    """The active device with this token and what ``heads`` says, by one statement; None without such a device."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name, version, horizon, epoch, ({ID_WITH_DIGEST}) FROM ({heads_of_all()}) heads",  # noqa: S608 - ours
            [token_hash],
        )
        rows = cursor.fetchall()
    if not rows or rows[0][-1] is None:
        return None
    return as_uuid(rows[0][-1]), _heads(rows)


def _heads(rows: Iterable[Sequence[Any]]) -> Heads:
    """Of rows that begin with the columns of HEADS."""
    known = registry.names()
    found = {name: (version, horizon, epoch) for name, version, horizon, epoch, *_ in rows}
    if not found.keys() >= set(known) or (epoch := found[known[0]][2]) is None:
        raise RuntimeError("Counters or epoch are missing: run manage.py migrate.")
    return Heads(
        epoch=as_uuid(epoch),
        versions={name: found[name][0] for name in known},
        horizons={name: found[name][1] for name in known},
    )


def snapshot(*, name: str) -> Snapshot:
    """Every object of the resource, true at exactly ``version``."""
    whole = objects.statements(registry.resource(name), connection.vendor).of_all
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT heads.*, CASE name WHEN %s THEN ({whole}) END FROM ({heads_of_all()}) heads", [name])  # noqa: S608 - rendered
        rows = cursor.fetchall()
    now = _heads(rows)
    items = next(row[-1] for row in rows if row[0] == name)
    return Snapshot(now.epoch, name, now.versions[name], b"[%b]" % (items or "").encode())


def delta(*, name: str, since: int, epoch: UUID, limit: int) -> Delta:
    """The newest change of each object in (since, to], at most ``limit`` of them; ``to < head`` means ask again.

    Raises ResyncRequired when the change log can't continue from ``since`` in ``epoch``.
    """
    batch = read(since={name: since}, limit=limit)
    head, lost = batch.heads.versions[name], batch.lost.get(name)
    if trouble := Reason.EPOCH if epoch != batch.heads.epoch else lost:
        raise ResyncRequired(epoch=batch.heads.epoch, version=head, reason=trouble)
    newest = {entry.id: entry for entry in batch.entries}
    changes = sorted(newest.values(), key=lambda entry: entry.version)
    return Delta(batch.heads.epoch, name, since, batch.to[name], head, changes)


def read(*, since: Mapping[str, int], limit: int) -> Batch:
    """Every change after ``since`` (resource → version), at most ``limit``, with the objects as they are now."""
    now, entries = _read(since, limit)
    to, lost = dict(since), {}
    for name, version in since.items():
        versions = [entry.version for entry in entries if entry.resource == name]
        to[name] = versions[-1] if versions else version
        trouble = now.trouble(name, version)
        if to[name] - version != len(versions) or (to[name] != now.versions[name] and len(entries) < limit):
            trouble = trouble or Reason.HORIZON  # the change log has a hole: better a refetch than a lost change
        if trouble:
            lost[name], to[name] = trouble, now.versions[name]
    return Batch(now, to, [entry for entry in entries if entry.resource not in lost], lost)


def _read(since: Mapping[str, int], limit: int) -> tuple[Heads, list[Entry]]:
    """The heads, and the changes after ``since`` by resource and version. One statement, and so one snapshot."""
    names = tuple(sorted(since))
    begins = [min(since[name], NO_VERSION) for name in names]
    with connection.cursor() as cursor:
        ends = [begin + limit for begin in begins]
        sql = changes_after(names, heads_of_all(), connection.vendor)
        cursor.execute(sql, [*chain(*zip(begins, ends, strict=True)), limit])
        rows = cursor.fetchall()
    # The newest change of an object brings its JSON.
    data = {(row[0], row[6]): row[7].encode() for row in rows if row[7]}
    return _heads(rows), [
        Entry(name, version, action, key, None if action == DELETED else data.get((name, key)))
        for name, _, _, _, version, action, key, _ in rows
        if key is not None
    ]


@cache
def changes_after(names: tuple[str, ...], heads: str, vendor: str) -> str:
    """SQL: columns of HEADS (``heads`` is its text), and of each change version, action, id of the object.

    The newest change brings the object's JSON.
    Parameters are for each name the versions after which it begins and where it ends, and how many changes at most.
    """
    # PostgreSQL would plan anew for each range of numbers that it sees, which takes longer than reading it.
    number = "(SELECT CAST(%s AS bigint))"
    log = " UNION ALL ".join(
        "SELECT resource, version, object_id, action FROM syncing_change"  # noqa: S608 - names are ours
        f" WHERE resource = '{name}' AND version > {number} AND version <= {number}"
        for name in names
    )
    dialect = objects.DIALECTS[vendor]
    whens = " ".join(
        f"WHEN '{name}' THEN ({objects.statements(registry.resource(name), vendor).one} c.object_id)" for name in names
    )
    return f"""
SELECT heads.*, c.version, c.action, {dialect.text_of_id("c.object_id")},
    CASE WHEN is_newest THEN CASE name {whens} END END
FROM ({heads}) heads LEFT JOIN (
    SELECT *, lead(version) OVER (PARTITION BY resource, object_id ORDER BY version) IS NULL AS is_newest
    FROM ({log} ORDER BY resource, version LIMIT %s) found
) c ON resource = name
ORDER BY name, c.version
"""  # noqa: S608 - rendered from the list of resources
