"""What people read of a sheet before and after it is imported: bounded, however long the sheet is."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.drafts import Draft
from catalog.resources import Kind

from .columns import Reading, Stored, as_text
from .headings import Mistake
from .kinds import columns_of

ROOM = 120_000  # bytes of the page, for rows and for mistakes each
SHOWN_ROWS, SHOWN_MISTAKES, SHOWN_SIGNS = 100, 200, 60
MARKUP = 160  # bytes around each cell


@dataclass
class ShownRow:
    """A row of the preview. ``cells`` are triples of a heading, what was there before, and what will be."""

    row: int
    is_new: bool
    title: str
    cells: list[tuple[str, str, str]]


@dataclass
class Summary:
    left_out: list[str] = field(default_factory=list)  # headings that mean nothing here
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    mistakes: int = 0
    texts: list[str] = field(default_factory=list)  # of the first mistakes
    rows: list[ShownRow] = field(default_factory=list)  # the first that change something
    room: int = ROOM
    room_for_mistakes: int = ROOM

    def add(self, mistakes: Iterable[Mistake]) -> None:
        for mistake in mistakes:
            self.mistakes += 1
            text = str(mistake)
            self.room_for_mistakes -= len(escape(text).encode()) + MARKUP
            if self.room_for_mistakes > 0 and len(self.texts) < SHOWN_MISTAKES:
                self.texts.append(text)

    def show(
        self, kind: Kind, row: int, draft: Draft, stored: Stored | None, values: Mapping[str, Any], reading: Reading
    ) -> None:
        """Count a row, and show it while there is room."""
        self.new += stored is None
        self.changed += stored is not None
        if self.room <= 0 or len(self.rows) >= SHOWN_ROWS:
            return
        now = {**(stored or {}), **vars(draft.record)}
        now |= {link.field: ids for link, ids in draft.links.items()}
        now |= {child.field: list(map(_whole, rows)) for child, rows in draft.children.items()}
        cells = []
        for column in columns_of(kind):
            if column.name in values:
                before = shortened(as_text(column.written(stored, reading))) if stored else ""
                cells.append((column.name, before, shortened(as_text(column.written(now, reading)))))
        self.room -= sum(len(escape("".join(cell)).encode()) + MARKUP for cell in cells) + MARKUP
        if self.room > 0:
            self.rows.append(ShownRow(row, stored is None, shortened(str(draft.record)), cells))

    def sentence(self) -> str:
        """How many records are made and changed."""
        parts = [
            ngettext("%(count)d new", "%(count)d new", self.new) % {"count": self.new},
            ngettext("%(count)d changed", "%(count)d changed", self.changed) % {"count": self.changed},
            ngettext("%(count)d as it was", "%(count)d as they were", self.unchanged) % {"count": self.unchanged},
        ]
        return ", ".join(parts)

    @property
    def more_mistakes(self) -> int:
        return self.mistakes - len(self.texts)

    @property
    def more_rows(self) -> int:
        return self.new + self.changed - len(self.rows)

    def as_data(self) -> dict[str, Any]:
        """For a cache; ``Summary.of`` makes it a summary again."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Summary":
        return cls(**{**data, "rows": [ShownRow(**row) for row in data["rows"]]})


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"is_default": False, "price_change": 0, **row}


def shortened(text: str) -> str:
    return text if len(text) <= SHOWN_SIGNS else text[: SHOWN_SIGNS - 1] + "…"


def told(left_out: Iterable[str]) -> str:
    """Which columns mean nothing here; empty when there are none."""
    names = ", ".join(f"“{shortened(name)}”" for name in left_out)
    return _("These columns are left out, since nobody knows them: %(names)s.") % {"names": names} if names else ""
