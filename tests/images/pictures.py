"""Pictures that tests make themselves, good ones and hostile ones."""

import random
import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, ImageFilter


def photograph(width: int = 640, height: int = 480, seed: int = 1) -> Image.Image:
    """Something as busy as a photograph, the same for the same arguments."""
    numbers = random.Random(seed)  # noqa: S311 - no secret
    small = Image.frombytes("RGB", (64, 48), numbers.randbytes(64 * 48 * 3)).filter(ImageFilter.GaussianBlur(1.5))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def quarters(width: int = 80, height: int = 40) -> Image.Image:
    """Red, green / blue, white: shows how it was turned."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=(255, 0, 0))
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=(0, 255, 0))
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=(0, 0, 255))
    return image


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@cache
def normal_jpeg(seed: int = 1, width: int = 640, height: int = 480) -> bytes:
    """A JPEG in normal form."""
    return encoded(photograph(width, height, seed), quality=80)


def decoded(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """The JPEG with one more segment behind SOI and JFIF."""
    return jpeg[:20] + bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body + jpeg[20:]


def png_of(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels and holds none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
