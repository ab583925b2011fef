"""Names that a client sends and nobody reads: refused, since a typing mistake would list or change something else."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from django.utils.translation import gettext as _

from . import InvalidParameter

MOST_NAMED = 5  # more mistakes than these are told when the first ones are mended
LONGEST_COMPARED = 40  # characters; comparing long names takes long


def refuse_unknown(query: Mapping[str, object], known: Collection[str]) -> None:
    """Raises InvalidParameter when ``query`` has a parameter that isn't ``known``; ``errors`` names each."""
    if told := mistakes(query, known):
        errors = [{"field": name, "code": "unknown", "detail": text} for name, text in told.items()]
        raise InvalidParameter(errors[0]["detail"], errors=errors)


def mistakes(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """What is wrong with each of ``names`` that isn't ``known``, by name; at most ``MOST_NAMED``."""
    unknown = [name for name in names if name not in known]
    return {name: _said(name, sorted(known)) for name in unknown[:MOST_NAMED]}


def _said(name: str, known: list[str]) -> str:
    shown = name[:LONGEST_COMPARED]
    if near := _nearest(shown, tuple(known)):
        return _("“%(name)s” is not known here. Did you mean “%(near)s”?") % {"name": shown, "near": near}
    if known:
        return _("“%(name)s” is not known here. There are: %(known)s.") % {"name": shown, "known": ", ".join(known)}
    return _("“%(name)s” is not known here; there are no parameters.") % {"name": shown}


@lru_cache(maxsize=1024)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(name.lower(), known, n=1)), "")
