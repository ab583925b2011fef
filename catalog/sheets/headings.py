"""Which row of a sheet names its columns, and which column each heading means."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .cells import Grid, Unreadable, letters, trimmed
from .columns import Column, labels_of
from .words import fold, nearest_of

SAMPLE = 20  # rows, of which one has the headings
IN_BRACKETS = re.compile(r"\s*[(（\[].*[)）\]]\s*\Z")


@dataclass
class Layout:
    """Where each column of a sheet stands. ``left_out`` are headings that mean nothing here."""

    row: int
    at: dict[int, Column] = field(default_factory=dict)
    headings: dict[int, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def heading(self, name: str) -> str:
        """What stands above the column of this name; the name itself when it isn't there."""
        return next((self.headings[place] for place, column in self.at.items() if column.name == name), name)


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a row (from 1), at a heading or the letter of a column; empty when it concerns several."""

    row: int
    heading: str
    text: str

    def __str__(self) -> str:
        if not self.heading:
            return _("Row %(row)d: %(text)s") % {"row": self.row, "text": self.text}
        at = {"row": self.row, "heading": self.heading, "text": self.text}
        return _("Row %(row)d, column “%(heading)s”: %(text)s") % at


def knower(columns: Sequence[Column]) -> Callable[[list[str]], int]:
    """A function that counts the headings in a row of cells."""
    labels = labels_of(columns)
    return lambda cells: len({column.name for cell in cells if (column := _meant(cell, labels))})


def _meant(cell: str, labels: dict[str, Column]) -> Column | None:
    return labels.get(fold(cell)) or labels.get(fold(IN_BRACKETS.sub("", cell)))


def layout_of(grid: Grid, columns: Sequence[Column]) -> tuple[Layout, list[Mistake]]:
    """Where the columns are; takes their headings, and what stands above them, out of ``grid``. Raises Unreadable."""
    labels, known = labels_of(columns), knower(columns)
    first = grid.rows[:SAMPLE]
    best = max(range(len(first)), key=lambda place: (known(first[place][1]), -place), default=0)
    if not first or not known(first[best][1]):
        example = ", ".join(column.name for column in columns[1:5])
        raise Unreadable(
            _("No row of this file names the columns. The first row needs headings, such as: %(example)s.")
            % {"example": example}
        )
    row, cells = first[best]
    del grid.rows[: best + 1]
    if not grid.rows:
        raise Unreadable(_("There is nothing below the headings of this file."))
    layout, mistakes = Layout(row), []
    unknown: list[tuple[int, str]] = []
    for place, cell in enumerate(map(trimmed, cells)):
        column = _meant(cell, labels)
        if column in layout.at.values():
            text = _("This heading and another mean the same, “%(name)s”: keep one of them.")
            mistakes.append(Mistake(row, cell, text % {"name": getattr(column, "name", "")}))
        elif column:
            layout.at[place], layout.headings[place] = column, cell
        elif cell:
            unknown.append((place, cell))
            layout.headings[place] = cell
    free = [column for column in columns if column not in layout.at.values()]
    words = {word: column.name for column in free for word in (column.name, *column.labels)}
    for _place, cell in unknown:
        if nearest := nearest_of(cell, words):
            text = _("No column has this name. Did you mean “%(word)s”? If not, remove the column.")
            mistakes.append(Mistake(row, cell, text % {"word": nearest}))
        else:
            layout.left_out.append(cell)
    return layout, mistakes


def without_heading(layout: Layout, row: int, cells: list[str]) -> list[Mistake]:
    """What stands in a row where no heading is."""
    return [
        Mistake(
            row, letters(place), _("There is “%(value)s”, but no heading above it.") % {"value": trimmed(cell)[:60]}
        )
        for place, cell in enumerate(cells)
        if place not in layout.headings and trimmed(cell)
    ]
