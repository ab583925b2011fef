"""The database captures changes: triggers on every registered table, rendered from the registry.

No write can forget them: ``update()``, bulk operations, cascades, ``loaddata`` and plain SQL all pass through. A
missing or altered trigger is found by ``verify`` and put back by ``install``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

from django.db import connection, transaction
from django.db.models import CharField, F, Model, OuterRef, QuerySet, Subquery, TextField

from syncing import epochs, registry
from syncing.models import Change, SyncedResource

from . import postgresql, sqlite


@dataclass(frozen=True)
class Table:
    """A table to watch: the resource that its rows belong to, and the column that names the owner's id.

    ``owner`` is None for a resource's own table; in a child or link table it is the column of the owner's id.
    """

    resource: str
    name: str
    key: str
    columns: tuple[str, ...]
    owner: str | None = None

    @cached_property
    def slug(self) -> str:
        """A name for its triggers: one table may belong to more than one resource."""
        return f"{self.resource}_{self.name}"


def tables() -> list[Table]:
    """Every table whose rows are part of some resource's wire shape."""
    found = []
    for resource in registry.resources():
        members: list[tuple[type[Model], str | None]] = [(resource.model, None)]
        members += [(link.model, link.owner) for link in resource.links]
        members += [(child.model, child.owner) for child in resource.children]
        for model, owner in members:
            # Texts last: an updated row is compared until a column differs, and texts take longest.
            fields = sorted(model._meta.concrete_fields, key=lambda field: isinstance(field, (CharField, TextField)))
            column = {field.attname: field.column for field in fields}
            found.append(
                Table(
                    resource=resource.name,
                    name=model._meta.db_table,
                    key=str(model._meta.pk.column),
                    columns=tuple(str(field.column) for field in fields),
                    owner=column[owner] if owner else None,
                )
            )
    return found


def dialect() -> ModuleType:
    return {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]


def existing(wanted: Iterable[Table]) -> list[Table]:
    """Those whose table is there: a migration may have been taken back."""
    there = set(connection.introspection.table_names())
    return [table for table in wanted if table.name in there]


def verify() -> list[str]:
    """What is missing or altered, a line each; empty when every change is captured."""
    if SyncedResource._meta.db_table not in connection.introspection.table_names():
        return ["The tables of sync are missing: run manage.py migrate."]
    counters = set(SyncedResource.objects.values_list("name", flat=True))
    lines = [f"The counter of {name} is missing." for name in registry.names() if name not in counters]
    lines += [f"The counter of {counter.name} is below its log." for counter in _below_their_log()]
    if not epochs.exists():
        lines.append("The epoch is missing.")
    return lines + dialect().verify(existing(tables()))


def _below_their_log() -> QuerySet[SyncedResource]:
    """Counters whose next number the log has already: that change could not be written.

    One statement: what is captured meanwhile shows in the counter and in ``newest``, or in neither.
    """
    newest = Change.objects.filter(resource=OuterRef("name")).order_by("-version").values("version")[:1]
    return SyncedResource.objects.annotate(newest=Subquery(newest)).filter(version__lt=F("newest")).order_by("name")


@transaction.atomic
def install() -> None:
    """Put every trigger and counter in place and begin a new epoch: both or neither, or a hole would stay for ever.

    Counters that are sound keep their version; the others go on where their log ends, and nobody continues from before.
    """
    SyncedResource.objects.bulk_create([SyncedResource(name=name) for name in registry.names()], ignore_conflicts=True)
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
