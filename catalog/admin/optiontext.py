"""The options of an attribute as the text of one cell: ``Small | Medium* +0.50 | Large +1.00``."""

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.models import Attribute, AttributeOption

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
    """Make the options those of ``text``: same names are kept, others go. ValueError for an odd text."""
    parts = [part.strip() for part in text.split("|") if part.strip()]
    so_far = {option.name.casefold(): option for option in attribute.options.all()}
    named: dict[str, AttributeOption] = {}
    for position, part in enumerate(parts):
        found = OPTION.match(part)
        name = found["name"].strip() if found else ""
        if found is None or not name or name.casefold() in named:
            raise ValueError(_("“%(part)s” is no option, or is named twice.") % {"part": part})
        option = named[name.casefold()] = so_far.get(name.casefold()) or AttributeOption(attribute=attribute)
        option.name, option.position = name, position
        option.is_default = bool(found["star"])
        option.price_change = Decimal(found["change"] or "0.00")
    gone = [option.pk for key, option in so_far.items() if key not in named]
    AttributeOption.objects.filter(pk__in=gone).delete()
    for option in named.values():
        option.full_clean()
        option.save()
