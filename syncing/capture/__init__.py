"""The database captures changes: triggers on every registered table, rendered from the registry.

No write can forget them: ``update()``, bulk operations, cascades, ``loaddata`` and plain SQL all pass through. A
missing or altered trigger is found by ``verify`` and put back by ``install``.
"""

from collections.abc import Iterable
from types import ModuleType

from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from syncing import epochs, registry
from syncing.models import Change, SyncedResource

from . import postgresql, sqlite
from .table import Table, tables


def dialect() -> ModuleType:
    return {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]


def existing(wanted: Iterable[Table]) -> list[Table]:
    """Those that the database has: a migration may have been taken back."""
    there = set(connection.introspection.table_names())
    return [table for table in wanted if table.name in there]


def verify() -> list[str]:
    """What is missing or altered, a line each; empty when every change is captured."""
    if SyncedResource._meta.db_table not in connection.introspection.table_names():
        return ["The tables of sync are missing: run manage.py migrate."]
    counters = set(SyncedResource.objects.values_list("name", flat=True))
    lines = [f"The counter of {name} is missing." for name in registry.names() if name not in counters]
    lines += [f"The counter of {name} is missing: its log is there." for name in _without_counter()]
    lines += [f"The counter of {counter.name} is below its log." for counter in _below_their_log()]
    if not epochs.exists():
        lines.append("The epoch is missing.")
    return lines + dialect().verify(existing(tables()))


def _below_their_log() -> QuerySet[SyncedResource]:
    """Counters whose next number is in the change log already: a change with that number could not be written.

    It is one statement, so a change that is captured meanwhile shows in the counter and in ``newest``, or in neither.
    """
    newest = Change.objects.filter(resource=OuterRef("name")).order_by("-version").values("version")[:1]
    return SyncedResource.objects.annotate(newest=Subquery(newest)).filter(version__lt=F("newest")).order_by("name")


# From name to name by the index: half a million changes took 0.11 s when each was looked at, and /readyz asks this.
LOGS_WITHOUT_COUNTER = """
WITH RECURSIVE logs(name) AS (
  SELECT min(resource) FROM syncing_change
  UNION ALL
  SELECT (SELECT min(resource) FROM syncing_change WHERE resource > name) FROM logs WHERE name IS NOT NULL
)
SELECT name FROM logs
WHERE name LIKE '%:%' AND NOT EXISTS (SELECT 1 FROM syncing_resource r WHERE r.name = logs.name) ORDER BY name
"""


def _without_counter() -> list[str]:
    """Partitions of private resources that have a log and no counter. A partition without either is yet to begin."""
    with connection.cursor() as cursor:
        cursor.execute(LOGS_WITHOUT_COUNTER)
        return [name for (name,) in cursor.fetchall()]


@transaction.atomic
def install() -> None:
    """Put every trigger and counter in place and begin a new epoch. One without the other would leave a hole for ever.

    Counters that are sound keep their version. The others go on where their changes end, which is also their horizon.
    """
    names = [*registry.names(), *_without_counter()]
    SyncedResource.objects.bulk_create([SyncedResource(name=name) for name in names], ignore_conflicts=True)
    _below_their_log().update(version=F("newest"), horizon=F("newest"))
    wanted = existing(tables())
    if dialect().verify(wanted):
        with connection.cursor() as cursor:
            dialect().drop(cursor)
            for statement in dialect().render(wanted):
                cursor.execute(statement)
    epochs.begin()


@transaction.atomic
def drop() -> None:
    """Take every trigger away: a migration rebuilds tables, and SQLite can't while triggers name them."""
    with connection.cursor() as cursor:
        dialect().drop(cursor)
