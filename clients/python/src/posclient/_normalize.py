"""Any picture becomes a JPEG in normal form, offline. Pure: bytes in, bytes out; needs the extra ``images``.

The server keeps normal form byte for byte, so the hash of what is made here is final at once. The rules are those of
the server's normaliser; a test holds the two against each other.
"""

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image, ImageCms

from ._errors import PictureRefused
from ._headers import is_absurd, kind_of
from ._jpeg import LARGEST_NORMAL, LONGEST_EDGE, frame_of_normal_markers, normal_frame

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 50_000_000
# What we make stays below 2 MB however a client reads "MB"; what others made may have 2 MiB.
LARGEST_MADE = min(2_000_000, LARGEST_NORMAL)
LOWER_QUALITIES = (75, 60, 45, 30, 15)
QUALITY = 85
WHITE = 255

# One picture at a time in a process: a large one takes some 500 MB on its way, and Pillow's limit and the filters for
# warnings, which are changed meanwhile, belong to the whole process.
decoding = threading.Lock()

# What decoders raise for bytes that they can't make sense of. Not Exception: a time limit of the worker, say, isn't
# the picture's fault.
CONFUSIONS = (
    OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, SyntaxError, EOFError,
    RuntimeError, MemoryError, struct.error, zlib.error, ImageCms.PyCMSError,
)  # fmt: skip


@dataclass(frozen=True)
class Normal:
    """A JPEG in normal form."""

    data: bytes
    width: int
    height: int


def normalize(data: bytes, *, quality: int = QUALITY) -> Normal:
    """``data`` itself when it is in normal form, else the picture in it, made so. Raises PictureRefused."""
    if len(data) > MAX_BYTES:
        raise PictureRefused("too_large", "The file has more than 25 MB.")
    if frame := normal_frame(data):
        return Normal(data, frame.width, frame.height)
    kind = kind_of(data)
    if kind is None:
        raise PictureRefused("unsupported_image", "None of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC.")
    if is_absurd(data, kind):
        raise PictureRefused("broken_image", "a file made to keep a decoder busy")
    with decoding, decoder_failures():
        picture = plain_picture(data, kind)
        for at in (quality, *(lower for lower in LOWER_QUALITIES if lower < quality)):
            made = encode(picture, quality=at)
            if len(made) <= LARGEST_MADE:
                break
    frame = frame_of_normal_markers(made)
    return Normal(made, frame.width, frame.height)


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
    except PictureRefused:
        raise
    except Image.DecompressionBombError as error:
        raise PictureRefused("too_many_pixels", "More than 50 megapixels.") from error
    except CONFUSIONS as error:
        raise PictureRefused("broken_image", str(error)[:200]) from error


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
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise PictureRefused("unsupported_image", "HEIC needs: pip install 'posclient[heic]'") from None
        register_heif_opener()
    with warnings.catch_warnings(), pixel_limit():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata in good photographs
        with Image.open(BytesIO(data), formats=(kind,)) as image:
            announced = image.size
            if kind == "JPEG":
                # Decodes at a half, a quarter or an eighth where that suffices. The box needs the picture's own
                # aspect: with a square one it silently does nothing.
                image.draft(None, fit(image.size, LONGEST_EDGE))
            image.load()
            # Only now: some plugins turn the picture themselves while they load, and take the entry out.
            turn = orientation(image)
            profile = image.info.get("icc_profile")
            return Decoded(
                pixels=sampled(image),
                turn=turn,
                profile=profile if isinstance(profile, bytes) else None,
                shrunk=kind == "JPEG" and image.size != announced,
            )


@contextmanager
def pixel_limit() -> Iterator[None]:
    """Pillow only warns of a picture above its limit; above twice that it raises, before it makes room."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS // 2
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


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
