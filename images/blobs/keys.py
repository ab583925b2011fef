"""Under which keys an image and its narrower copies lie. A hash from outside becomes a key only here."""

import re

from images.blobs.interface import KeyRefused

WIDTHS = (160, 320, 640, 1280)  # of narrower copies, in pixels
SUFFIXES = {"jpeg": "jpg", "webp": "webp"}  # of narrower copies, by their format
HASH_PATTERN = "[0-9a-f]{64}"
HASH = re.compile(rf"\A{HASH_PATTERN}\Z")


def image_key(hash: str) -> str:
    """The key of a stored picture. Raises ``KeyRefused`` for what is no hash."""
    if not HASH.match(hash):
        raise KeyRefused(hash)
    return f"images/{hash}.jpg"


def derived_key(hash: str, width: int, format: str = "jpeg") -> str:
    """The key of a narrower copy. Raises ``KeyRefused`` for what is no hash."""
    if not HASH.match(hash):
        raise KeyRefused(hash)
    return f"images/derived/{hash}_{int(width)}.{SUFFIXES[format]}"


def derived_keys(hash: str) -> list[str]:
    """The keys of all narrower copies that there may be."""
    return [derived_key(hash, width, format) for width in WIDTHS for format in SUFFIXES]
