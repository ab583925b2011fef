"""What a file says of itself before a decoder makes room for it. Pure."""

import struct
from collections.abc import Iterator
from itertools import islice

from ._jpeg import MOST_SCANS, SOS, markers

# Segments, chunks, blocks, strips or tiles. Large photographs have some hundreds, a strip for each row of the highest
# picture 50,000 of them. Decoders walk over them one by one: millions would cost them half a minute and a gigabyte.
MOST_PIECES = 100_000
# Runs of a BMP are decoded in Python: two seconds for so many bytes, in which the process does nothing else.
MOST_RUNS = 5 * 1024 * 1024
LARGEST_TILE = 50_000_000  # pixels; a decoder makes room for a whole tile, however small the picture is

STRIP_OFFSETS, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS = 273, 322, 323, 324


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


def is_absurd(data: bytes, kind: str) -> bool:
    """Whether decoding a file of this kind would be an attack on our time or memory, whatever the picture's size.

    Says nothing about whether it can be decoded.
    """
    if kind == "JPEG":
        found = list(islice(markers(data), MOST_PIECES + 1))
        return len(found) > MOST_PIECES or found.count(SOS) > MOST_SCANS
    if kind == "PNG":
        return more_than(MOST_PIECES, png_chunks(data))
    if kind == "GIF":
        return more_than(MOST_PIECES, gif_blocks(data))
    if kind == "BMP":
        return len(data) > MOST_RUNS and data[30:34] in (b"\1\0\0\0", b"\2\0\0\0")
    return kind == "TIFF" and has_absurd_tiles(data)


def more_than(most: int, pieces: Iterator[int]) -> bool:
    return next(islice(pieces, most, None), None) is not None


def png_chunks(data: bytes) -> Iterator[int]:
    """Where each chunk begins."""
    at = 8
    while at + 8 <= len(data):
        yield at
        at += 12 + int.from_bytes(data[at : at + 4])


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


def has_absurd_tiles(data: bytes) -> bool:
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
