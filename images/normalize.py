"""Any picture that people bring becomes a JPEG in normal form. Pure: bytes in, bytes out.

What is refused is refused with one of four facts; nothing that Pillow, libjpeg, libtiff, libheif or littlecms think
of hostile bytes gets through as another exception. ``NoMemory`` says nothing about the bytes.
"""

import mmap
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

import PIL
from PIL import ExifTags, Image, ImageCms, features

from images.headers import is_absurd, kind_of
from images.jpeg import LARGEST_NORMAL, LONGEST_EDGE, is_normal_form, normal_frame

__all__ = [
    "MAX_BYTES", "MAX_PIXELS", "BrokenImage", "ImageRefused", "NoMemory", "Normal", "TooLarge", "TooManyPixels",
    "UnsupportedImage", "derive", "is_normal_form", "normalize",
]  # fmt: skip

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 50_000_000
MOST_MEMORY = 900 * 1024 * 1024  # bytes; no picture within these limits takes more on its way
# What we make stays below 2 MB however a client reads "MB"; what others made may have 2 MiB.
LARGEST_MADE = min(2_000_000, LARGEST_NORMAL)
LOWER_QUALITIES = (75, 60, 45, 30, 15)
ENCODER = f"Pillow {PIL.__version__}, libjpeg-turbo {features.version_feature('libjpeg_turbo')}"
WHITE = 255

# Pillow only warns of a picture above its limit; above twice that it raises, by the header alone, before it makes room.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
# Pillow keeps so many blocks of 16 MB for the next picture. Fresh memory costs a fifth of a photograph's time in page
# faults, and two processes contend for it.
Image.core.set_blocks_max(4)  # type: ignore[attr-defined]

# One picture at a time in a process: a large one takes up to 830 MiB on its way (as WebP), and the warning filters,
# which are changed meanwhile, belong to the whole process.
decoding = threading.Lock()

# What decoders raise for bytes that they can't make sense of. Not Exception: a time limit of the worker, say, isn't
# the picture's fault. Nor MemoryError: see `blaming_memory`.
CONFUSIONS = (
    OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, SyntaxError, EOFError,
    RuntimeError, struct.error, zlib.error, ImageCms.PyCMSError,
)  # fmt: skip


class ImageRefused(ValueError):
    """These bytes don't become a picture; ``code`` says why."""

    code: ClassVar[str] = "image_refused"


class TooLarge(ImageRefused):
    """The file has more than 25 MB."""

    code = "too_large"


class TooManyPixels(ImageRefused):
    """The picture has more than 50 megapixels."""

    code = "too_many_pixels"


class UnsupportedImage(ImageRefused):
    """The file is none of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC."""

    code = "unsupported_image"


class BrokenImage(ImageRefused):
    """The file begins like a picture, but can't be decoded."""

    code = "broken_image"


class NoMemory(MemoryError):
    """There is no memory for this picture just now."""


@dataclass(frozen=True)
class Normal:
    """A JPEG in normal form. ``encoder`` is empty when the bytes came so and were kept."""

    data: bytes
    width: int
    height: int
    encoder: str


@contextmanager
def blaming_memory() -> Iterator[None]:
    """Lack of memory is the picture's fault only where there is enough for any that may be."""
    try:
        yield
    except MemoryError as error:
        try:
            mmap.mmap(-1, MOST_MEMORY, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
        except OSError:
            raise NoMemory("There is no memory for this picture just now.") from error
        raise BrokenImage("a file that wants more memory than any picture needs") from error


@blaming_memory()
def normalize(data: bytes, *, quality: int) -> Normal:
    """``data`` itself when it is in normal form, else the picture in it, made so.

    Raises ``ImageRefused`` and ``NoMemory``.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge
    if frame := normal_frame(data):
        return Normal(data, frame.width, frame.height, "")
    kind = kind_of(data)
    if kind is None:
        raise UnsupportedImage
    if is_absurd(data, kind):
        raise BrokenImage("a file made to keep a decoder busy")
    with decoding, decoder_failures():
        picture = plain_picture(data, kind)
        for at in (quality, *(lower for lower in LOWER_QUALITIES if lower < quality)):
            made = encode(picture, quality=at)
            if len(made) <= LARGEST_MADE:
                break
    frame = normal_frame(made)
    if frame is None:
        raise AssertionError("our own encoder left normal form")
    return Normal(made, frame.width, frame.height, f"{ENCODER}, quality {at}")


@blaming_memory()
def derive(data: bytes, *, width: int, quality: int, format: str = "jpeg") -> bytes:
    """A narrower copy of a picture in normal form, as ``jpeg`` or ``webp``. Raises ``BrokenImage`` and ``NoMemory``."""
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


def fit(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """``size`` shrunk, never enlarged, until its longest side is at most ``edge``."""
    longest = max(size)
    if longest <= edge:
        return size
    return max(1, round(size[0] * edge / longest)), max(1, round(size[1] * edge / longest))


@contextmanager
def decoder_failures() -> Iterator[None]:
    """Whatever a decoder stumbles over becomes a refusal."""
    try:
        yield
    except ImageRefused:
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except CONFUSIONS as error:
        if "out of memory" in str(error):  # as an OSError: so Pillow reports its decoders' own lack of it
            raise MemoryError from error
        raise BrokenImage(str(error)[:200]) from error


def plain_picture(data: bytes, kind: str) -> Image.Image:
    """The first frame: upright, sRGB or grey, opaque, small enough, and nothing else. The caller holds ``decoding``."""
    source = first_frame(data, kind)
    # Lanczos where all the shrinking is ours. What the decoder shrank is only a little too large and free of aliases:
    # there a shorter filter looks the same in less than half the time (benchmarks/README.md).
    method = Image.Resampling.HAMMING if source.shrunk else Image.Resampling.LANCZOS
    pixels = source.pixels.resize(fit(source.pixels.size, LONGEST_EDGE), method, reducing_gap=3.0)
    picture = on_white(pixels, source.profile)
    return picture if source.turn is None else picture.transpose(source.turn)


@dataclass(frozen=True)
class Decoded:
    """A decoded picture as it lies in its file; ``shrunk`` when the decoder left some of the pixels out."""

    pixels: Image.Image
    turn: Image.Transpose | None
    profile: bytes | None
    shrunk: bool


def first_frame(data: bytes, kind: str) -> Decoded:
    """What the decoder itself holds, which may be twice the picture's size, is free again when this returns."""
    if kind == "HEIF":
        from pillow_heif import register_heif_opener  # 40 MB of libraries that few servers ever need

        register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata in good photographs
        with Image.open(BytesIO(data), formats=(kind,)) as image:
            announced = image.size
            if kind == "JPEG":
                # At a half, a quarter or an eighth where that suffices; with a square box it silently does nothing.
                image.draft(None, fit(image.size, LONGEST_EDGE))
            image.load()
            profile = image.info.get("icc_profile")
            return Decoded(
                pixels=sampled(image),
                # Only now: some plugins turn the picture themselves while they load, and take the entry out.
                turn=orientation(image),
                profile=profile if isinstance(profile, bytes) else None,
                shrunk=kind == "JPEG" and image.size != announced,
            )


def orientation(image: Image.Image) -> Image.Transpose | None:
    """How EXIF wants the picture turned; what can't be read turns nothing."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except CONFUSIONS:
        return None
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return turns.get(value) if isinstance(value, int) else None


def sampled(image: Image.Image) -> Image.Image:
    """The picture with 8 bits for each of its channels, so that it can be resized: L, LA, RGB, RGBA, CMYK or LAB."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return eight_bits(image)
    if image.has_transparency_data:  # resizing weighs colours by their alpha
        wanted = "LA" if mode in ("1", "L", "LA") else "RGBA"
    elif mode in ("L", "RGB", "CMYK", "LAB"):
        wanted = mode
    else:
        wanted = "L" if mode == "1" else "RGB"
    return image if wanted == mode else image.convert(wanted)


def eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, 32 bits or floating point as 8 bits; Pillow's own conversion clips instead of scaling."""
    if image.mode.startswith("I;16"):
        largest = 65535.0
    else:
        brightest = float(image.getextrema()[1])  # type: ignore[arg-type]
        scales = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        largest = next((scale for scale in scales if brightest <= scale), brightest)
    if image.mode not in ("I", "I;16", "F"):
        image = image.convert("I")
    factor = 255.0 / largest
    return image.point(lambda value: value * factor + 0.0).convert("L")


def on_white(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB or grey, what is transparent in it white."""
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    colours = in_srgb(picture.convert(picture.mode[:-1]) if alpha else picture, profile)
    if alpha is None:
        return colours
    canvas = Image.new(colours.mode, colours.size, WHITE if colours.mode == "L" else (WHITE, WHITE, WHITE))
    canvas.paste(colours, mask=alpha)
    return canvas


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as sRGB means them. A profile that is broken, or of another kind of picture, counts for nothing."""
    source = None
    if picture.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif profile:
        source = readable_profile(profile, picture.mode)
    if source is not None:
        try:
            transform = ImageCms.buildTransform(
                source,
                ImageCms.createProfile("sRGB"),
                picture.mode,
                "RGB",
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            converted = ImageCms.applyTransform(picture, transform)
        except CONFUSIONS:
            converted = None
        if converted is not None:
            return converted.convert("L") if picture.mode == "L" else converted
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def readable_profile(profile: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    """The profile when it says something about pictures of this mode that plain sRGB doesn't."""
    try:
        parsed = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = parsed.profile.xcolor_space.strip()
        description = (parsed.profile.profile_description or "").strip()
    except CONFUSIONS:
        return None
    if space != {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}.get(mode) or description.startswith("sRGB"):
        return None
    return parsed


def encode(picture: Image.Image, *, quality: int) -> bytes:
    """A JPEG without any metadata: Pillow writes what ``info`` holds, a comment even after all conversions.

    Not with ``optimize``: it would cost twice the time for a hundredth of the bytes.
    """
    picture.info = {}
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality, comment=b"", exif=b"", icc_profile=None)
    return file.getvalue()
