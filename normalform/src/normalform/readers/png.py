"""PNG: read from the chunks that hold pixels and colours alone; what is wrong with any other one doesn't matter."""

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from normalform.errors import ImageRefused
from normalform.jpeg import LONGEST_EDGE
from normalform.picture import Decoded, check_size, opened, turns_of
from normalform.samples import loaded, rows_held
from normalform.spaces import BT709, Primaries, Space, are_primaries, cicp

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
COLOURS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
KNOWN = (*PIXELS, *COLOURS, b"eXIf", b"IEND")
LARGEST_PROFILE = 8 * 1024 * 1024  # bytes; the profile of a press has two million
MOST_LOOKED_AT = 128  # places at which a chunk may begin again, behind one of a wrong length
SRGB_GAMMA = 0.45455


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Kind, body and whether its checksum is right, up to IEND or the end of the file."""
    at, looked_at = len(SIGNATURE), 0
    while at + 8 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])
        is_right = is_whole(data, at)
        if not is_right and kind not in PIXELS and not begins_chunk(data, end):
            # Its length is wrong, or there is junk: the next one is where a name and its checksum say so.
            start, at = at + 4, -1
            for name in KNOWN:
                found = data.find(name, start + 4)
                if found >= 0 and looked_at < MOST_LOOKED_AT and is_whole(data, found - 4):
                    at = found - 4 if at < 0 else min(at, found - 4)
                looked_at += 1
            if at < 0:
                return
            continue
        yield kind, data[at + 8 : end - 4], is_right
        if kind == b"IEND":
            return
        at = end


def begins_chunk(data: bytes, at: int) -> bool:
    return at == len(data) or data[at + 4 : at + 8] in KNOWN or is_whole(data, at)


def is_whole(data: bytes, at: int) -> bool:
    """Whether a chunk begins here whose length and checksum are right."""
    end = at + 12 + int.from_bytes(data[at : at + 4])
    return end <= len(data) and zlib.crc32(data[at + 4 : end - 4]).to_bytes(4) == data[end - 4 : end]


def read(data: bytes) -> Decoded:
    found: dict[bytes, bytes] = {}
    kept = [SIGNATURE]
    for kind, body, is_right in chunks(data):
        if kind == b"IDAT" or (kind in PIXELS and kind not in found):
            if not is_right and kind != b"IDAT":
                if kind == b"tRNS":
                    continue
                raise ImageRefused("broken_image", f"the checksum of {kind.decode()} is wrong")
            kept.append(chunk(kind, body))
            found[kind] = body
        elif (is_right and kind in KNOWN and b"IDAT" not in found) or (is_right and kind == b"eXIf"):
            found.setdefault(kind, body)
    header = found.get(b"IHDR", b"")
    if len(header) != 13:
        raise ImageRefused("broken_image", "no header")
    width, height, depth = int.from_bytes(header[:4]), int.from_bytes(header[4:8]), header[8]
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(header[9], 1) + (b"tRNS" in found)
    deep = width * height * 2 * channels + rows_held(width, 2 * channels, LONGEST_EDGE)
    check_size(width, height, memory=deep if depth == 16 else width * height * 8)
    file = b"".join([*kept, chunk(b"IEND", b"")])
    pixels: Any
    if depth == 16:
        pixels = loaded("png", file)
    else:
        with opened(file, "PNG") as image:
            image.load()
            pixels = image
    return Decoded(pixels, colours_of(found), turns_of(found.get(b"eXIf")))


def colours_of(found: dict[bytes, bytes]) -> bytes | Space | None:
    """As the third edition of the standard ranks them: cICP, iCCP, sRGB, then gAMA and cHRM."""
    numbers = found.get(b"cICP", b"")
    if len(numbers) == 4 and numbers[2] == 0:
        return cicp(numbers[0], numbers[1])
    if profile := profile_of(found.get(b"iCCP", b"")):
        return profile
    if b"sRGB" in found or len(found.get(b"gAMA", b"")) != 4:
        return None
    gamma = int.from_bytes(found[b"gAMA"]) / 100_000
    primaries = primaries_of(found.get(b"cHRM", b""))
    if not 0.01 < gamma < 10:
        return None
    # libpng, too, takes the twentieth part for no difference.
    is_srgb = primaries == BT709 and abs(gamma / SRGB_GAMMA - 1) < 0.05
    return None if is_srgb else Space(primaries, gamma=1 / gamma)


def primaries_of(points: bytes) -> Primaries:
    """Those of cHRM; sRGB's where there are none that can be, or that differ from sRGB's."""
    if len(points) != 32:
        return BT709
    x = [int.from_bytes(points[at : at + 4]) / 100_000 for at in range(0, 32, 4)]
    primaries = ((x[0], x[1]), (x[2], x[3]), (x[4], x[5]), (x[6], x[7]))
    if not are_primaries(primaries) or np.abs(np.subtract(primaries, BT709)).max() <= 0.002:
        return BT709
    return primaries


def profile_of(body: bytes) -> bytes | None:
    """The profile of iCCP: a name, a NUL, the method 0, and what zlib made of it."""
    _name, separator, rest = body.partition(b"\0")
    if not separator or rest[:1] != b"\0":
        return None
    try:
        return zlib.decompressobj().decompress(rest[1:], LARGEST_PROFILE)
    except zlib.error:
        return None
