"""Text with two fonts: which letters they have, how wide it is, where it breaks, how it is drawn. Pure."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

FONTS = Path(__file__).resolve().parent.parent.parent / "fonts"
FILES = ("NotoSans-Bold.ttf", "NotoSansCJKsc-Bold.otf")  # the first that has a letter draws it
ELLIPSIS = "…"


@dataclass(frozen=True)
class Line:
    text: str
    size: int  # pixels


@lru_cache(maxsize=64)
def font(file: str, size: int) -> ImageFont.FreeTypeFont:
    # Pillow's own layout, because the other one depends on what the machine has.
    return ImageFont.truetype(str(FONTS / file), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4)
def empty_box(file: str) -> bytes:
    return bytes(font(file, 32).getmask("\U000fffff"))


@lru_cache(maxsize=8192)
def file_of(letter: str) -> str:
    """The font that has this letter, "" where none has."""
    for file in FILES:
        mask = font(file, 32).getmask(letter)
        if letter == " " or (bytes(mask) and bytes(mask) != empty_box(file)):
            return file
    return ""


def written(text: str) -> str:
    """What of ``text`` can be written: signs that no font has (emoji, controls) are left out; "" if a letter lacks.

    Never half a name: of one that has a letter or a digit in another script nothing is written.
    """
    kept = []
    for letter in unicodedata.normalize("NFC", " ".join(text.split())):
        kind = unicodedata.category(letter)[0]
        if file_of(letter) and kind != "M":
            kept.append(letter)
        elif kind in "LMN" and not is_selector(letter):
            return ""
    line = " ".join("".join(kept).split())
    return line if any(letter.isalnum() for letter in line) else ""


def is_selector(letter: str) -> bool:
    """It says how an emoji looks, and is no mark of a letter."""
    return "\ufe00" <= letter <= "\ufe0f" or letter == "\u20e3"


def runs(text: str) -> list[tuple[str, str]]:
    """``text`` in pieces of one font each, as (font, piece)."""
    return [(file, "".join(letters)) for file, letters in groupby(text, file_of)]


def width(text: str, size: int) -> float:
    return sum(font(file, size).getlength(piece) for file, piece in runs(text))


def draw(
    canvas: ImageDraw.ImageDraw, text: str, *, left: float, baseline: float, size: int, fill: tuple[int, ...]
) -> None:
    for file, piece in runs(text):
        canvas.text((left, baseline), piece, font=font(file, size), fill=fill, anchor="ls")
        left += font(file, size).getlength(piece)


def is_east_asian(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def pieces(text: str) -> list[str]:
    """Where ``text`` may break: words with the space behind them, and single characters of East Asia.

    A mark such as 。 or ） stays with what is before it; Korean breaks between words.
    """
    made: list[str] = []
    for letter in text:
        starts = not made or made[-1].endswith((" ", "-", "/")) or (breaks(letter) or breaks(made[-1][-1]))
        stays = bool(made) and (letter == " " or unicodedata.category(letter) in {"Pe", "Po", "Pf", "Lm"})
        if starts and not stays:
            made.append(letter)
        else:
            made[-1] += letter
    return made


def breaks(letter: str) -> bool:
    return is_east_asian(letter) and not "\uac00" <= letter <= "\ud7a3"


def fitted(text: str, *, room: int, largest: int, smallest: int, lines: int = 2) -> tuple[Line, ...]:
    """``text`` on up to ``lines`` lines of ``room`` pixels, as large as it fits; the smallest is cut at its end."""
    for size in range(largest, smallest - 1, -2):
        found = wrapped(text, room, size)
        whole = all(width(piece.rstrip(), size) <= room for piece in pieces(text))
        if len(found) <= lines and whole:
            return tuple(Line(line, size) for line in balanced(text, found, size))
    found = wrapped(text, room, smallest)
    last = "".join(found[lines - 1 :])
    while last and width(last + ELLIPSIS, smallest) > room:
        last = last[:-1]
    return tuple(Line(line.strip(), smallest) for line in (*found[: lines - 1], last.rstrip() + ELLIPSIS))


def wrapped(text: str, room: float, size: int) -> list[str]:
    """Lines that are full; a piece that is too long by itself has one more line than fits, at its own letters."""
    lines = [""]
    for piece in pieces(text):
        if width((lines[-1] + piece).rstrip(), size) <= room:
            lines[-1] += piece
            continue
        if lines[-1]:
            lines.append("")
        for letter in piece:
            if width((lines[-1] + letter).rstrip(), size) > room:
                lines.append("")
            lines[-1] += letter
    return lines


def balanced(text: str, found: list[str], size: int) -> list[str]:
    """The same number of lines, as even as they can be, so that no short word stands alone."""
    if len(found) != 2:
        return [line.strip() for line in found]
    parts = pieces(text)
    ways = [("".join(parts[:at]).strip(), "".join(parts[at:]).strip()) for at in range(1, len(parts))]
    return list(min(ways, key=lambda way: max(width(line, size) for line in way), default=tuple(found)))
