"""TIFF: a directory of fields says what kind of picture it is; kinds that no decoder reads right are refused."""

import struct
from dataclasses import dataclass
from typing import Any

from PIL import Image

from normalform.errors import ImageRefused
from normalform.jpeg import LONGEST_EDGE
from normalform.picture import ORIENTATIONS, Decoded, check_size, opened
from normalform.samples import loaded, rows_held, unmultiplied

MOST_PIECES = 100_000  # strips or tiles
LARGEST_TILE = 64_000_000  # pixels; a decoder makes room for a whole tile, however small the picture is

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS = 256, 257, 258, 259, 262, 273
ORIENTATION, SAMPLES, PLANAR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS = 274, 277, 284, 322, 323, 324
EXTRA, FORMAT, SUBSAMPLING, PROFILE = 338, 339, 530, 34675
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS, YCBCR = 0, 1, 2, 3, 5, 6
NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
MULTIPLIED = 1  # of EXTRA: colours are multiplied by their alpha
SIZES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q"}


@dataclass(frozen=True)
class Field:
    kind: int
    count: int
    at: int  # where its values are


class Directory:
    """The fields of a file's first picture. Raises ``struct.error`` where there is none."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if data.startswith(b"II") else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        (start,) = struct.unpack_from(self.order + ("Q" if big else "I"), data, 8 if big else 4)
        (many,) = struct.unpack_from(self.order + ("Q" if big else "H"), data, start)
        start += 8 if big else 2
        entry = struct.Struct(self.order + ("HHQ" if big else "HHI"))
        room = 8 if big else 4
        self.fields: dict[int, Field] = {}
        for at in range(start, start + min(many, 1000) * (entry.size + room), entry.size + room):
            tag, kind, count = entry.unpack_from(data, at)
            at += entry.size
            if count * struct.calcsize(SIZES.get(kind, "Q")) > room:
                (at,) = struct.unpack_from(self.order + ("Q" if big else "I"), data, at)
            self.fields.setdefault(tag, Field(kind, count, at))

    def values(self, tag: int, default: tuple[int, ...] = (0,)) -> tuple[int, ...]:
        """The numbers of a field, or ``default``; of very many only the first ones."""
        field = self.fields.get(tag)
        if field is None or field.kind not in SIZES or not field.count:
            return default
        return struct.unpack_from(f"{self.order}{min(field.count, 16)}{SIZES[field.kind]}", self.data, field.at)

    def one(self, tag: int, default: int = 0) -> int:
        return self.values(tag, (default,))[0]


def is_absurd(data: bytes) -> bool:
    """Whether the first picture of a TIFF file has very many or very large strips or tiles."""
    try:
        directory = Directory(data)
        pieces = [field.count for tag, field in directory.fields.items() if tag in (STRIP_OFFSETS, TILE_OFFSETS)]
        tile = directory.one(TILE_WIDTH) * directory.one(TILE_LENGTH)
    except (struct.error, OverflowError):
        return False  # the decoder will find that too
    return max(pieces, default=0) > MOST_PIECES or tile > LARGEST_TILE


def read(data: bytes) -> Decoded:
    directory = Directory(data)
    width, height, samples = directory.one(WIDTH), directory.one(HEIGHT), directory.one(SAMPLES, 1)
    bits = {*directory.values(BITS, (1,))}
    depth = max(bits)
    bytes_each = samples * depth / 8
    memory = width * height * max(8, 1.5 * bytes_each) + rows_held(width, bytes_each, LONGEST_EDGE)
    check_size(width, height, memory=memory)
    profile = None
    if field := directory.fields.get(PROFILE):
        profile = data[field.at : field.at + field.count]
    if len(bits) != 1:
        raise unreadable("channels of different depths")
    if depth == 16 or (samples > 1 and directory.one(PLANAR, 1) == 2):
        turns = ORIENTATIONS.get(directory.one(ORIENTATION), ())
        return Decoded(channel_by_channel(directory, samples, depth), profile, turns)
    check_plain(directory, samples, depth)
    with opened(data, "TIFF") as image:
        image.load()
        # Pillow has made it upright, and taken the entry out, where libtiff read it.
        return Decoded(image, profile, ORIENTATIONS.get(image.getexif().get(ORIENTATION, 1), ()))


def check_plain(directory: Directory, samples: int, depth: int) -> None:
    """Refuses what Pillow would read wrong."""
    format = directory.one(FORMAT, UNSIGNED)
    photometric, compression = directory.one(PHOTOMETRIC), directory.one(COMPRESSION, NONE)
    if samples == 1:
        kinds = {(bits, UNSIGNED) for bits in (1, 2, 4, 8)} | {(32, SIGNED), (32, FLOATING)}
    else:
        kinds = {(8, UNSIGNED)}
    if (depth, format) not in kinds:
        raise unreadable(f"{samples} channels of {depth} bits, of the format {format}")
    if depth == 32 and (photometric != BLACK_IS_ZERO or (compression != NONE and directory.order == ">")):
        raise unreadable("32 bits whose white is zero, or which are compressed and big-endian")
    if photometric == PALETTE and depth > 8:
        raise unreadable("a palette of more than 256 colours")
    if photometric == YCBCR and compression == NONE and directory.values(SUBSAMPLING, (2, 2)) != (1, 1):
        raise unreadable("coarse colours without compression")


def channel_by_channel(directory: Directory, samples: int, depth: int) -> Any:
    """What lies in planes, or is 16 bits deep, by libvips: RGB, grey, either with alpha, or inks."""
    photometric = directory.one(PHOTOMETRIC)
    colours = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, INKS: 4}.get(photometric, 0)
    compression = directory.one(COMPRESSION, NONE)
    is_known = colours and samples in (colours, colours + 1) and depth in (8, 16) and directory.one(FORMAT, 1) == 1
    is_packed_right = compression in (NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS)
    is_muddled = samples == 2 and directory.one(PLANAR, 1) == 2  # libvips mixes up the columns of such planes
    if not is_known or not is_packed_right or is_muddled:
        raise unreadable(f"{samples} channels of {depth} bits, of the kind {photometric} and compression {compression}")
    extra = directory.one(EXTRA) if samples > colours else 0
    pixels = loaded("tiff", directory.data)
    if pixels.bands != samples:
        raise unreadable("channels that aren't there")
    if not extra or photometric == INKS:
        pixels = pixels[0:colours] if colours > 1 else pixels[0]
    elif extra == MULTIPLIED:
        pixels = unmultiplied(pixels)
    if photometric != INKS:
        return pixels
    # Pillow's plain formula makes colours of inks; it has no inks of 16 bits.
    inks = pixels if depth == 8 else (pixels / 257 + 0.5).cast("uchar")
    return Image.fromarray(inks.numpy(), "CMYK")


def unreadable(what: str) -> ImageRefused:
    return ImageRefused("broken_image", f"a kind of TIFF that isn't taken: {what}")
