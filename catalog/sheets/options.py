"""The options of an attribute as the text of one cell: ``Small | Medium* +0.50 | Large +1.00``.

The star marks a default, the number is its price change unless that is nothing. A name that ends like one of these
has backslashes before such signs.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from .cells import Wrong
from .lists import divided

OPTION = re.compile(r"\A(?P<name>.*?)(?P<star>\*)?(?:\s+(?P<change>[+-]\d{1,8}(?:[.,]\d{1,2})?))?\Z", re.DOTALL)
LIKE_A_CHANGE = re.compile(r"(?:\A|\s)[+-]\s?[\d.,]+\s*\S?\Z")
ESCAPED = re.compile(r"\\([\\|*+-])")


def text_of(options: Sequence[Mapping[str, Any]]) -> str:
    """Every option in order; ``options`` are rows with name, is_default and price_change."""
    return " | ".join(map(_text, options))


def _text(option: Mapping[str, Any]) -> str:
    change = f" {option['price_change']:+.2f}" if option["price_change"] else ""
    for special in (r"([\\|])", r"([\\|*+-])"):
        text = re.sub(special, r"\\\1", option["name"]) + "*" * option["is_default"] + change
        if _parsed(text) == (option["name"], option["is_default"], option["price_change"]):
            break
    return text


def _parsed(part: str) -> tuple[str, bool, Decimal] | None:
    found = OPTION.match(ESCAPED.sub("\0\\1\0", part))  # between signs that no text holds nothing is special
    if found is None or LIKE_A_CHANGE.search(found["name"]):
        return None
    name = found["name"].strip().replace("\0", "")
    return name, bool(found["star"]), Decimal((found["change"] or "0.00").replace(",", "."))


def options_of(text: str, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The list of options that ``text`` says, in the form of the API; those of the same name stay themselves.

    ``before`` are the rows that are stored. Raises Wrong.
    """
    so_far = {option["name"].casefold(): option for option in before}
    given: dict[str, dict[str, Any]] = {}
    for part in divided(text):
        found = _parsed(part)
        if found is None or not found[0] or found[0].casefold() in given:
            raise Wrong(_("“%(part)s” is no option, or is named twice.") % {"part": part})
        name, is_default, change = found
        own: dict[str, Any] = {"name": name, "is_default": is_default, "price_change": change}
        if kept := so_far.get(name.casefold()):
            own |= {"id": kept["id"], "is_sold_out": kept["is_sold_out"]}
        given[name.casefold()] = own
    return list(given.values())
