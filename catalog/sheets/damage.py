"""What spreadsheets do to texts that look like something else, and nobody would write."""

import re
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from .cells import Failed, Moment, Number, Truth, Wrong

# As a spreadsheet shows large numbers: with a sign and two digits behind the E. A code such as 1E5 has neither.
SCIENTIFIC = re.compile(r"\A[+-]?\d(?:[.,]\d+)?E[+-]\d{2,3}\Z")
FAILED = re.compile(
    r"\A(?:#(?:REF|NAME|VALUE|N/A|DIV/0|NUM|NULL|SPILL|CALC)[!?]?|#¿NOMBRE\?|#¡(?:REF|VALOR|DIV/0|NUM)!|Err:5\d\d|#{3,})\Z"
)
ROUNDED = re.compile(r"\A\d{15}0{2,}\Z")  # a number keeps 15 digits
SHOWN = re.compile(r"\A-?(?:0|[1-9]\d*)(?:[.,]\d*[1-9])?\Z")  # as a spreadsheet writes a number
NUMERIC = re.compile(r"\A[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d{1,4})?\Z", re.ASCII)
FLOATING = re.compile(r"\A\d{6,}\.0\Z")
ENGLISH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
SPANISH = "ene|feb|mar|abr|may|jun|jul|ago|sep|sept|oct|nov|dic"  # people, too, write mar-01, but not 01-mar
MONTH = re.compile(rf"\A(?:{SPANISH})-\d{{2}}\Z")
DATE = re.compile(
    rf"\A(?:\d{{1,2}}-(?:{ENGLISH}|{SPANISH})(?:-\d{{2,4}})?|(?:{ENGLISH})-\d{{2}}|\d{{1,2}}月\d{{1,2}}日"
    r"|\d{1,2}/\d{1,2}/\d{2,4}|\d{4}-\d\d-\d\d 00:00:00)\Z"
)


def check_text(cell: str, stored: str | None, *, code: bool) -> None:
    """Raises Wrong when ``cell`` can only be what a spreadsheet made of another text.

    ``stored`` is what the record has now, if there is one. ``code`` is for what is compared sign by sign.
    """
    if isinstance(cell, Failed) or FAILED.match(cell):
        raise Wrong(_("“%(value)s” is a formula without a result. Write the text itself.") % {"value": cell})
    from_a_month = MONTH.match(cell) and stored and stored != cell and stored.casefold() == cell
    if isinstance(cell, Moment) or (code and (DATE.match(cell) or from_a_month)):
        raise Wrong(_("A spreadsheet made the date “%(value)s” of it. %(hint)s") % {"value": cell, "hint": hint()})
    if isinstance(cell, Truth):
        raise Wrong(_("A spreadsheet made “%(value)s” of it. %(hint)s") % {"value": cell, "hint": hint()})
    as_number = isinstance(cell, Number) and (len(cell.partition(".")[0].lstrip("-")) > 15 or (code and "." in cell))
    if as_number or SCIENTIFIC.match(cell) or (code and (ROUNDED.match(cell) or FLOATING.match(cell))):
        raise Wrong(
            _("A spreadsheet made the number “%(value)s” of it, and digits are lost. %(hint)s")
            % {"value": cell, "hint": hint()}
        )
    if stored and stored != cell and same_number(stored, cell):
        raise Wrong(
            _("“%(value)s” is “%(stored)s” after a spreadsheet made a number of it. %(hint)s")
            % {"value": cell, "stored": stored, "hint": hint()}
        )


def same_number(stored: str, cell: str) -> bool:
    """Whether two texts differ as a spreadsheet makes them differ: ``00123`` and ``123``."""
    return SHOWN.match(cell) is not None and number_of(stored) == number_of(cell)


def number_of(text: str) -> Decimal | None:
    """The number that a spreadsheet would make of a text; None when it would make none."""
    try:
        return Decimal(text.replace(",", ".")) if NUMERIC.match(text) else None
    except InvalidOperation:
        return None


def hint() -> str:
    return _("Format the column as text and write it again, or use the Excel workbook (XLSX) of the export.")
