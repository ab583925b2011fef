"""Excel workbooks, in: the cells of one sheet as the spreadsheet shows them.

By hand, since a reader for everything isn't bounded: openpyxl makes a million rows of one styled cell in the last one,
unpacks what a few bytes expand to, and takes ``x005F_`` out of texts. Only what a cell holds is looked at here: values,
number formats, the kind of calendar.
"""

import posixpath
import re
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO, Any
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _

from .cells import MOST_COLUMNS, MOST_ROWS, Failed, Grid, Truth, Unreadable, letters
from .delimited import too_long
from .numberformats import Format, format_of

MOST_UNPACKED = 400_000_000  # bytes, of the parts that are read; nothing keeps them whole
MOST_OF_A_PART = 20_000_000  # bytes, of lists that are kept: names of sheets, styles
MOST_TEXT = 40_000_000  # signs of all cells
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
CHUNK = 1 << 16


def is_workbook(data: bytes) -> bool:
    return data.startswith(b"PK\x03\x04")


def read(data: bytes) -> Grid:
    """The sheet that the workbook opens with. Raises Unreadable."""
    try:
        with ZipFile(BytesIO(data)) as book:
            return _read(book)
    except (BadZipFile, KeyError, ValueError, EOFError, OSError, IndexError, RuntimeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise _damaged() from error
    except (NotImplementedError, expat.ExpatError, zlib.error, OverflowError) as error:
        raise _damaged() from error


def _damaged() -> Unreadable:
    return Unreadable(_("This workbook can't be read. Open it in a spreadsheet and save it as XLSX again."))


def _read(book: ZipFile) -> Grid:
    if "xl/workbook.xml" not in book.namelist():
        raise _damaged()
    if sum(part.file_size for part in book.infolist()) > MOST_UNPACKED:
        raise Unreadable(_("This workbook is too large: keep only the sheet that is to be imported."))
    sheets: list[dict[str, str]] = []
    opened, since_1904 = 0, False
    for tag, attributes in _elements(book, "xl/workbook.xml"):
        if tag == "sheet":
            sheets.append(attributes)
        elif tag == "workbookView":
            opened = int(attributes.get("activeTab", 0))
        elif tag == "workbookPr":
            since_1904 = attributes.get("date1904") in {"1", "true"}
    seen = [sheet for sheet in sheets if sheet.get("state", "visible") == "visible"] or sheets
    chosen = sheets[opened] if opened < len(sheets) and sheets[opened] in seen else seen[0]
    targets = {one["Id"]: one["Target"] for tag, one in _elements(book, "xl/_rels/workbook.xml.rels") if "Id" in one}
    path = posixpath.normpath(posixpath.join("/xl", targets[chosen["id"]])).lstrip("/")
    strings = _strings(book) if "xl/sharedStrings.xml" in book.namelist() else []
    sheet = _Sheet(strings, _formats(book), since_1904=since_1904)
    with book.open(path) as part:
        _walk(part, sheet.start, sheet.end, sheet.text)
    return sheet.grid


def _walk(
    part: IO[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] = lambda tag: None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Call back for each element of a part, by its name without a namespace. No part needs declarations of its own."""

    def refuse(*_declared: Any) -> None:
        raise _damaged()

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda tag, attributes: start(
        tag.rpartition(" ")[2], {name.rpartition(" ")[2]: value for name, value in attributes.items()}
    )
    parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    if text:
        parser.CharacterDataHandler = text
    while chunk := part.read(CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _elements(book: ZipFile, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    if book.getinfo(path).file_size > MOST_OF_A_PART:
        raise _damaged()
    with book.open(path) as part:
        _walk(part, lambda tag, attributes: found.append((tag, attributes)))
    yield from found


def _formats(book: ZipFile) -> list[Format]:
    """How each style of a cell shows its number."""
    if "xl/styles.xml" not in book.namelist():
        return []
    codes: dict[int, str] = {}
    styles: list[Format] = []
    inside = False
    for tag, attributes in _elements(book, "xl/styles.xml"):
        if tag == "numFmt":
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif tag in {"cellXfs", "cellStyleXfs", "cellStyles", "dxfs"}:
            inside = tag == "cellXfs"
        elif tag == "xf" and inside:
            number = int(attributes.get("numFmtId", 0))
            styles.append(format_of(number, codes.get(number, "")))
    return styles


def _strings(book: ZipFile) -> list[str]:
    """The texts that cells name by their place. What is read aloud for Japanese signs isn't part of one."""
    found: list[str] = []
    pieces: list[str] = []
    state = {"text": False, "aloud": False, "length": 0}

    def start(tag: str, _attributes: dict[str, str]) -> None:
        if tag == "si":
            pieces.clear()
        elif tag == "rPh":
            state["aloud"] = True
        elif tag == "t":
            state["text"] = not state["aloud"]

    def end(tag: str) -> None:
        if tag == "si":
            found.append(unescaped("".join(pieces)))
        elif tag == "rPh":
            state["aloud"] = False
        elif tag == "t":
            state["text"] = False

    def text(piece: str) -> None:
        if state["text"]:
            state["length"] += len(piece)
            if state["length"] > MOST_TEXT:
                raise Unreadable(too_long())
            pieces.append(piece)

    with book.open("xl/sharedStrings.xml") as part:
        _walk(part, start, end, text)
    return found


def unescaped(text: str) -> str:
    """Signs that XML can't hold are written ``_x000D_``, and an underscore that would look like one ``_x005F_``."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Sheet:
    """Collects the rows of a sheet from its elements."""

    def __init__(self, strings: list[str], formats: list[Format], *, since_1904: bool) -> None:
        self.strings, self.formats, self.since_1904 = strings, formats, since_1904
        self.grid = Grid()
        self.row = self.column = self.length = 0
        self.cells: list[str] = []
        self.kind, self.style, self.formula = "n", 0, False
        self.pieces: list[str] = []
        self.taking = self.aloud = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self.column = _place(attributes["r"]) if "r" in attributes else self.column + 1
            self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", 0))
            self.formula = False
            self.pieces.clear()
        elif tag == "row":
            self.row = int(attributes["r"]) if "r" in attributes else self.row + 1
            self.cells, self.column = [], -1
        elif tag in {"v", "t"}:
            self.taking = not self.aloud
        elif tag == "f":
            self.formula = True
        elif tag == "rPh":
            self.aloud = True

    def text(self, piece: str) -> None:
        if self.taking:
            self.pieces.append(piece)

    def end(self, tag: str) -> None:
        if tag in {"v", "t"}:
            self.taking = False
        elif tag == "rPh":
            self.aloud = False
        elif tag == "c":
            if found := self._cell("".join(self.pieces)):
                self._put(found)
        elif tag == "row" and any(map(str.strip, self.cells)):
            if len(self.grid.rows) > MOST_ROWS:
                raise Unreadable(too_long())
            self.grid.rows.append((self.row, self.cells))

    def _put(self, found: str) -> None:
        if self.column >= MOST_COLUMNS:
            if found.strip():
                reason = _("Row %(row)d has something in column %(column)s: a sheet has at most %(count)d columns.")
                at = {"row": self.row, "column": letters(self.column), "count": MOST_COLUMNS}
                raise Unreadable(reason % at)
            return
        self.length += len(found)
        if self.length > MOST_TEXT:
            raise Unreadable(too_long())
        self.cells.extend([""] * (self.column + 1 - len(self.cells)))
        self.cells[self.column] = found

    def _cell(self, value: str) -> str:
        match self.kind:
            case "s":
                return self.strings[int(value)] if value else ""
            case "inlineStr" | "str":
                return unescaped(value)
            case "b":
                return Truth("TRUE" if value in {"1", "true"} else "FALSE") if value else ""
            case "e":
                return Failed(value or "#VALUE!")
        if not value:
            return Failed("=") if self.formula else ""
        style = self.formats[self.style] if self.style < len(self.formats) else Format()
        return style.shown(value, since_1904=self.since_1904)


def _place(reference: str) -> int:
    """The column of a cell such as ``AB12``, from 0."""
    place = 0
    for sign in reference:
        if not "A" <= sign <= "Z":
            break
        place = place * 26 + ord(sign) - ord("A") + 1
    return place - 1
