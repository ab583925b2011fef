"""Any picture becomes a JPEG in normal form, and one in normal form becomes narrower. Bytes in, bytes out."""

import threading
import warnings
from dataclasses import dataclass, replace
from io import BytesIO

import PIL
from PIL import Image, features

from normalform.colours import on_white, sampled
from normalform.errors import ImageRefused
from normalform.failures import decoder_failures, memory_failures, pixel_limit
from normalform.formats import Format, format_of
from normalform.jpeg import LARGEST_NORMAL, LONGEST_EDGE, decodes_strictly, frame_of_normal_markers, normal_frame
from normalform.picture import Decoded
from normalform.samples import resized

MAX_BYTES = 25 * 1024 * 1024
QUALITY = 85
# What we make stays below 2 MB however a client reads "MB"; what others made may have 2 MiB.
LARGEST_MADE = min(2_000_000, LARGEST_NORMAL)
LOWER_QUALITIES = (75, 60, 45, 30, 15)
ENCODER = f"Pillow {PIL.__version__}, libjpeg-turbo {features.version_feature('libjpeg_turbo')}"

# One picture at a time in a process: a large one takes up to 830 MiB on its way (as WebP), and Pillow's limit and the
# filters for warnings, which are changed meanwhile, belong to the whole process.
decoding = threading.Lock()


@dataclass(frozen=True)
class Normal:
    """A JPEG in normal form. ``encoder`` is empty when the bytes came so and were kept."""

    data: bytes
    width: int
    height: int
    encoder: str


@memory_failures()
def normalize(data: bytes, *, quality: int = QUALITY) -> Normal:
    """``data`` itself when it is in normal form, else the picture in it, made so.

    Raises ``ImageRefused`` and ``NoMemory``. Without simplejpeg a JPEG is always made anew.
    """
    if len(data) > MAX_BYTES:
        raise ImageRefused("too_large")
    if frame := normal_frame(data):
        return Normal(data, frame.width, frame.height, "")
    format = format_of(data)
    if format is None:
        raise ImageRefused("unsupported_image")
    if format.is_absurd(data):
        raise ImageRefused("broken_image", "a file made to keep a decoder busy")
    with decoding, decoder_failures():
        picture = plain_picture(data, format)
        for at in (quality, *(lower for lower in LOWER_QUALITIES if lower < quality)):
            made = encode(picture, quality=at)
            if len(made) <= LARGEST_MADE:
                break
    frame = frame_of_normal_markers(made)
    if decodes_strictly(made, frame) is False:
        raise AssertionError("our own encoder left normal form")
    return Normal(made, frame.width, frame.height, f"{ENCODER}, quality {at}")


@memory_failures()
def derive(data: bytes, *, width: int, quality: int, format: str = "jpeg") -> bytes:
    """A narrower copy of a picture in normal form, as ``jpeg`` or ``webp``.

    Raises ``ImageRefused`` (always ``broken_image``) and ``NoMemory``.
    """
    with decoder_failures(), Image.open(BytesIO(data), formats=("JPEG",)) as image:
        target = (width, max(1, round(image.height * width / image.width)))
        image.draft(None, target)
        copy = image.resize(target, Image.Resampling.LANCZOS)
        if format == "jpeg":
            return encode(copy, quality=quality)
        copy.info = {}
        file = BytesIO()
        copy.save(file, "WEBP", quality=quality, method=4)
        return file.getvalue()


def plain_picture(data: bytes, format: Format) -> Image.Image:
    """The first frame: upright, sRGB or grey, opaque, small enough, and nothing else. The caller holds ``decoding``."""
    source = first_frame(data, format)
    # Lanczos where all the shrinking is ours. What the decoder shrank is only a little too large and free of aliases:
    # there a shorter filter looks the same in less than half the time (benchmarks/README.md).
    method = Image.Resampling.HAMMING if source.shrunk else Image.Resampling.LANCZOS
    picture = on_white(resized(source.pixels, LONGEST_EDGE, method), source.colours, source.scale)
    for turn in source.turns:
        picture = picture.transpose(turn)
    return picture


def first_frame(data: bytes, format: Format) -> Decoded:
    """The first picture of a file, ready to be resized. One thread at a time: it changes what the process shares.

    What the decoder itself holds, which may be twice the picture's size, is free again when this returns.
    """
    with warnings.catch_warnings(), pixel_limit():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata in good photographs
        source = format.read(data)
        return replace(source, pixels=sampled(source.pixels))


def encode(picture: Image.Image, *, quality: int) -> bytes:
    """A JPEG without any metadata: Pillow writes what ``info`` holds, a comment even after all conversions.

    Not with ``optimize``: it would cost twice the time for a hundredth of the bytes.
    """
    picture.info = {}
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality, comment=b"", exif=b"", icc_profile=None)
    return file.getvalue()


def keep_buffers(blocks: int = 4) -> None:
    """Has Pillow keep so many blocks of 16 MB for the next picture, in the whole process.

    For programs that normalise many: fresh memory costs a fifth of a photograph's time in page faults, and two
    processes contend for it.
    """
    Image.core.set_blocks_max(blocks)  # type: ignore[attr-defined]
