"""Writers for schedules: each edits rows of its own, so that one that holds a transaction open never blocks another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Model

from catalog.models import Attribute, AttributeOption, DiningTable, PrintDestination, Zone

# What the edits below touch: child rows, protected and emptied references, a cascade.
RESOURCES = ("attribute", "dining_table", "print_destination", "zone")


class Writer:
    """``edits`` are numbers: each chooses an edit and what it is about. ``numbers`` make ids, each replay the same."""

    def __init__(self, name: str, numbers: "count[int]") -> None:
        self.name, self._numbers = name, numbers
        self._mine: dict[type[Model], list[UUID]] = {
            kind: [] for kind in (Zone, DiningTable, Attribute, AttributeOption, PrintDestination)
        }
        self._before = deepcopy(self._mine)
        self._thread: ThreadPoolExecutor | None = None

    def write(self, edits: list[int], *, commit: bool) -> None:
        """One transaction from beginning to end."""
        self._before = deepcopy(self._mine)
        with transaction.atomic():
            self._do(edits)
            if not commit:
                transaction.set_rollback(True)
        if not commit:
            self._mine = self._before

    def begin(self, edits: list[int]) -> None:
        """A transaction that stays open until ``finish``."""
        self._before = deepcopy(self._mine)
        self._thread = ThreadPoolExecutor(1)
        self._atomic = transaction.atomic()
        self._thread.submit(self._atomic.__enter__).result()
        self._thread.submit(self._do, edits).result()

    @property
    def is_writing(self) -> bool:
        return self._thread is not None

    def finish(self, *, commit: bool) -> None:
        assert self._thread is not None
        if not commit:
            self._thread.submit(transaction.set_rollback, True).result()
            self._mine = self._before
        self._thread.submit(self._atomic.__exit__, None, None, None).result()
        self._thread.submit(lambda: connection.close()).result()  # the one of that thread
        self._thread.shutdown()
        self._thread = None

    def _do(self, edits: list[int]) -> None:
        for edit in edits:
            which, about = edit % len(EDITS), edit // len(EDITS)
            EDITS[which](self, about)

    def _new(self, kind: type[Model], **fields: Any) -> UUID:
        number = next(self._numbers)
        one = kind(id=UUID(int=number), name=f"{self.name} {number}", **fields)
        one.save(force_insert=True)
        self._mine[kind].append(one.pk)
        return UUID(int=number)

    def _some(self, kind: type[Model], about: int) -> UUID | None:
        mine = self._mine[kind]
        return mine[about % len(mine)] if mine else None

    def _one(self, kind: type[Model], about: int) -> list[UUID]:
        """A list of one, or of none when there is none."""
        found = self._some(kind, about)
        return [] if found is None else [found]

    def _forget(self, kind: type[Model], ids: list[UUID]) -> None:
        self._mine[kind] = [one for one in self._mine[kind] if one not in ids]

    # Each edit takes a number that chooses its object.
    def add_zone(self, about: int) -> None:
        self._new(Zone)

    def add_table(self, about: int) -> None:
        self._new(DiningTable, zone_id=self._some(Zone, about) or self._new(Zone))

    def save_a_zone(self, about: int) -> None:
        for zone in Zone.objects.filter(pk__in=self._one(Zone, about)):
            zone.position += 1
            zone.save()

    def move_a_table(self, about: int) -> None:
        DiningTable.objects.filter(pk__in=self._one(DiningTable, about)).update(zone=self._some(Zone, about + 1))

    def seat_more(self, about: int) -> None:
        DiningTable.objects.filter(pk__in=self._mine[DiningTable]).update(seats=F("seats") + 1)

    def change_nothing(self, about: int) -> None:
        Zone.objects.filter(pk__in=self._mine[Zone]).update(position=F("position"))

    def upsert_zones(self, about: int) -> None:
        zones = [Zone(id=key, name=f"{self.name} {key.int}", position=about) for key in self._mine[Zone][:2]]
        number = next(self._numbers)
        zones.append(Zone(id=UUID(int=number), name=f"{self.name} {number}"))
        Zone.objects.bulk_create(
            zones, update_conflicts=True, unique_fields=["id"], update_fields=["position", "updated_at"]
        )
        self._mine[Zone].append(UUID(int=number))

    def plain_sql(self, about: int) -> None:
        if (key := self._some(Zone, about)) is not None:
            value = key if connection.vendor == "postgresql" else key.hex
            with connection.cursor() as cursor:
                cursor.execute("UPDATE catalog_zone SET position = position + 1 WHERE id = %s", [value])

    def come_and_go(self, about: int) -> None:
        key = self._new(Zone)
        Zone.objects.filter(pk=key).delete()
        self._forget(Zone, [key])

    def a_savepoint_goes_back(self, about: int) -> None:
        before = deepcopy(self._mine)
        with transaction.atomic():
            self.add_table(about)
            transaction.set_rollback(True)
        self._mine = before

    def delete_a_table(self, about: int) -> None:
        if (key := self._some(DiningTable, about)) is not None:
            DiningTable.objects.filter(pk=key).delete()
            self._forget(DiningTable, [key])

    def delete_a_zone(self, about: int) -> None:
        if (key := self._some(Zone, about)) is not None:
            tables = list(DiningTable.objects.filter(zone=key).values_list("pk", flat=True))
            DiningTable.objects.filter(pk__in=tables).delete()
            Zone.objects.filter(pk=key).delete()
            self._forget(DiningTable, tables)
            self._forget(Zone, [key])

    def add_option(self, about: int) -> None:
        self._new(AttributeOption, attribute_id=self._some(Attribute, about) or self._new(Attribute))

    def move_an_option(self, about: int) -> None:
        option, attribute = self._one(AttributeOption, about), self._some(Attribute, about + 1)
        AttributeOption.objects.filter(pk__in=option).update(attribute=attribute, position=F("position") + 1)

    def delete_an_attribute(self, about: int) -> None:
        if (key := self._some(Attribute, about)) is not None:
            options = list(AttributeOption.objects.filter(attribute=key).values_list("pk", flat=True))
            Attribute.objects.filter(pk=key).delete()
            self._forget(AttributeOption, options)
            self._forget(Attribute, [key])

    def add_printer(self, about: int) -> None:
        self._new(PrintDestination, fallback_id=self._some(PrintDestination, about))

    def delete_a_printer(self, about: int) -> None:
        if (key := self._some(PrintDestination, about)) is not None:
            PrintDestination.objects.filter(pk=key).delete()
            self._forget(PrintDestination, [key])


EDITS: tuple[Callable[[Writer, int], None], ...] = (
    Writer.add_table,
    Writer.add_zone,
    Writer.save_a_zone,
    Writer.move_a_table,
    Writer.seat_more,
    Writer.change_nothing,
    Writer.upsert_zones,
    Writer.plain_sql,
    Writer.come_and_go,
    Writer.a_savepoint_goes_back,
    Writer.delete_a_table,
    Writer.delete_a_zone,
    Writer.add_option,
    Writer.move_an_option,
    Writer.delete_an_attribute,
    Writer.add_printer,
    Writer.delete_a_printer,
)
