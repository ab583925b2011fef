"""Which product a photo is for, told by the name of its file.

``ESP-001.jpg``, ``ESP-001 (2).jpg`` and ``ESP-001_front.jpg`` are of the product with the SKU ESP-001;
``Espresso doppio.jpg``, ``espresso_doppio.jpg`` and ``espresso-doppio-2.jpg`` of the one with that name.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.models import Product

WAYS = ("sku", "barcode", "name")  # the surest first
SHORTEST_PREFIX = 3  # characters; "2 coffees.jpg" is not of the product with the SKU 2
COUNTER = re.compile(r"[ _-]*\(\d+\)$|[ _-]+\d{1,2}$")  # what cameras and copies put behind a name
SEPARATORS = re.compile(r"[\s_-]+")


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
    stem = composed(re.split(r"[/\\]", filename)[-1].rpartition(".")[0] or filename).strip()
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


def composed(text: str) -> str:
    """With é as one character: a Mac writes two into names of files."""
    return unicodedata.normalize("NFC", text)


def folded(name: str) -> str:
    """A name without what file names do to it: case, and what stands between words."""
    return " ".join(SEPARATORS.split(composed(name).casefold())).strip()


def lookup(made: set[tuple[str, str]]) -> dict[tuple[str, str], list[Product]]:
    """The products of all guesses, by guess.

    Every product is folded here: a database folds in a way of its own (SQLite letters of ASCII only), and none as names
    of files are.
    """
    asked = {way for way, _text in made}
    fitting: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    for pk, sku, barcode, name in Product.objects.order_by("id").values_list("id", "sku", "barcode", "name"):
        for way, text in (("sku", sku), ("barcode", barcode), ("name", name)):
            if text and way in asked:
                fold = folded(text) if way == "name" else composed(text).casefold()
                if (way, fold) in made:
                    fitting[way, fold].append(pk)
    wanted = {pk for found in fitting.values() for pk in found}
    products = Product.objects.only("id", "name", "sku", "barcode", "image", "is_active").in_bulk(wanted)
    return {guess: [products[pk] for pk in found if pk in products] for guess, found in fitting.items()}
