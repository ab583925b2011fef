"""Bytes of a file become rows: encodings, separators, workbooks of other programs, and files that are built to hurt."""

import csv
import time
from collections.abc import Iterable
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from catalog.resources import kind_named
from catalog.sheets import delimited, xlsx, xlsxout
from catalog.sheets.cells import MOST_ROWS, Failed, Moment, Number, Truth, Unreadable
from catalog.sheets.reading import grid_of

PRODUCT = kind_named("product")
TEXT = "name;price;category\r\nCafé ñandú;3,10;Té y más\r\n"
CHINESE = "名称,价格,类别\n宫保鸡丁 €,3.10,川菜\n"


def rows_of(data: bytes) -> list[list[str]]:
    return [cells for _row, cells in grid_of(data, PRODUCT).rows]


def saved(rows: Iterable[Iterable[Any]], **formats: str) -> bytes:
    """A workbook by openpyxl, whose cells have number formats by their places."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    for place, code in formats.items():
        book.active[place].number_format = code
    target = BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_western_offices(encoding: str, newline: str, separator: str) -> None:
    text = TEXT.replace("3,10", "3.10").replace(";", separator).replace("\r\n", newline)
    wanted = [["name", "price", "category"], ["Café ñandú", "3.10", "Té y más"]]
    assert rows_of(text.encode(encoding)) == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_chinese_offices(encoding: str) -> None:
    text = CHINESE.replace("€", "") if encoding == "gbk" else CHINESE
    assert rows_of(text.encode(encoding))[1][2] == "川菜"


@pytest.mark.parametrize("text", ["Jamón ibérico de bellota", "Crème brûlée", "Größe", "½ ración", "Año", "€ 3,10"])
def test_accents_are_not_taken_for_chinese(text: str) -> None:
    assert rows_of(f"name;price\n{text};1\n".encode("cp1252"))[1][0] == text


def test_blank_rows_and_a_said_separator_count_as_rows_but_hold_nothing() -> None:
    grid = grid_of(b"sep=;\n\nname;price\n;\n\nCola;3\n", PRODUCT)
    assert grid.rows == [(3, ["name", "price"]), (6, ["Cola", "3"])]


def test_codes_that_others_keep_from_being_computed() -> None:
    assert rows_of(b'name,sku\nCola,"=""00123"""\nTea,=1+1\n')[1:] == [["Cola", "00123"], ["Tea", "=1+1"]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"), (b"  \n", "empty"), (b"\x89PNG\r\n\x1a\n\0\0", "neither a CSV"), (b"PK\x03\x04", "workbook"),
        (b'name,price\n"Cola,3\n', "Row 2 can't be read"), (b'name,price\n"a"b,3\n', "Row 2 can't be read"),
        (b"\xff\xfe\x00", "letters"), (b"name,price\nCol\xe1 \x81,3\n", "letters"),
        (b"name\n" + b"x" * 200_000, "Row 2 can't be read"),
        (b"name\n" + b"x\n" * (MOST_ROWS + 2), "at most"), (b" " * 21_000_000, "larger than"),
    ],
)  # fmt: skip
def test_what_is_no_sheet_is_said_of_the_file(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        grid_of(data, PRODUCT)


def test_cells_of_a_workbook_are_what_a_spreadsheet_shows() -> None:
    shown: list[tuple[Any, str, str]] = [
        ("00123", "@", "00123"), (123, "00000", "00123"), (5901234123457, "General", "5901234123457"),
        (0.21, "0%", "21%"), (9.2975, "0.00", "9.30"), (3.1 * 3, "General", "9.3"), (True, "General", "TRUE"),
        (date(2026, 3, 4), "dd/mm/yyyy", "2026-03-04"), (time_of_day(22, 0), "hh:mm", "22:00:00"),
        (datetime(2026, 3, 4, 22, 30), "yyyy-mm-dd hh:mm", "2026-03-04 22:30:00"),  # noqa: DTZ001 - a cell has no zone
        (1234.5, '#,##0.00 "€"', "1234.50"), (12, "[$-804]General", "12"), ("=1+1 Menu", "@", "=1+1 Menu"),
    ]  # fmt: skip
    data = saved([[value] for value, _code, _text in shown], **{f"A{n}": one[1] for n, one in enumerate(shown, 1)})
    # openpyxl takes a text that begins with an equals sign for a formula, of which there is no result.
    assert [cells[0] for _row, cells in xlsx.read(data).rows] == [*(text for *_, text in shown[:-1]), "="]
    kinds = {type(cells[0]) for _row, cells in xlsx.read(data).rows}
    assert kinds == {str, Number, Truth, Moment, Failed}


def test_the_sheet_that_is_seen_is_read() -> None:
    book = Workbook()
    book.active.title = "Notes"
    book.create_sheet("Hidden").sheet_state = "hidden"
    book.create_sheet("Menu").append(["name", "price"])
    book.active = 2
    target = BytesIO()
    book.save(target)
    assert rows_of(target.getvalue()) == [["name", "price"]]


@pytest.mark.parametrize("place", ["A1048576", "XFD1048576", "XFD1"])
def test_one_styled_cell_at_the_end_of_everything_costs_nothing(place: str) -> None:
    book = Workbook()
    book.active.append(["name", "price"])
    book.active[place].number_format = "0.00"
    target = BytesIO()
    book.save(target)
    begun = time.perf_counter()
    assert xlsx.read(target.getvalue()).rows == [(1, ["name", "price"])]
    assert time.perf_counter() - begun < 5


def test_something_in_the_last_column_is_named() -> None:
    book = Workbook()
    book.active["XFD7"] = "here"
    target = BytesIO()
    book.save(target)
    with pytest.raises(Unreadable, match="Row 7 has something in column XFD"):
        xlsx.read(target.getvalue())


def packed(sheet: bytes) -> bytes:
    """A workbook with these bytes as its sheet."""
    source = ZipFile(BytesIO(xlsxout.written("Menu", [["name"]])))
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as book:
        for name in source.namelist():
            book.writestr(name, sheet if name.endswith("sheet1.xml") else source.read(name))
    return target.getvalue()


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'


@pytest.mark.parametrize(
    "sheet",
    [
        BOMB, b"<worksheet><sheetData><row>", b"", b"<worksheet><sheetData><row r='x'/></sheetData></worksheet>",
        b"<w><row><c t='s'><v>99</v></c></row></w>", b"<w><row><c><v>abc</v></c></row></w>", b"\0\1\2",
        b"<w><row><c r='1'><v>1</v></c></row></w>",
    ],
)  # fmt: skip
def test_damaged_and_hostile_workbooks_are_said_to_be_unreadable(sheet: bytes) -> None:
    try:
        grid = xlsx.read(packed(sheet))
    except Unreadable:
        return
    assert len(grid.rows) <= 1


def test_a_workbook_that_unpacks_to_more_than_is_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_TEXT", 1_000_000)
    monkeypatch.setattr(xlsx, "MOST_UNPACKED", 2_000_000)
    rows = b"".join(b'<row><c t="str"><v>%s</v></c></row>' % (b"x" * 30_000) for _ in range(40))
    for sheet in (b"<w>" + rows + b"</w>", b"<w/>" + b" " * 2_000_001):
        with pytest.raises(Unreadable):
            xlsx.read(packed(sheet))


ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["", "None", "=1+1", "==x", "+1", "-1", "@a", "'", "''", "'=1", "\t=1", " =1", "a\r\nb", "a\rb", "_x000D_",
     "x005F_", "_x005F_x0041_", '="1"', "שלום", "\u202eabc", "😀", '"', '""', "a;b,c", "00123",
     "1E5", "\u00a0x", "\ufffe", "＝1"]
)  # fmt: skip


@given(st.lists(st.lists(ANY_TEXT, min_size=2, max_size=4), min_size=1, max_size=4))
def test_any_text_comes_back_from_both_formats(rows: list[list[str]]) -> None:
    full = [(place, cells) for place, cells in enumerate([["name", "price"], *rows], 1) if any(map(str.strip, cells))]
    book = xlsx.read(xlsxout.written("Menu", [["name", "price"], *rows])).rows
    file = b"".join(delimited.written([(cell, True) for cell in cells] for cells in [["name", "price"], *rows]))
    for read in (book, grid_of(file, PRODUCT).rows):
        assert [(place, trimmed(cells)) for place, cells in read] == [(place, trimmed(cells)) for place, cells in full]
    reader = csv.reader(StringIO(file.decode("utf-8-sig"), newline=""))
    assert not any(cell.lstrip()[:1] in "=+-@" for cells in reader for cell in cells if cell.strip())


def trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at the end, which a workbook doesn't have."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def test_other_programs_read_what_we_write() -> None:
    rows: list[list[Any]] = [
        ["sku", "price", "is_active"],
        ["00123", Decimal("3.10"), True],
        ["=1+1", Decimal(2), False],
    ]
    sheet = load_workbook(BytesIO(xlsxout.written("Menu / [x]", rows))).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["sku", "price", "is_active"],
        ["00123", 3.1, True],
        ["=1+1", 2, False],
    ]
    assert (sheet["A2"].data_type, sheet["A2"].number_format, sheet["A3"].data_type) == ("s", "@", "s")
