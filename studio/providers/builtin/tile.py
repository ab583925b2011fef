"""Draws a label: the category's colour, initials, the name on up to two lines, the category. Pure and deterministic."""

import hashlib
import re

import numpy as np
from PIL import Image, ImageDraw

from normalform import encode
from studio.providers.base import Subject
from studio.providers.builtin import lettering

EDGE = 1024  # pixels
MARGIN = 80
QUALITY = 88
SCALE = 2  # shapes are drawn larger and made smaller, which smooths their edges
# For what has no category, or one without a colour: calm, and far apart from each other.
PALETTE = ("#b4452f", "#a8661c", "#5d7a2a", "#2c7a62", "#2a6f97", "#4f5bb0", "#84489c", "#a93c66")
WHITE, INK = (255, 255, 255), (38, 30, 26)

Colour = tuple[int, ...]


def tile(subject: Subject) -> bytes:
    """A JPEG in normal form of 1024 by 1024 pixels; the same subject always gives the same bytes."""
    colour = colour_of(subject)
    ink = INK if luminance(colour) > 0.36 else WHITE
    picture = background(colour)
    name = lettering.written(subject.name)
    initials = lettering.written(subject.initials or initials_of(name)) if name else ""
    canvas = ImageDraw.Draw(picture)
    lines = lettering.fitted(name, room=EDGE - 2 * MARGIN, largest=92, smallest=40) if name else ()
    category = lettering.written(subject.category)
    height = sum(round(line.size * 1.22) for line in lines) + (74 if category else 0)
    middle = (EDGE - height - (MARGIN if height else 0)) // 2
    plate(picture, ink, middle=middle, radius=min(270, middle - 64))
    if initials:
        centred(canvas, initials, middle=middle, room=2 * min(270, middle - 64) - 150, ink=ink)
    else:
        cloche(picture, ink, middle=middle)
    bottom = EDGE - MARGIN
    for line in reversed(lines):
        at = (EDGE - lettering.width(line.text, line.size)) / 2
        lettering.draw(canvas, line.text, left=at, baseline=bottom - line.size * 0.24, size=line.size, fill=ink)
        bottom -= round(line.size * 1.22)
    if category:
        label = lettering.fitted(category, room=EDGE - 2 * MARGIN, largest=40, smallest=40, lines=1)[0]
        at = (EDGE - lettering.width(label.text, label.size)) / 2
        faint = mixed(colour, ink, 0.86)
        lettering.draw(canvas, label.text, left=at, baseline=bottom - 26, size=label.size, fill=faint)
    return encode(picture, quality=QUALITY)


def colour_of(subject: Subject) -> Colour:
    text = subject.colour
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        digest = hashlib.sha256((subject.category or subject.name).encode()).digest()
        text = PALETTE[digest[0] % len(PALETTE)]
    return tuple(bytes.fromhex(text[1:]))


def luminance(colour: Colour) -> float:
    """WCAG's relative luminance, from 0 to 1."""
    linear = [(v / 255 / 12.92) if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))


def background(colour: Colour) -> Image.Image:
    """A gradient from the upper left to the lower right: darker where white words stand, lighter under dark ones."""
    dark = luminance(colour) <= 0.36
    first, last = (mixed(colour, WHITE, 0.1), mixed(colour, (0, 0, 0), 0.38))
    if not dark:
        first, last = mixed(colour, (0, 0, 0), 0.08), mixed(colour, WHITE, 0.3)
    steps = np.linspace(0, 1, EDGE)
    share = (steps[None, :] * 0.35 + steps[:, None] * 0.65)[..., None]
    pixels = np.array(first) * (1 - share) + np.array(last) * share
    return Image.fromarray((pixels + 0.5).astype(np.uint8))


def plate(picture: Image.Image, ink: Colour, *, middle: int, radius: int) -> None:
    """A plate, seen from above: a rim and a well, lighter or darker than what is behind it."""
    for part, strength in ((1.0, 0.13), (0.8, 0.1)):
        ring(picture, ink, strength, middle=middle, reach=round(radius * part))


def ring(picture: Image.Image, ink: Colour, strength: float, *, middle: int, reach: int) -> None:
    mask = Image.new("L", (EDGE * SCALE, EDGE * SCALE))
    box = [(EDGE / 2 - reach) * SCALE, (middle - reach) * SCALE, (EDGE / 2 + reach) * SCALE, (middle + reach) * SCALE]
    ImageDraw.Draw(mask).ellipse(box, fill=round(255 * strength))
    picture.paste(ink, (0, 0, EDGE, EDGE), mask.resize((EDGE, EDGE), Image.Resampling.BOX))


def centred(canvas: ImageDraw.ImageDraw, text: str, *, middle: int, room: int, ink: Colour) -> None:
    size = 230
    while size > 40 and lettering.width(text, size) > room:
        size -= 4
    file = lettering.runs(text)[0][0]
    # By the height of a capital, so that all words stand equally high, whatever accents they have.
    measured = text if lettering.is_east_asian(text[0]) else "H"
    _, top, _, bottom = lettering.font(file, size).getbbox(measured, anchor="ls")
    left = (EDGE - lettering.width(text, size)) / 2
    lettering.draw(canvas, text, left=left, baseline=middle - (top + bottom) / 2, size=size, fill=ink)


def cloche(picture: Image.Image, ink: Colour, *, middle: int) -> None:
    """The icon of a dish whose name no font has: the cover of a plate."""
    mask = Image.new("L", (EDGE * SCALE, EDGE * SCALE))
    canvas = ImageDraw.Draw(mask)
    x, y, r = EDGE / 2 * SCALE, (middle + 60) * SCALE, 150 * SCALE
    canvas.pieslice([x - r, y - r, x + r, y + r], 180, 360, fill=255)
    canvas.ellipse([x - 20 * SCALE, y - r - 34 * SCALE, x + 20 * SCALE, y - r + 6 * SCALE], fill=255)
    base = [x - r - 30 * SCALE, y + 14 * SCALE, x + r + 30 * SCALE, y + 40 * SCALE]
    canvas.rounded_rectangle(base, radius=13 * SCALE, fill=255)
    picture.paste(ink, (0, 0, EDGE, EDGE), mask.resize((EDGE, EDGE), Image.Resampling.BOX))


def initials_of(name: str) -> str:
    """The first letters of the first two words; of a name in East Asian script its first two characters."""
    words = [word for word in re.split(r"[\s\-–—/&+,.()]+", name) if word and word[0].isalnum()]
    if not words:
        return ""
    if lettering.is_east_asian(words[0][0]):
        return words[0][:2]
    return "".join(word[0] for word in words[:2]).upper()
