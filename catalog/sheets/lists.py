"""Several words in one cell: ``one | two``. A bar inside of a word has a backslash before it."""

import re
from collections.abc import Iterable

SPECIAL = re.compile(r"([\\|])")
PIECES = re.compile(r"\\[\\|]|\||[^\\|]+|\\", re.DOTALL)


def joined(words: Iterable[str]) -> str:
    return " | ".join(SPECIAL.sub(r"\\\1", word) for word in words)


def divided(text: str) -> list[str]:
    """The words as they stand in the cell, backslashes included, without empty ones."""
    parts = [""]
    for piece in PIECES.findall(text):
        if piece == "|":
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def words(text: str) -> list[str]:
    return [re.sub(r"\\([\\|])", r"\1", part) for part in divided(text)]
