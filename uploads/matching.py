"""Which product a photo is for, told by the name of its file.

``ESP-001.jpg``, ``ESP-001 (2).jpg`` and ``ESP-001_front.jpg`` are of the product with the SKU ESP-001;
``Espresso doppio.jpg``, ``espresso_doppio.jpg`` and ``espresso-doppio-2.jpg`` of the one with that name.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Expression, F, Q, Value
from django.db.models.functions import Lower, Replace

from catalog.models import Product

WAYS = ("sku", "barcode", "name")  # the surest first
SHORTEST_PREFIX = 3  # characters; "2 coffees.jpg" is not of the product with the SKU 2
COUNTER = re.compile(r"[ _-]*\(\d+\)$|[ _-]+\d{1,2}$")  # what cameras and copies put behind a name


@dataclass(frozen=True)
class Match:
    """``product`` and the way it was found; both None when no product, or more than one, fits."""

    filename: str
    product: Product | None = None
    by: str | None = None


def match(*, filenames: Sequence[str], ways: Iterable[str] = WAYS) -> list[Match]:
    """One match for each name, in their order; two queries, however many there are."""
    wanted = [(filename, list(guesses(filename, frozenset(ways)))) for filename in filenames]
    known = lookup({guess for _filename, made in wanted for guess in made})
    return [first(filename, made, known) for filename, made in wanted]


def first(filename: str, made: list[tuple[str, str]], known: dict[tuple[str, str], list[Product]]) -> Match:
    for way, text in made:
        found = known.get((way, text), [])
        on_sale = [product for product in found if product.is_active]
        chosen = found if len(found) == 1 else on_sale
        if len(chosen) == 1:
            return Match(filename, chosen[0], way)
    return Match(filename)


def guesses(filename: str, ways: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(way, folded text) that could lead to the product, the likeliest first."""
    # A Mac writes é as two characters.
    stem = unicodedata.normalize("NFC", re.split(r"[/\\]", filename)[-1].rpartition(".")[0] or filename).strip()
    plain = COUNTER.sub("", stem)
    for text in dict.fromkeys((stem, plain)):
        for way in WAYS:
            if way in ways and text:
                yield way, folded(text) if way == "name" else text.casefold()
    prefix = re.split(r"[ _]", stem)[0]
    if prefix != stem and len(prefix) >= SHORTEST_PREFIX:
        for way in ("sku", "barcode"):
            if way in ways:
                yield way, prefix.casefold()


def folded(name: str) -> str:
    """A name without what file names do to it: case, and what stands between words."""
    return " ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFC", name).casefold())).strip()


def lookup(made: set[tuple[str, str]]) -> dict[tuple[str, str], list[Product]]:
    """The products of all guesses, by guess."""
    products = Product.objects.only("id", "name", "sku", "barcode", "image", "is_active").order_by("id")
    numbers = {text for way, text in made if way != "name"}
    cased = {form for text in numbers for form in (text, text.upper(), text.title())}  # by the unique indexes
    names = {text for way, text in made if way == "name"}
    known: dict[tuple[str, str], list[Product]] = defaultdict(list)
    for product in products.filter(Q(sku__in=cased) | Q(barcode__in=cased)) if cased else ():
        for way in ("sku", "barcode"):
            if text := getattr(product, way).casefold():
                known[way, text].append(product)
    for product in products.annotate(folded=without_separators()).filter(folded__in=squeezed(names)) if names else ():
        known["name", folded(product.name)].append(product)
    return known


def without_separators() -> Lower:
    """The name as `squeezed` writes it, in SQL."""
    name: F | Expression = F("name")
    for separator in (" ", "-", "_"):
        name = Replace(name, Value(separator), Value(""))
    return Lower(name)


def squeezed(names: set[str]) -> set[str]:
    """Names without separators, also as SQLite folds them, which knows the case of ASCII only."""
    bare = {name.replace(" ", "") for name in names}
    return bare | {name[:1].upper() + name[1:] for name in bare if not name[:1].isascii()}
