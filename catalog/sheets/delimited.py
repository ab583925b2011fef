"""CSV as offices write it, in and out: encodings, separators, and texts that would be formulas."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import StringIO
from itertools import islice

from django.utils.translation import gettext as _

from .cells import MOST_ROWS, Grid, Unreadable

SEPARATORS = ",;\t"
SAMPLE = 20  # rows
BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# A spreadsheet computes a text that begins like this, whatever blanks stand before.
FORMULA = re.compile(r"\A[\s\x00-\x20]*[=+\-@＝＋－＠']|\A[\t\r\n]")
AS_TEXT = re.compile(r'\A="([^"]*)"\Z')
HIGH, LETTER = re.compile(rb"[\x80-\xff]+"), re.compile(rb"[A-Za-z]")
SAID = re.compile(r"\Asep=(.)\r?\n?", re.IGNORECASE)


def read(data: bytes, known: Callable[[list[str]], int]) -> Grid:
    """The rows of a file. ``known`` says how many headings a row of cells has: they decide what separates cells."""
    text = decoded(data)
    if "\0" in text:
        raise Unreadable(_("This file can't be read: it is neither a CSV file nor an Excel workbook (XLSX)."))
    said = SAID.match(text)
    if said:
        text = text[said.end() :]
    best = max(said[1] if said else SEPARATORS, key=lambda separator: _fits(text, separator, known))
    grid = Grid()
    for place, cells in enumerate(_rows(text, best), start=2 if said else 1):
        if any(map(str.strip, cells)):
            if len(grid.rows) > MOST_ROWS:
                raise Unreadable(too_long())
            grid.rows.append((place, [let_loose(cell) for cell in cells]))
    return grid


def too_long() -> str:
    return _("A sheet has at most %(count)d rows: divide it into several.") % {"count": MOST_ROWS}


def _fits(text: str, separator: str, known: Callable[[list[str]], int]) -> tuple[int, int]:
    """How well the first rows look when ``separator`` separates their cells."""
    rows: list[list[str]] = []
    with suppress(csv.Error):  # said where the rows are read
        rows.extend(islice(_reader(text, separator, strict=False), SAMPLE))
    return max(map(known, rows), default=0), max(map(len, rows), default=0)


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    reader, place = _reader(text, separator, strict=True), 0
    while True:
        place += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            reason = _("Row %(row)d can't be read: a quotation mark (\") lacks its other half, or a cell is too long.")
            raise Unreadable(reason % {"row": place}) from None
        yield cells


def _reader(text: str, separator: str, *, strict: bool) -> Iterator[list[str]]:
    # newline="": line breaks inside of cells stay as they are, and a lone CR ends a row too.
    return csv.reader(StringIO(text, newline=""), delimiter=separator, strict=strict)


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16, GB 18030 or Windows-1252. Raises Unreadable."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _in(encoding, data[len(mark) :])
    if b"\0" in data[:2000]:  # UTF-16 without a mark: the other half of each ASCII sign is zero
        return _in("utf-16-le" if data[1:2000:2].count(0) >= data[0:2000:2].count(0) else "utf-16-be", data)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _in("gb18030" if _is_chinese(data) else "cp1252", data)


def _in(encoding: str, data: bytes) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable(
            _("The letters of this file can't be read. Save it as “CSV UTF-8”, or as an Excel workbook (XLSX).")
        ) from None


def _is_chinese(data: bytes) -> bool:
    """Whether the bytes are GB 18030: its signs are pairs of them, mostly several in a row.

    Western letters with accents are one byte each, between those of ASCII.
    """
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    votes = 0
    for found in HIGH.finditer(data):
        among_letters = LETTER.match(data[max(found.start() - 1, 0) :]) or LETTER.match(data[found.end() :])
        is_pairs = len(found[0]) % 2 == 0 and (len(found[0]) > 2 or not among_letters)
        votes += 1 if is_pairs else -1
    return votes > 0


def written(rows: Iterable[Iterable[tuple[str, bool]]]) -> Iterator[bytes]:
    """A file in UTF-8 with its mark. A cell is its text, and whether that is one of people and so may look live."""
    yield BOMS[0][0]
    for cells in rows:
        line = StringIO()
        csv.writer(line).writerow([kept_still(text) if of_people else text for text, of_people in cells])
        yield line.getvalue().encode("utf-8", "replace")


def kept_still(text: str) -> str:
    """``text`` with a quote before it when a spreadsheet would compute it; ``let_loose`` takes it off again."""
    return f"'{text}" if FORMULA.match(text) else text


def let_loose(text: str) -> str:
    """``text`` without such a quote; others keep codes from being computed by ``="00123"``."""
    if text.startswith("'") and FORMULA.match(text[1:]):
        return text[1:]
    kept = AS_TEXT.match(text)
    return kept[1] if kept else text
