"""What each column of a sheet means: how a value is written into a cell, and what a cell says.

No column asks the database: names of related records are looked up in what was read before (``Names``).
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from django.core.validators import MaxValueValidator
from django.utils.translation import gettext as _

from catalog.serializers.shape import RANGES
from images.blobs import HASH

from . import damage, moments, numbers
from .cells import BLANK, Wrong, trimmed
from .lists import joined, words
from .words import WEEKDAY_OF, did_you_mean, fold, in_all_languages, truth

Written = str | int | bool | Decimal
Stored = Mapping[str, Any]  # a record: columns by attribute name, other ends of links, rows of children
UNSEEN = BLANK + "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"  # nobody types these around a code
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
LEAVE = object()  # what an empty cell says where nothing can be empty: as it is


class Found(Protocol):
    """Related records by name."""

    def find(self, text: str) -> Any: ...
    def text_of(self, key: Any) -> str: ...


class Names(Protocol):
    def __call__(self, model: Any) -> Found: ...


@dataclass
class Reading:
    """What is known of a sheet as a whole: signs before decimals, orders of dates, and related records."""

    names: Names
    points: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=lambda: set(moments.ORDERS))


@dataclass(frozen=True)
class Column:
    """``of`` is the field of the model; ``of_people`` says that its texts may be anything."""

    name: str
    of: Any
    of_people = False

    @property
    def key(self) -> str:
        """Where a stored record has the value."""
        return str(getattr(self.of, "attname", self.name))

    @property
    def title(self) -> Any:
        """What people call it."""
        return self.of.verbose_name

    @cached_property
    def labels(self) -> set[str]:
        """What people call it, in each language."""
        return in_all_languages(lambda: self.title)

    def written(self, stored: Stored, reading: Reading) -> Written:
        """The cell for what is stored."""
        value = stored[self.key]
        return "" if value is None else self.form(value, reading)

    def form(self, value: Any, reading: Reading) -> Written:
        return str(value)

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> Any:
        """The value of a cell that isn't blank. Raises Wrong."""
        raise NotImplementedError

    def emptied(self, stored: Stored | None) -> Any:
        """The value of a blank cell. Raises Wrong when it would have to be guessed."""
        if self.of.null:
            return None
        if self.of.blank and self.of.has_default():
            return self.of.get_default()
        if self.of.has_default() and (stored is None or stored[self.key] == self.of.get_default()):
            return LEAVE
        raise Wrong(_("This is empty, and needs a value."))


class Text(Column):
    of_people = True

    @cached_property
    def is_code(self) -> bool:
        """Whether it is compared sign by sign, as an SKU is: then nothing may change it on the way."""
        unique = [one for one in self.of.model._meta.constraints if hasattr(one, "fields")]
        return any(self.name in one.fields or self.name in plain_names(one) for one in unique)

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> str:
        text = cell.strip(UNSEEN) if self.is_code else trimmed(cell)
        so_far = stored[self.key] if stored else None
        damage.check_text(type(cell)(text), so_far, code=self.is_code)
        if UNSTORABLE.search(text):
            raise Wrong(_("The text holds signs that can't be stored."))
        if self.of.max_length and len(text) > self.of.max_length:
            reason = _("The text has %(length)d signs, at most %(most)d are possible.")
            raise Wrong(reason % {"length": len(text), "most": self.of.max_length})
        return str(text)


def plain_names(constraint: Any) -> list[str]:
    """The columns that a constraint compares as they are: those that it doesn't put into lower case."""
    return [one.name for one in constraint.expressions if hasattr(one, "name")]


class YesNo(Column):
    def form(self, value: Any, reading: Reading) -> bool:
        return bool(value)

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> bool:
        said = truth(cell)
        if said is None:
            raise Wrong(_("“%(value)s” is neither yes nor no. Write “yes” or “no”.") % {"value": cell})
        return said


class Choice(Column):
    @cached_property
    def words(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for value, label in self.of.flatchoices:
            for word in in_all_languages(lambda label=label: label):  # type: ignore[misc]
                found.setdefault(fold(word), value)
        return found | {fold(value): value for value, _label in self.of.flatchoices}

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> str:
        value = self.words.get(fold(cell))
        if value is None:
            known = [str(value) for value, _label in self.of.flatchoices if value]
            reason = _("“%(value)s” isn't known here. Write one of these: %(known)s.")
            raise Wrong(reason % {"value": cell, "known": ", ".join(known)} + did_you_mean(cell, known))
        return value


class Color(Column):
    def read(self, cell: str, stored: Stored | None, reading: Reading) -> str:
        text = trimmed(cell).lower().removeprefix("#")
        if re.fullmatch(r"[0-9a-f]{3}", text) and "#" in cell:
            text = "".join(sign * 2 for sign in text)
        if not re.fullmatch(r"[0-9a-f]{6}", text):
            raise Wrong(_("“%(value)s” is no colour. Write it as #3366cc.") % {"value": cell})
        return f"#{text}"


class Amount(Column):
    def form(self, value: Any, reading: Reading) -> Decimal:
        return Decimal(value)

    @cached_property
    def percent(self) -> bool:
        return any(isinstance(one, MaxValueValidator) and one.limit_value == 100 for one in self.of.validators)

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> Decimal:
        value = numbers.number(cell, reading.points, percent=self.percent)
        exact = round(value, self.of.decimal_places) if value.adjusted() < self.of.max_digits else value
        if exact != value:
            reason = _("“%(value)s” has more than %(count)d digits behind the point.")
            raise Wrong(reason % {"value": cell, "count": self.of.decimal_places})
        return exact


class Change(Amount):
    """An amount, or per cent; another column says which."""

    percent = True


class Whole(Column):
    def form(self, value: Any, reading: Reading) -> int:
        return int(value)

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> int:
        value = numbers.number(cell, reading.points)
        if value != value.to_integral_value():
            raise Wrong(_("“%(value)s” is no whole number.") % {"value": cell})
        low, high = next(bounds for kind, bounds in RANGES.items() if isinstance(self.of, kind))
        if not low <= value <= high:
            reason = _("“%(value)s” is not between %(low)d and %(high)d.")
            raise Wrong(reason % {"value": cell, "low": low, "high": high})
        return int(value)


class Date(Column):
    def form(self, value: Any, reading: Reading) -> str:
        return str(value.isoformat())

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> Any:
        return moments.date(cell, reading.orders)


class Time(Column):
    def form(self, value: Any, reading: Reading) -> str:
        return str(value.isoformat())

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> Any:
        return moments.time(cell)


class Related(Column):
    """Another record, by its name, or by its id where the name isn't one of its own."""

    of_people = True

    def form(self, value: Any, reading: Reading) -> str:
        return reading.names(self.of.related_model).text_of(value)

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> Any:
        return reading.names(self.of.related_model).find(cell)


class Links(Column):
    """Other records by their names."""

    of_people = True

    @property
    def key(self) -> str:
        return self.name

    def written(self, stored: Stored, reading: Reading) -> str:
        names = reading.names(self.of.related_model)
        return joined(sorted(map(names.text_of, stored[self.key])))

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> set[Any]:
        names = reading.names(self.of.related_model)
        return set(map(names.find, words(cell)))

    def emptied(self, stored: Stored | None) -> Any:
        return set()


class Image(Column):
    """A stored picture by its hash."""

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> str:
        text = trimmed(cell).lower()
        if not HASH.match(text):
            raise Wrong(_("No picture has this hash."))
        return text


class Listed(Column):
    """A list of words."""

    of_people = True

    def form(self, value: Any, reading: Reading) -> str:
        return joined(map(str, value))

    def read(self, cell: str, stored: Stored | None, reading: Reading) -> list[Any]:
        return words(cell)


class Weekdays(Listed):
    def read(self, cell: str, stored: Stored | None, reading: Reading) -> list[int]:
        days: list[int] = []
        for part in re.split(r"[|,;、，/]", cell):
            ends = [WEEKDAY_OF.get(fold(word)) for word in re.split(r"[-–—~至到]", trimmed(part))]
            if len(ends) > 2 or None in ends or (ends[0] or 0) > (ends[-1] or 0):
                reason = _("“%(value)s” is no weekday. Write numbers from 1 (Monday) to 7 (Sunday): 1 | 5.")
                raise Wrong(reason % {"value": trimmed(part)})
            days += range(ends[0] or 0, (ends[-1] or 0) + 1)
        return days


class Id(Column):
    def read(self, cell: str, stored: Stored | None, reading: Reading) -> uuid.UUID:
        text = trimmed(cell)
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
            raise Wrong(_("“%(value)s” is no id.") % {"value": cell})
        return uuid.UUID(text)


def as_text(written: Written) -> str:
    """A cell in CSV."""
    if isinstance(written, bool):
        return str(int(written))
    return f"{written:f}" if isinstance(written, Decimal) else str(written)


def labels_of(columns: Sequence[Column]) -> dict[str, Column]:
    """Each column by what may stand above it, folded; what could be two of them stands for none."""
    own = {fold(column.name): column for column in columns}
    others: dict[str, set[str]] = {}
    by_name = {column.name: column for column in columns}
    for column in columns:
        for label in column.labels:
            others.setdefault(fold(label), set()).add(column.name)
    return {label: by_name[names.pop()] for label, names in others.items() if len(names) == 1} | own
