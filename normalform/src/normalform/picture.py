"""What readers give of a file's first picture, and what each checks before it decodes. Pure."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

from normalform.errors import ImageRefused
from normalform.failures import CONFUSIONS, MAX_PIXELS, MOST_MEMORY, is_room_for
from normalform.spaces import Space

Turn = Image.Transpose
ORIENTATIONS: dict[int, tuple[Turn, ...]] = {
    2: (Turn.FLIP_LEFT_RIGHT,),
    3: (Turn.ROTATE_180,),
    4: (Turn.FLIP_TOP_BOTTOM,),
    5: (Turn.TRANSPOSE,),
    6: (Turn.ROTATE_270,),
    7: (Turn.TRANSVERSE,),
    8: (Turn.ROTATE_90,),
}


@dataclass(frozen=True)
class Decoded:
    """A picture as it lies in its file: small where that is cheap, not yet upright, in the colours of its file.

    ``pixels`` are an image of Pillow or of libvips (`normalform.samples`); ``scale`` makes their values fill all bits.
    ``colours``: an ICC profile, a space by numbers, or None for sRGB. ``turns`` make it upright, one after the other.
    ``shrunk`` says that the decoder made it smaller.
    """

    pixels: Any
    colours: bytes | Space | None = None
    turns: tuple[Turn, ...] = ()
    shrunk: bool = False
    scale: float = 1.0


def check_size(width: int, height: int, *, memory: float = 0, most: int = MAX_PIXELS) -> None:
    """Refuses by the header what has too many pixels, or would take more memory (bytes) than any picture may.

    Raises MemoryError when there isn't so much just now.
    """
    if width * height > most:
        raise ImageRefused("too_many_pixels")
    if memory > MOST_MEMORY:
        raise ImageRefused("too_many_pixels", "This picture is stored in a way that takes too much memory at its size.")
    if memory and not is_room_for(int(memory)):  # some decoders say that a file is broken when memory runs out
        raise MemoryError


def turns_of(exif: bytes | None) -> tuple[Turn, ...]:
    """How EXIF wants the picture turned; not at all where it can't be read."""
    if not exif:
        return ()
    try:
        tags = Image.Exif()
        tags.load(exif)
        orientation = tags.get(ExifTags.Base.Orientation)
    except CONFUSIONS:
        return ()
    return ORIENTATIONS.get(orientation, ()) if isinstance(orientation, int) else ()


def opened(data: bytes, format: str) -> Image.Image:
    """A file as Pillow opens it, of which nothing but the header is read."""
    return Image.open(BytesIO(data), formats=(format,))
