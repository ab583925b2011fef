"""Bytes become rows of cells: the file itself says what it is."""

from django.utils.translation import gettext as _

from catalog.resources import Kind

from . import delimited, xlsx
from .cells import MOST_BYTES, Grid, Unreadable
from .headings import knower
from .kinds import columns_of


def grid_of(data: bytes, kind: Kind) -> Grid:
    """The rows of a CSV file or an Excel workbook. Raises Unreadable."""
    if len(data) > MOST_BYTES:
        raise Unreadable(_("The file is larger than %(count)d MB.") % {"count": MOST_BYTES // 1_000_000})
    if not data.strip():
        raise Unreadable(_("The file is empty."))
    if xlsx.is_workbook(data):
        return xlsx.read(data)
    return delimited.read(data, knower(columns_of(kind)))
