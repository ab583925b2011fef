"""Records as a CSV file or an Excel workbook, which the import takes back unchanged."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from catalog.resources import Kind

from . import delimited, xlsxout
from .columns import Column, Reading, Written, as_text
from .kinds import columns_of
from .stored import Library, records

CSV, XLSX = "csv", "xlsx"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def exported(kind: Kind, ids: Sequence[UUID], format: str, names: Sequence[str] = ()) -> bytes:
    """The records ``ids`` in that order, with the columns ``names`` (all by default)."""
    columns = [column for column in columns_of(kind) if not names or column.name in names]
    rows = _rows(kind, ids, columns)
    if format == XLSX:
        return xlsxout.written(str(kind.model._meta.verbose_name_plural), rows)
    of_people = [column.of_people for column in columns]
    return b"".join(delimited.written(zip(map(as_text, cells), of_people, strict=True) for cells in rows))


def _rows(kind: Kind, ids: Sequence[UUID], columns: Sequence[Column]) -> Iterator[list[Written]]:
    yield [column.name for column in columns]
    reading = Reading(Library())
    for _row, stored in records(kind, ids):
        yield [column.written(stored, reading) for column in columns]
