"""The formats that are taken, and what a file says of itself before a decoder makes room for it. Pure."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from normalform.errors import ImageRefused
from normalform.jpeg import MOST_SCANS, SOS, markers

# Segments, chunks, blocks, strips or tiles. Large photographs have some hundreds, a strip for each row of the highest
# picture 50,000 of them. Decoders walk over them one by one: millions would cost them half a minute and a gigabyte.
MOST_PIECES = 100_000
# Runs of a BMP are decoded in Python: two seconds for so many bytes, in which the process does nothing else.
MOST_RUNS = 5 * 1024 * 1024
LARGEST_TILE = 50_000_000  # pixels; a decoder makes room for a whole tile, however small the picture is

STRIP_OFFSETS, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS = 273, 322, 323, 324
TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True)
class Format:
    """A kind of file. ``announced`` tells it by the first bytes alone.

    ``is_absurd`` says whether decoding such a file would be an attack on our time or memory, whatever the picture's
    size; it says nothing about whether it can be decoded. ``register`` teaches Pillow a format that it doesn't know.
    """

    name: str  # for people
    pillow: str  # Pillow's name
    types: Mapping[str, tuple[str, ...]]  # content types, each with the suffixes of its files
    announced: Callable[[bytes], bool]
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


def register_heif() -> None:
    try:
        from pillow_heif import register_heif_opener  # 40 MB of libraries that few ever need
    except ImportError:
        raise ImageRefused("unsupported_image", "HEIC needs pillow-heif, which isn't installed here.") from None
    register_heif_opener()


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


def is_absurd_tiff(data: bytes) -> bool:
    """Whether the first picture of a TIFF file has very many or very large strips or tiles."""
    order = "<" if data.startswith(b"II") else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    first, number, entry = (8, f"{order}Q", f"{order}HHQ8s") if big else (4, f"{order}H", f"{order}HHI4s")
    longest = {TILE_WIDTH: 0, TILE_LENGTH: 0}
    try:
        (at,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", data, first)
        (entries,) = struct.unpack_from(number, data, at)
        for index in range(min(entries, MOST_PIECES)):
            tag, kind, count, value = struct.unpack_from(
                entry, data, at + struct.calcsize(number) + index * struct.calcsize(entry)
            )
            if tag in (STRIP_OFFSETS, TILE_OFFSETS) and count > MOST_PIECES:
                return True
            if tag in longest:
                (side,) = struct.unpack_from(order + {3: "H", 16: "Q"}.get(kind, "I"), value)
                longest[tag] = max(longest[tag], side)
    except (struct.error, OverflowError):
        return False  # the decoder will find that too
    return longest[TILE_WIDTH] * longest[TILE_LENGTH] > LARGEST_TILE


FORMATS = (
    Format(
        "JPEG", "JPEG", {"image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif")}, begins_with(b"\xff\xd8\xff"), is_absurd_jpeg
    ),
    Format("PNG", "PNG", {"image/png": (".png",)}, begins_with(b"\x89PNG\r\n\x1a\n"), is_absurd_png),
    Format("WebP", "WEBP", {"image/webp": (".webp",)}, is_webp),
    Format("AVIF", "AVIF", {"image/avif": (".avif",)}, is_avif),
    Format("TIFF", "TIFF", {"image/tiff": (".tif", ".tiff")}, begins_with(*TIFF_HEADS), is_absurd_tiff),
    Format("BMP", "BMP", {"image/bmp": (".bmp",)}, is_bmp, is_absurd_bmp),
    Format("GIF", "GIF", {"image/gif": (".gif",)}, begins_with(b"GIF87a", b"GIF89a"), is_absurd_gif),
    Format("HEIC", "HEIF", {"image/heic": (".heic",), "image/heif": (".heif",)}, is_heif, register=register_heif),
)
# Suffix → content type; browsers and systems know none for some of them.
TYPES = {suffix: type for format in FORMATS for type, suffixes in format.types.items() for suffix in suffixes}
CONTENT_TYPES = tuple(type for format in FORMATS for type in format.types)
