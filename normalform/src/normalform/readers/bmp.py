"""BMP: by Pillow, but for colours by any masks and runs of 24 bits, which it doesn't know."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from normalform.errors import ImageRefused
from normalform.picture import Decoded, check_size, opened

BITFIELDS, RLE24, ALPHA_BITFIELDS = 3, 4, 6
EMBEDDED = b"DEBM"
OS2 = 64  # the size of the header of OS/2, where 3 and 4 mean other things


def read(data: bytes) -> Decoded:
    if len(data) < 54:
        raise ImageRefused("broken_image", "no header")
    head, width, height, _planes, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    colours = colours_of(data, head)
    if head >= 40:
        check_size(abs(width), abs(height), memory=abs(width * height) * 8)
        if compression in (BITFIELDS, ALPHA_BITFIELDS) and head != OS2 and bits in (16, 32):
            return Decoded(Image.fromarray(upright(by_masks(data, head, width, abs(height), bits), height)), colours)
        if compression == RLE24 and head == OS2 and bits == 24:
            return Decoded(Image.fromarray(upright(of_runs(data, width, abs(height)), height)))
    with opened(data, "BMP") as image:
        check_size(*image.size)
        image.load()
        return Decoded(image, colours)


def colours_of(data: bytes, head: int) -> bytes | None:
    """The profile that a header of version 5 may point to. Primaries of version 4 count for nothing, as in Chromium."""
    if head < 124 or data[70:74] != EMBEDDED or len(data) < 138:
        return None
    start, size = struct.unpack_from("<II", data, 126)
    return data[14 + start : 14 + start + size] or None


def upright(rows: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Rows come from below, but for a height below zero."""
    return np.ascontiguousarray(rows[::-1] if height > 0 else rows)


def by_masks(data: bytes, head: int, width: int, height: int, bits: int) -> NDArray[np.uint8]:
    """Each colour is the bits of its mask, over their whole range; without a mask for alpha all is opaque."""
    (offset,) = struct.unpack_from("<I", data, 10)
    masks = struct.unpack_from("<4I", data, 54)
    if head < 56 and not (head == 40 and struct.unpack_from("<I", data, 30)[0] == ALPHA_BITFIELDS):
        masks = (*masks[:3], 0)
    stride = -(-width * bits // 32) * 4
    if width <= 0 or len(data) < offset + stride * height:
        raise ImageRefused("broken_image", "fewer rows than the header says")
    table = np.frombuffer(data, "<u2" if bits == 16 else "<u4", stride * height // (bits // 8), offset)
    values = table.reshape(height, -1)[:, :width]
    channels = [channel(values, mask) for mask in masks[:3]]
    if masks[3] and (alpha := channel(values, masks[3])).any():  # or it is a mask for what nobody filled in
        channels.append(alpha)
    return np.stack(channels, axis=-1)


def channel(values: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    if not mask:
        return np.zeros(values.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    if top & (top + 1):
        raise ImageRefused("broken_image", "a mask with holes")
    return (((values & mask) >> shift).astype(np.float32) * np.float32(255 / top) + 0.5).astype(np.uint8)


def of_runs(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """Runs of one colour, of different ones, and jumps; what they leave out stays black."""
    (at,) = struct.unpack_from("<I", data, 10)
    rows = np.zeros((height, max(width, 0), 3), np.uint8)
    x = y = 0
    while at + 2 <= len(data) and y < height:
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            rows[y, x : x + count] = tuple(reversed(data[at - 1 : at + 2]))
            x, at = x + count, at + 2
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            return rows
        elif value == 2:
            x, y, at = x + data[at], y + data[at + 1], at + 2
        else:
            colours = np.frombuffer(data, np.uint8, 3 * value, at).reshape(-1, 3)[:, ::-1]
            fitting = max(0, min(value, width - x))
            rows[y, x : x + fitting] = colours[:fitting]
            x, at = x + value, at + 3 * value + (value & 1)
    if y < height - 1:
        raise ImageRefused("broken_image", "the runs end before the picture does")
    return rows
