"""What a cell of a sheet can be, and what is said of one that can't be understood.

A cell is a text. What a spreadsheet kept as something else is a text of a class of its own, since only there a number
is a number: ``00123`` as a text is a code, and as a number it has lost its zeros.
"""

from dataclasses import dataclass, field

MOST_ROWS, MOST_COLUMNS = 50_000, 200
MOST_BYTES = 20_000_000
BLANK = " \t\r\n\v\f\u00a0\u2007\u202f\u3000\u200b\ufeff\u2060"  # what nobody sees at the ends of a text


class Number(str):
    """A number as the spreadsheet shows it: a point, no groups, perhaps a per cent sign behind."""

    __slots__ = ()


class Moment(str):
    """A date, a time, or both, in the form of ISO 8601."""

    __slots__ = ()


class Truth(str):
    """``TRUE`` or ``FALSE``."""

    __slots__ = ()


class Failed(str):
    """What stands in a cell whose formula has no result, such as ``#REF!``."""

    __slots__ = ()


@dataclass
class Grid:
    """The rows that hold anything, with the numbers that a spreadsheet shows beside them, from 1."""

    rows: list[tuple[int, list[str]]] = field(default_factory=list)


class Unreadable(ValueError):
    """No sheet can be made of the file; the text says why, to people."""


class Wrong(ValueError):
    """A cell that can't be understood; the text says what to do."""


def trimmed(text: str) -> str:
    return text.strip(BLANK) if text and (text[0] in BLANK or text[-1] in BLANK) else text


def letters(column: int) -> str:
    """The name of a column, counted from 0: A, B, …, Z, AA."""
    name, left = "", column + 1
    while left:
        left, rest = divmod(left - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
