"""Numbers as offices write them: decimal commas, groups of thousands, currencies, per cent."""

import re
import unicodedata
from decimal import Decimal

from django.utils.translation import gettext as _

from .cells import Number, Wrong, trimmed

MOST_SIGNS = 40
# Without a sign of currency: what remains has to be a number.
CURRENCY = re.compile(
    r"\A(?:[A-Z]{3}|kr|zł|lei|元|圆|人民币)(?=[\s\d+\-])|(?<=[\s\d])(?:[A-Z]{3}|kr|zł|lei|元|圆|块)\Z"
)
PLAIN = re.compile(r"\A\d+\Z")
BEYOND_DOUBT = re.compile(r"\A-?\d{1,20}(\.\d{1,2})?\Z", re.ASCII)  # most of them


def tidied(text: str) -> str:
    """``text`` without its currency, and with ordinary digits and minus signs."""
    text = trimmed(unicodedata.normalize("NFKC", text)).replace("−", "-").replace("٫", ".")
    sign = ""
    for _round in range(2):  # -€5, €-5
        text = re.sub(r"\b[A-Z]{1,3}(?=\$)", "", text)  # US$
        text = trimmed("".join(c for c in text if unicodedata.category(c) != "Sc"))
        if text[:1] in {"+", "-"} and not sign:
            sign, text = text[0], trimmed(text[1:])
        text = trimmed(CURRENCY.sub("", text))
    return ("-" if sign == "-" else "") + text


def point_of(text: str) -> str:
    """Which sign stands before the decimals, when ``text`` shows it beyond doubt; else nothing."""
    if isinstance(text, Number) or text.isdigit():
        return ""
    text = tidied(text).lstrip("-").rstrip("%").strip()
    readings = _readings(text)
    return next(iter(readings)) if len(readings) == 1 and not PLAIN.match(text) else ""


def _readings(text: str) -> dict[str, Decimal]:
    """The number that ``text`` (without its sign) is, by the sign that stands before its decimals."""
    found: dict[str, Decimal] = {}
    for point, groups in ((".", ","), (",", ".")):
        before, has_point, decimals = text.partition(point)
        whole = _ungrouped(before, groups)
        if whole is not None and re.fullmatch(r"\d+" if has_point else "", decimals) and (whole or decimals):
            found[point] = Decimal(f"{whole or 0}.{decimals}" if decimals else whole)
    return found


def _ungrouped(whole: str, sign: str) -> str | None:
    """The digits of a whole number, perhaps in groups of three; None when it is none."""
    if whole == "" or whole.isdigit():
        return whole
    for one in (sign, " ", "'", "’"):
        # No group of thousands begins with a zero: “0,125” has decimals.
        if re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(one)}\d{{3}})+", whole):
            return whole.replace(one, "")
    return None


def number(text: str, points: set[str], *, percent: bool = False) -> Decimal:
    """The number in a cell. ``points`` are the decimal signs that the sheet uses elsewhere. Raises Wrong.

    ``percent`` lets a per cent sign stand behind it, which then says what is meant anyway.
    """
    if BEYOND_DOUBT.match(text):
        return Decimal(text) + 0  # no zero is below zero
    if len(text) > MOST_SIGNS:
        raise Wrong(_no_number(text[:MOST_SIGNS] + "…"))
    bare = tidied(text)
    if percent and bare.endswith("%"):
        bare = trimmed(bare[:-1])
    negative, digits = bare.startswith("-"), bare.lstrip("-")
    readings = _readings(digits) if bare.count("-") <= 1 and digits.isascii() else {}
    if isinstance(text, Number):
        readings = {".": readings["."]} if "." in readings else {}
    if not readings:
        raise Wrong(_no_number(text))
    if len(set(readings.values())) > 1:
        decided = points & readings.keys()
        if len(decided) != 1:
            one, other = (f"{value:f}" for value in readings.values())
            reason = _("“%(text)s” can be read as %(one)s and as %(other)s. Write it without a sign for thousands.")
            raise Wrong(reason % {"text": text, "one": one, "other": other})
        readings = {point: readings[point] for point in decided}
    (value,) = set(readings.values())
    return -value if negative and value else value


def _no_number(text: str) -> str:
    return _("“%(value)s” is no number. Write it with digits, such as 12.50.") % {"value": text}
