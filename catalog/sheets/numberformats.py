"""How a spreadsheet shows the number of a cell: as money, per cent, a date, a time, or a code with leading zeros."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .cells import Failed, Moment, Number

# The formats that have a number instead of a text, where it tells more than how many digits there are.
DATES = {14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)}
TIMES = {18, 19, 20, 21, 45, 46, 47}
DECIMALS = {2: 2, 4: 2, 7: 2, 8: 2, 39: 2, 40: 2, 43: 2, 44: 2}
QUIET = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]|AM/PM|A/P|上午/下午', re.IGNORECASE)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Format:
    """What the format makes of a number; ``digits`` are those behind the point, ``width`` those of a code."""

    moment: bool = False
    percent: bool = False
    digits: int | None = None
    width: int = 0

    def shown(self, value: str, *, since_1904: bool) -> str:
        """The number ``value``, as XML has it, as people see it. Raises ValueError."""
        number = float(value)
        if self.moment:
            return _moment(number, since_1904=since_1904)
        exact = Decimal(f"{number:.15g}")  # what else there is, is noise of computing
        if not exact.is_finite():
            return Failed("#NUM!")
        if self.percent:
            return Number(f"{plain((exact * 100).normalize())}%")
        if self.digits is not None:
            exact = exact.quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_UP) if abs(exact) < 10**14 else exact
        return Number(plain(exact).zfill(self.width))


def plain(number: Decimal) -> str:
    return f"{number:f}"


def format_of(number: int, code: str) -> Format:
    """The format with this number in the workbook, and with this text if it has one."""
    if not code:
        return Format(moment=number in DATES | TIMES, percent=number in {9, 10}, digits=DECIMALS.get(number))
    shown = QUIET.sub("", code).partition(";")[0]
    if shown.casefold() in {"general", "standard", "@", ""}:
        return Format()
    if re.search(r"[ymdhs年月日]", shown, re.IGNORECASE):
        return Format(moment=True)
    decimals = re.search(r"\.(0+)", shown)
    return Format(
        percent="%" in shown,
        digits=len(decimals[1]) if decimals and "E" not in shown else None,
        width=len(shown) if re.fullmatch(r"0{2,}", shown) else 0,
    )


def _moment(number: float, *, since_1904: bool) -> str:
    """Days since the calendar of the workbook begins, as a date and a time as far as it has them."""
    try:
        days, seconds = divmod(round(number * 86400), 86400)
        time = str(dt.timedelta(seconds=seconds)).zfill(8)
        if days == 0:
            return Moment(time)
        first = dt.date(1904, 1, 1) if since_1904 else dt.date(1899, 12, 30 if number >= 60 else 31)
        date = (first + days * DAY).isoformat()
    except OverflowError:
        return Failed("########")
    return Moment(f"{date} {time}" if seconds else date)
