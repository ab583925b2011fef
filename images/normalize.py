"""Any picture that people bring becomes a JPEG in normal form. Pure: bytes in, bytes out.

What is refused is refused with one of four facts; nothing that Pillow, libjpeg, libtiff, libheif or littlecms think
of hostile bytes gets through as another exception.
"""

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

from images.jpeg import LARGEST_NORMAL, LONGEST_EDGE, has_too_many_scans, is_normal_form, normal_frame

__all__ = [
    "MAX_BYTES", "MAX_PIXELS", "BrokenImage", "ImageRefused", "Normal", "TooLarge", "TooManyPixels", "UnsupportedImage",
    "derive", "is_normal_form", "normalize",
]  # fmt: skip

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 50_000_000
# What we make stays below 2 MB however a client reads "MB"; what others made may have 2 MiB.
LARGEST_MADE = min(2_000_000, LARGEST_NORMAL)
LOWER_QUALITIES = (75, 60, 45, 30, 15)
ENCODER = f"Pillow {PIL.__version__}, libjpeg-turbo {features.version_feature('libjpeg_turbo')}"
WHITE = 255

# Pillow reports a picture above it before it decodes, in those plugins too that decode while they open.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# One picture at a time in a process: a large one takes some 500 MB on its way, and the filters for warnings, which
# are changed meanwhile, belong to the whole process.
decoding = threading.Lock()

# What decoders raise for bytes that they can't make sense of. Not Exception: a time limit of the worker, say, isn't
# the picture's fault.
CONFUSIONS = (
    OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, SyntaxError, EOFError,
    RuntimeError, MemoryError, struct.error, zlib.error, ImageCms.PyCMSError,
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


@dataclass(frozen=True)
class Normal:
    """A JPEG in normal form. ``encoder`` is empty when the bytes came so and were kept."""

    data: bytes
    width: int
    height: int
    encoder: str


def normalize(data: bytes, *, quality: int) -> Normal:
    """``data`` itself when it is in normal form, else the picture in it, made so. Raises ``ImageRefused``."""
    if len(data) > MAX_BYTES:
        raise TooLarge
    if frame := normal_frame(data):
        return Normal(data, frame.width, frame.height, "")
    kind = kind_of(data)
    if kind is None:
        raise UnsupportedImage
    if kind == "JPEG" and has_too_many_scans(data):
        raise BrokenImage("a JPEG with an absurd number of scans")
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


def derive(data: bytes, *, width: int, quality: int, format: str = "jpeg") -> bytes:
    """A narrower copy of a picture in normal form, as ``jpeg`` or ``webp``. Raises ``BrokenImage``."""
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


def kind_of(data: bytes) -> str | None:
    """Pillow's name of the format that the first bytes announce; None: not one of ours."""
    head = data[:32]
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")):
        return "TIFF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    # "BM" alone begins many a text; the header behind it has one of a few sizes.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "BMP"
    if head[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(head[:4]), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")):
            return "HEIF"
    return None


@contextmanager
def decoder_failures() -> Iterator[None]:
    """Whatever a decoder stumbles over becomes a refusal."""
    try:
        yield
    except ImageRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels from error
    except CONFUSIONS as error:
        raise BrokenImage(str(error)[:200]) from error


def plain_picture(data: bytes, kind: str) -> Image.Image:
    """The first frame: upright, sRGB or grey, opaque, small enough, and nothing else. The caller holds ``decoding``."""
    if kind == "HEIF":
        from pillow_heif import register_heif_opener  # 40 MB of libraries that few servers ever need

        register_heif_opener()
    with warnings.catch_warnings():
        # Pillow warns of odd metadata in good photographs; of bombs it must not only warn.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(BytesIO(data), formats=(kind,)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise TooManyPixels
            if kind == "JPEG":
                # Decodes at a half, a quarter or an eighth where that suffices. The box needs the picture's own
                # aspect: with a square one it silently does nothing.
                image.draft(None, fit(image.size, LONGEST_EDGE))
            image.load()
            # Only now: some plugins turn the picture themselves while they load, and take the entry out.
            turn = orientation(image)
            profile = image.info.get("icc_profile")
            picture = sampled(image)
        picture = picture.resize(fit(picture.size, LONGEST_EDGE), Image.Resampling.LANCZOS, reducing_gap=3.0)
        picture = on_white(picture, profile if isinstance(profile, bytes) else None)
        return picture if turn is None else picture.transpose(turn)


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
    """The picture with 8 bits for each of its channels, so that it can be resized: L, RGB, RGBA, CMYK or LAB."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return eight_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")  # resizing it weighs colours by their alpha
    if mode == "1":
        return image.convert("L")
    return image if mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")


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
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = in_srgb(picture.convert("RGB") if alpha else picture, profile)
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
    """A JPEG without any metadata: Pillow writes what ``info`` holds, a comment even after all conversions."""
    picture.info = {}
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True, comment=b"", exif=b"", icc_profile=None)
    return file.getvalue()
