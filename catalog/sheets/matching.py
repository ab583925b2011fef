"""Which record each row of a sheet is about; no two rows may be about the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from catalog.resources import Kind

from .cells import Grid, Wrong, trimmed
from .columns import UNSEEN, Column, Reading
from .damage import check_text, number_of
from .headings import Layout, Mistake
from .kinds import special
from .stored import folded

Key = tuple[Any, ...]  # of what the columns of a match hold, texts folded


@dataclass
class Matched:
    """A row and the record that it is about. ``by`` are the columns that named it; the id itself, or none of them."""

    row: int
    cells: list[str]
    id: UUID
    is_new: bool
    by: tuple[str, ...] = ()
    keys: dict[tuple[str, ...], Key] = field(default_factory=dict)


class Matcher:
    """Finds the records of ``kind`` for the rows of a sheet, with one statement."""

    def __init__(self, kind: Kind, layout: Layout, reading: Reading) -> None:
        self.kind, self.layout, self.reading = kind, layout, reading
        self.places = {column.name: place for place, column in layout.at.items()}
        self.columns: dict[str, Column] = {column.name: column for column in layout.at.values()}
        # A column that the sheet doesn't have can't tell records apart.
        self.ways = [
            way
            for whole in special(kind).match
            if (way := tuple(name for name in whole if name in self.places)) and way[0] == whole[0]
        ]
        self.mistakes: list[Mistake] = []
        self._read_stored()

    def _read_stored(self) -> None:
        names = sorted({name for way in self.ways for name in way})
        attnames = [self.columns[name].key for name in names]
        self.spelt: dict[UUID, dict[str, Any]] = {}
        self.stored: dict[tuple[str, ...], dict[Key, list[UUID]]] = {way: {} for way in self.ways}
        for id, *values in self.kind.model._default_manager.order_by("pk").values_list("pk", *attnames).iterator():
            spelt = self.spelt[id] = dict(zip(names, values, strict=True))
            for way, known in self.stored.items():
                known.setdefault(tuple(_folded(spelt[name]) for name in way), []).append(id)
        codes = [spelt[way[0]] for way in self.ways if self._is_code(way[0]) for spelt in self.spelt.values()]
        # Codes by the number that a spreadsheet makes of them: a row with that number means one of these.
        self.numbers: dict[Any, str] = {number: code for code in codes if (number := number_of(code)) is not None}

    def match(self, grid: Grid) -> list[Matched]:
        """Takes the rows out of ``grid``; what is wrong goes to ``mistakes``."""
        found = []
        for row, cells in grid.rows:
            one = self._match(row, cells)
            if isinstance(one, Matched):
                found.append(one)
            else:
                self.mistakes.append(one)
        grid.rows.clear()
        self.mistakes += self._twice(found)
        return found

    def _cell(self, cells: list[str], name: str) -> str:
        place = self.places.get(name)
        if place is None or place >= len(cells):
            return ""
        return cells[place].strip(UNSEEN) if self._is_code(name) else trimmed(cells[place])

    def _is_code(self, name: str) -> bool:
        return getattr(self.columns[name], "is_code", False)

    def _match(self, row: int, cells: list[str]) -> Matched | Mistake:
        keys = {way: key for way in self.ways if (key := self._key(way, cells))}
        if cell := self._cell(cells, "id"):
            try:
                id = self.columns["id"].read(cell, None, self.reading)
            except Wrong as wrong:
                self.mistakes.append(Mistake(row, self.layout.heading("id"), str(wrong)))
                id = uuid4()
            return Matched(row, cells, id, id not in self.spelt, ("id",), keys)
        for way, key in keys.items():
            known = self.stored[way].get(key, [])
            if len(known) > 1:
                known = [id for id in known if self.spelt[id][way[0]] == self._cell(cells, way[0])] or known
            if len(known) > 1:
                reason = _("More than one %(kind)s is called “%(name)s”; write its id.")
                said = {"kind": self.kind.model._meta.verbose_name, "name": self._cell(cells, way[0])}
                return Mistake(row, self.layout.heading(way[0]), reason % said)
            if not known and self._is_code(way[0]):
                cell = self._cell(cells, way[0])
                try:
                    check_text(cell, self.numbers.get(number_of(cell)), code=True)
                except Wrong as wrong:
                    return Mistake(row, self.layout.heading(way[0]), str(wrong))
            return Matched(row, cells, known[0] if known else uuid4(), not known, way, keys)
        return Matched(row, cells, uuid4(), is_new=True)

    def _key(self, way: tuple[str, ...], cells: list[str]) -> Key | None:
        """What the row has in the columns of ``way``; None when it can't be told from others by them."""
        first, *others = way
        if not self._cell(cells, first):
            return None
        key: list[Any] = [folded(self._cell(cells, first))]
        for name in others:
            cell, column = self._cell(cells, name), self.columns[name]
            try:
                key.append(column.read(cell, None, self.reading) if cell else None)
            except Wrong:
                if column.of.related_model is not self.kind.model:
                    return None  # said where the cell is read
                key.append(folded(cell))  # perhaps another row makes it
        return tuple(key)

    def _twice(self, found: list[Matched]) -> Iterator[Mistake]:
        ids: dict[UUID, int] = {}
        for one in found:
            if (first := ids.setdefault(one.id, one.row)) != one.row:
                yield self._same(first, one, "")
        for way in self.ways:
            groups: dict[Key, list[Matched]] = {}
            for one in found:
                if way in one.keys:
                    groups.setdefault(one.keys[way], []).append(one)
            for group in groups.values():
                if len({one.id for one in group}) > 1 and any(self._is_in_doubt(one, way) for one in group):
                    yield from (self._same(group[0].row, one, way[0]) for one in group[1:])

    def _is_in_doubt(self, one: Matched, way: tuple[str, ...]) -> bool:
        """Whether another row of the same key makes it unclear which record ``one`` is about.

        Different records may have one name when each has its id or its code. Codes that differ by case are told apart
        only if they are stored so.
        """
        if not self._is_code(way[0]):
            return one.by == way
        return one.is_new or one.by != ("id",) or self.spelt[one.id][way[0]] != self._cell(one.cells, way[0])

    def _same(self, first: int, one: Matched, name: str) -> Mistake:
        reason = _("Rows %(first)d and %(second)d are about the same %(kind)s: keep one of them.")
        said = {"first": first, "second": one.row, "kind": self.kind.model._meta.verbose_name}
        return Mistake(one.row, self.layout.heading(name) if name else "", reason % said)


def _folded(value: Any) -> Any:
    return folded(value) if isinstance(value, str) else value
