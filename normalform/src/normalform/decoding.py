"""A file's first picture as its decoder gives it: small where that is cheap, 8 bits deep, not yet upright."""

import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image

from normalform.colours import sampled
from normalform.failures import CONFUSIONS, pixel_limit
from normalform.formats import Format
from normalform.jpeg import LONGEST_EDGE


@dataclass(frozen=True)
class Decoded:
    """A decoded picture as it lies in its file, and how to make it upright.

    ``shrunk`` says that the decoder made it smaller.
    """

    pixels: Image.Image
    transpose: Image.Transpose | None
    profile: bytes | None
    shrunk: bool


def first_frame(data: bytes, format: Format) -> Decoded:
    """The first picture of a file. One thread at a time: it changes limits and filters of the whole process.

    What the decoder itself holds, which may be twice the picture's size, is free again when this returns.
    """
    format.register()
    with warnings.catch_warnings(), pixel_limit():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata in good photographs
        with Image.open(BytesIO(data), formats=(format.pillow,)) as image:
            announced = image.size
            if format.pillow == "JPEG":
                # At a half, a quarter or an eighth where that suffices; with a square box it silently does nothing.
                image.draft(None, fit(image.size, LONGEST_EDGE))
            image.load()
            profile = image.info.get("icc_profile")
            return Decoded(
                pixels=sampled(image),
                # After `load`: some plugins make the picture upright themselves, and take the entry out.
                transpose=orientation(image),
                profile=profile if isinstance(profile, bytes) else None,
                shrunk=format.pillow == "JPEG" and image.size != announced,
            )


def orientation(image: Image.Image) -> Image.Transpose | None:
    """The transposition that EXIF asks for; None for none, or where EXIF can't be read."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except CONFUSIONS:
        return None
    transpositions = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return transpositions.get(value) if isinstance(value, int) else None


def fit(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """``size`` shrunk, never enlarged, until its longest side is at most ``edge``."""
    longest = max(size)
    if longest <= edge:
        return size
    return max(1, round(size[0] * edge / longest)), max(1, round(size[1] * edge / longest))
