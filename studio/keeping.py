"""Which files under ``images/`` are the studio's, so that upkeep of images sets aside only what nobody names."""

from collections.abc import Collection

from .keys import parsed
from .models import Item


def ours(keys: Collection[str]) -> set[str]:
    """Those of ``keys`` that some item names."""
    form = [key for key in keys if parsed(key)]
    named = Item.objects.filter(key__in=form).values_list("key", flat=True) if form else ()
    return {key for key in named if key}
