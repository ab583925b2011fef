"""The options of an attribute as the text of one cell: ``Small | Medium* +0.50 | Large +1.00``."""

import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from catalog.children import set_children
from catalog.models import Attribute
from catalog.resources import kind_of

OPTION = re.compile(r"\A(?P<name>.*?)(?P<star>\*)?(?:\s+(?P<change>[+-]\d{1,8}(?:\.\d{1,2})?))?\Z", re.DOTALL)


def text_of_options(attribute: Attribute) -> str:
    """Every option in order; the star marks a default, the number its price change unless it is nothing."""
    parts = []
    for option in attribute.options.all():
        star = "*" if option.is_default else ""
        change = f" {option.price_change:+.2f}" if option.price_change else ""
        parts.append(f"{option.name}{star}{change}")
    return " | ".join(parts)


def options_from_text(*, attribute: Attribute, text: str) -> None:
    """Make the options those of ``text``: same names are kept, others go. Raises ValueError for an odd text."""
    so_far = {option.name.casefold(): option for option in attribute.options.all()}
    given: dict[str, dict[str, Any]] = {}
    for part in filter(None, map(str.strip, text.split("|"))):
        found = OPTION.match(part)
        name = found["name"].strip() if found else ""
        if found is None or not name or name.casefold() in given:
            raise ValueError(_("“%(part)s” is no option, or is named twice.") % {"part": part})
        own = {"name": name, "is_default": bool(found["star"]), "price_change": Decimal(found["change"] or "0.00")}
        if kept := so_far.get(name.casefold()):
            own |= {"id": kept.pk, "is_sold_out": kept.is_sold_out}
        given[name.casefold()] = own
    (options,) = kind_of(Attribute).resource.children
    set_children(attribute, options, list(given.values()))
