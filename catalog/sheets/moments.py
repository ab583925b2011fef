"""Dates and times as people write them. A date that can be read in two ways is read as the rest of the sheet is."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable

from django.utils.translation import gettext as _

from .cells import Wrong, trimmed
from .words import fold

ORDERS = ("dmy", "mdy", "ymd")
MONTHS = {
    word: month
    for month, words in enumerate(
        (
            "january jan enero ene", "february feb febrero", "march mar marzo", "april apr abril abr", "may mayo",
            "june jun junio", "july jul julio", "august aug agosto ago", "september sept sep septiembre set setiembre",
            "october oct octubre", "november nov noviembre", "december dec diciembre dic",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
CHINESE = re.compile(r"\A(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?\Z")
THREE = re.compile(r"\A(\d{1,4})\s*[-/.\s]\s*(\d{1,4})\s*[-/.\s]\s*(\d{1,4})\.?\Z")
NAMED = re.compile(
    r"\A(\d{1,2})(?:\.|st|nd|rd|th|º)?[\s\-/.]*(?:de\s+)?([^\W\d]+)\.?[\s\-/.,]*(?:del?\s+)?(\d{4})\Z", re.I
)
NAMED_FIRST = re.compile(r"\A([^\W\d]+)\.?[\s\-]*(\d{1,2})(?:st|nd|rd|th)?[\s\-,]+(\d{4})\Z", re.IGNORECASE)
MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?\Z")
TIME = re.compile(
    r"\A(?P<before>上午|下午|早上|晚上|am|pm)?\s*(?P<hour>\d{1,2})"
    r"(?:\s*[:.h点时]\s*(?P<minute>\d{2})?(?:\s*[:.分]\s*(?:(?P<second>\d{2})(?:\.(?P<part>\d{1,6}))?)?)?)?"
    r"\s*(?:h|hs|hrs|uhr)?\.?\s*(?P<after>[ap]\.?\s?m\.?)?\Z",
    re.IGNORECASE,
)


def readings(text: str) -> dict[str, dt.date]:
    """The dates that ``text`` can be, by the order in which its parts are read; none when it is no date."""
    text = MIDNIGHT.sub("", trimmed(unicodedata.normalize("NFKC", text)))
    if found := CHINESE.match(text):
        return _all_orders(_date(*found.groups()))
    if (found := NAMED.match(text)) and (month := MONTHS.get(fold(found[2]))):
        return _all_orders(_date(found[3], month, found[1]))
    if (found := NAMED_FIRST.match(text)) and (month := MONTHS.get(fold(found[1]))):
        return _all_orders(_date(found[3], month, found[2]))
    if not (found := THREE.match(text)):
        return {}
    first, second, third = found.groups()
    if len(first) == 4:
        return _all_orders(_date(first, second, third))
    dates = {"dmy": _date(third, second, first), "mdy": _date(third, first, second)}
    if len(third) <= 2:
        dates["ymd"] = _date(first, second, third)
    return {order: date for order, date in dates.items() if date}


def _all_orders(date: dt.date | None) -> dict[str, dt.date]:
    return dict.fromkeys(ORDERS, date) if date else {}


def _date(year: str, month: str | int, day: str) -> dt.date | None:
    if len(year) not in {2, 4}:
        return None
    try:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None


def orders_of(texts: Iterable[str]) -> set[str]:
    """The orders in which every date among ``texts`` can be read: what they say together of the ones in doubt."""
    left = set(ORDERS)
    for text in texts:
        if found := readings(text):
            left &= found.keys()
    return left


def date(text: str, orders: set[str]) -> dt.date:
    """The date in a cell, where the sheet is read in one of ``orders``. Raises Wrong."""
    found = readings(text)
    if not found:
        raise Wrong(_("“%(value)s” is no date. Write it as 2026-12-31.") % {"value": text})
    meant = {found[order] for order in orders & found.keys()} or set(found.values())
    if len(meant) > 1:
        can_be = _("“%(value)s” can be %(dates)s. Write it as 2026-12-31, or choose the order in which dates are read.")
        raise Wrong(can_be % {"value": text, "dates": " / ".join(sorted(one.isoformat() for one in meant))})
    return meant.pop()


def time(text: str) -> dt.time:
    """The time of day in a cell. Raises Wrong."""
    plain = trimmed(unicodedata.normalize("NFKC", text))
    found = TIME.match(plain)
    try:
        if found is None or (found["minute"] is None and plain.isdigit()):
            raise ValueError(plain)
        hour = int(found["hour"])
        half = {"上午": "am", "早上": "am", "下午": "pm", "晚上": "pm"}.get(
            found["before"] or "", found["before"] or ""
        )
        half = (half or re.sub(r"[.\s]", "", found["after"] or "")).lower()
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(plain)
            hour = hour % 12 + (12 if half == "pm" else 0)
        fraction = int((found["part"] or "0").ljust(6, "0"))
        return dt.time(hour, int(found["minute"] or 0), int(found["second"] or 0), fraction)
    except ValueError:
        raise Wrong(_("“%(value)s” is no time of day. Write it as 18:30.") % {"value": text}) from None
