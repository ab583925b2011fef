"""The formats that are taken, and what a file says of itself before a decoder makes room for it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from normalform.jpeg import MOST_SCANS, SOS, markers
from normalform.picture import Decoded
from normalform.readers import bmp, heif, jpeg, plain, png, tiff

# Segments, chunks, blocks, strips or tiles. Large photographs have some hundreds, a strip for each row of the highest
# picture 50,000 of them. Decoders walk over them one by one: millions would cost them half a minute and a gigabyte.
MOST_PIECES = 100_000
# Runs of a BMP are decoded in Python: two seconds for so many bytes, in which the process does nothing else.
MOST_RUNS = 5 * 1024 * 1024

TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True)
class Format:
    """A kind of file. ``announced`` tells it by the first bytes alone.

    ``is_absurd`` says whether decoding such a file would be an attack on our time or memory, whatever the picture's
    size; it says nothing about whether it can be decoded. ``read`` gives its first picture. ``register`` teaches
    Pillow a format that it doesn't know; only whoever writes such files needs it.
    """

    name: str  # for people
    pillow: str  # Pillow's name
    types: Mapping[str, tuple[str, ...]]  # content types, each with the suffixes of its files
    announced: Callable[[bytes], bool]
    read: Callable[[bytes], Decoded]
    is_absurd: Callable[[bytes], bool] = lambda data: False
    register: Callable[[], None] = lambda: None


def format_of(data: bytes) -> Format | None:
    """The format that the first bytes announce; None: not one of ours."""
    return next((format for format in FORMATS if format.announced(data)), None)


def begins_with(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(beginnings)


def is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def is_bmp(data: bytes) -> bool:
    # "BM" alone begins many a text; the header behind it has one of a few sizes.
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)


def brands(data: bytes) -> bytes:
    """What a file of the ISO base media format says that it holds, else nothing."""
    return data[8 : min(int.from_bytes(data[:4]), 256)] if data[4:8] == b"ftyp" else b""


def is_avif(data: bytes) -> bool:
    return b"avif" in brands(data) or b"avis" in brands(data)


def is_heif(data: bytes) -> bool:
    return not is_avif(data) and any(brand in brands(data) for brand in HEIF_BRANDS)


def more_than(most: int, pieces: Iterator[int]) -> bool:
    return next(islice(pieces, most, None), None) is not None


def is_absurd_jpeg(data: bytes) -> bool:
    found = list(islice(markers(data), MOST_PIECES + 1))
    return len(found) > MOST_PIECES or found.count(SOS) > MOST_SCANS


def is_absurd_png(data: bytes) -> bool:
    return more_than(MOST_PIECES, png_chunks(data))


def png_chunks(data: bytes) -> Iterator[int]:
    """Where each chunk begins."""
    at = 8
    while at + 8 <= len(data):
        yield at
        at += 12 + int.from_bytes(data[at : at + 4])


def is_absurd_gif(data: bytes) -> bool:
    return more_than(MOST_PIECES, gif_blocks(data))


def gif_blocks(data: bytes) -> Iterator[int]:
    """Where each block of the extensions before the first picture begins; decoders skip what is between them."""
    if len(data) < 13:
        return
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while at < len(data) and data[at] not in b",;":
        yield at
        if data[at] == ord("!"):
            at += 2
            while at < len(data) and data[at]:
                yield at
                at += 1 + data[at]
        at += 1


def is_absurd_bmp(data: bytes) -> bool:
    return len(data) > MOST_RUNS and data[30:34] in (b"\1\0\0\0", b"\2\0\0\0")


FORMATS = (
    Format(
        "JPEG",
        "JPEG",
        {"image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif")},
        begins_with(b"\xff\xd8\xff"),
        jpeg.read,
        is_absurd_jpeg,
    ),
    Format("PNG", "PNG", {"image/png": (".png",)}, begins_with(png.SIGNATURE), png.read, is_absurd_png),
    Format("WebP", "WEBP", {"image/webp": (".webp",)}, is_webp, plain.read_webp),
    Format("AVIF", "AVIF", {"image/avif": (".avif",)}, is_avif, heif.read_avif),
    Format("TIFF", "TIFF", {"image/tiff": (".tif", ".tiff")}, begins_with(*TIFF_HEADS), tiff.read, tiff.is_absurd),
    Format("BMP", "BMP", {"image/bmp": (".bmp",)}, is_bmp, bmp.read, is_absurd_bmp),
    Format("GIF", "GIF", {"image/gif": (".gif",)}, begins_with(b"GIF87a", b"GIF89a"), plain.read_gif, is_absurd_gif),
    Format(
        "HEIC",
        "HEIF",
        {"image/heic": (".heic",), "image/heif": (".heif",)},
        is_heif,
        heif.read_heic,
        register=heif.register,
    ),
)
# Suffix → content type; browsers and systems know none for some of them.
TYPES = {suffix: type for format in FORMATS for type, suffixes in format.types.items() for suffix in suffixes}
CONTENT_TYPES = tuple(type for format in FORMATS for type in format.types)
# What clients also call these types.
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/x-bmp": "image/bmp",
    "image/heic-sequence": "image/heic",
    "image/heif-sequence": "image/heif",
    "image/avif-sequence": "image/avif",
}


def content_type_of(declared: str, filename: str) -> str:
    """The content type that a client means: by another name, or by the file's name where it declares none.

    A name that isn't one of ours comes back as it is. The bytes decide in any case.
    """
    if declared in ("", "application/octet-stream"):
        suffix = filename[filename.rfind(".") :].lower()
        return TYPES.get(suffix, "image/jpeg")
    return ALIASES.get(declared, declared)
