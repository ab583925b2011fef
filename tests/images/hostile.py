"""Files that mean harm, made here: what each has to become is told beside it."""

import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from zipfile import ZipFile

from PIL import ExifTags, Image, PngImagePlugin

from tests.images.pictures import encoded, normal_jpeg, photograph, png_of, with_segment
from tests.images.profiles import adobe_rgb

SMALL = photograph(96, 64)
# What must not be found in anything that the server keeps.
SECRETS = (b"SecretCamera", b"<script", b"evil.sh", b"acsp", b"Exif")
SCRIPT = b"<script>alert(1)</script>"


def long_tiff_entry(tag: int, kind: int, values: bytes, count: int, at: int) -> bytes:
    """A directory entry whose values lie at ``at``, or in the entry where they fit."""
    return struct.pack("<HHI", tag, kind, count) + (
        values.ljust(4, b"\0") if len(values) <= 4 else struct.pack("<I", at)
    )


def tiff(fields: dict[int, tuple[int, ...]], pixels: bytes) -> bytes:
    """A little-endian TIFF of long fields; the last one points at the pixels behind the directory."""
    room = 8 + 2 + 12 * len(fields) + 4
    entries = tails = b""
    for tag, values in fields.items():
        packed = struct.pack(f"<{len(values)}I", *values)
        entries += long_tiff_entry(tag, 4, packed, len(values), room + len(tails))
        tails += packed if len(packed) > 4 else b""
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(fields)) + entries + b"\0\0\0\0" + tails + pixels


def tiff_of(width: int, height: int) -> bytes:
    """A TIFF that promises so many pixels and holds none."""
    return tiff({256: (width,), 257: (height,), 258: (8,), 259: (1,), 262: (1,), 273: (8,), 277: (1,), 279: (1,)}, b"")


@cache
def one_enormous_tile() -> bytes:
    """16 × 16 pixels in a tile of 144 megapixels, which compress to 140 kB."""
    side = 12_000
    pixels = zlib.compress(bytes(side * side), 9)
    fields = {256: (16,), 257: (16,), 258: (8,), 259: (8,), 262: (1,), 277: (1,), 322: (side,), 323: (side,)}
    return tiff({**fields, 324: (8 + 2 + 12 * 10 + 4,), 325: (len(pixels),)}, pixels)


def millions_of_strips() -> bytes:
    number = 2_000_000
    fields = {256: (1,), 257: (number,), 258: (8,), 259: (1,), 262: (1,), 273: (8,) * number, 277: (1,), 278: (1,)}
    return tiff({**fields, 279: (1,) * number}, b"")


@cache
def thousands_of_scans(padding: bytes) -> bytes:
    """Each makes a decoder walk over the whole picture; a forgiving one skips the padding before its marker."""
    progressive = encoded(photograph(2000, 1500), progressive=True, comment=b"x")
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    return progressive[:-2] + (padding + scan) * 1000 + b"\xff\xd9"


def millions_of_segments() -> bytes:
    return normal_jpeg()[:20] + b"\xff\xe5\0\2" * 5_000_000 + normal_jpeg()[20:]


def millions_of_chunks() -> bytes:
    png = encoded(SMALL, "PNG")
    chunk = struct.pack(">I4sI", 0, b"teSt", zlib.crc32(b"teSt"))
    return png[:33] + chunk * 2_000_000 + png[33:]


def millions_of_comments() -> bytes:
    gif = encoded(SMALL, "GIF")
    return gif[: 13 + 768] + b"!\xfe\1a\0" * 4_000_000 + gif[13 + 768 :]


def one_comment_in_millions_of_blocks() -> bytes:
    gif = encoded(SMALL, "GIF")
    return gif[: 13 + 768] + b"!\xfe" + b"\1a" * 8_000_000 + b"\0" + gif[13 + 768 :]


def bmp_of_runs() -> bytes:
    """Pillow decodes run lengths in Python."""
    runs = b"\1\0" * 12_000_000
    sizes = struct.pack("<IiiHHIIiiII", 40, 7000, 7000, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(runs), 0, 0, 54 + 1024) + sizes + bytes(1024) + runs


def webp_of(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sizes


def jpeg_of(width: int, height: int) -> bytes:
    jpeg = bytearray(encoded(SMALL, comment=b"x"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(jpeg)


@cache
def png_with_a_text_bomb() -> bytes:
    """50 MB of text in 50 kB."""
    png = encoded(SMALL, "PNG")
    body = b"zTXtComment\0\0" + zlib.compress(bytes(50_000_000), 9)
    return png[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + png[33:]


def zip_behind(data: bytes) -> bytes:
    file = BytesIO(data)
    with ZipFile(file, "a") as archive:
        archive.writestr("evil.sh", "rm -rf /")
    return file.getvalue()


def located() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (40.0, 25.0, 0.0)
    return encoded(SMALL, exif=exif)


def with_text(format: str) -> bytes:
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SCRIPT.decode())
        return encoded(SMALL, "PNG", pnginfo=text)
    return encoded(SMALL, format, comment=SCRIPT)


def animated(format: str) -> bytes:
    frames = [photograph(96, 64, seed) for seed in (1, 2, 3)]
    return encoded(frames[0], format, save_all=True, append_images=frames[1:])


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zero bytes": ("unsupported_image", lambda: b"\0" * 1000),
    "SVG": ("unsupported_image", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>"),
    "HTML": ("unsupported_image", lambda: b"<!doctype html>" + SCRIPT),
    "ZIP": ("unsupported_image", lambda: zip_behind(b"")),
    "truncated JPEG": ("broken_image", lambda: encoded(SMALL, comment=b"x")[:900]),
    "truncated PNG": ("broken_image", lambda: encoded(SMALL, "PNG")[:900]),
    "truncated WebP": ("broken_image", lambda: encoded(SMALL, "WEBP")[:300]),
    "truncated TIFF": ("broken_image", lambda: encoded(SMALL, "TIFF")[:900]),
    "PNG bomb": ("too_many_pixels", lambda: png_of(60_000, 60_000)),
    "WebP bomb": ("too_many_pixels", lambda: webp_of(16_383, 16_383)),
    "WebP bomb just over the limit": ("too_many_pixels", lambda: webp_of(8_001, 8_000)),
    "TIFF bomb": ("too_many_pixels", lambda: tiff_of(60_000, 60_000)),
    "JPEG bomb": ("too_many_pixels", lambda: jpeg_of(65_500, 65_500)),
    "one enormous tile": ("broken_image", one_enormous_tile),
    "millions of strips": ("broken_image", millions_of_strips),
    "thousands of scans": ("broken_image", lambda: thousands_of_scans(b"")),
    "thousands of scans behind padding": ("broken_image", lambda: thousands_of_scans(b"\xff\xff")),
    "thousands of scans behind junk": ("broken_image", lambda: thousands_of_scans(b"junk\xff\x01")),
    "millions of segments": ("broken_image", millions_of_segments),
    "millions of chunks": ("broken_image", millions_of_chunks),
    "millions of comments": ("broken_image", millions_of_comments),
    "one comment in millions of blocks": ("broken_image", one_comment_in_millions_of_blocks),
    "millions of runs": ("broken_image", bmp_of_runs),
}

TAKEN: dict[str, Callable[[], bytes]] = {
    "PNG that is called .jpg": lambda: encoded(SMALL, "PNG"),
    "JPEG with a ZIP behind it": lambda: zip_behind(normal_jpeg()),
    "PNG with a ZIP behind it": lambda: zip_behind(encoded(SMALL, "PNG")),
    "GIF with HTML behind it": lambda: encoded(SMALL, "GIF") + SCRIPT,
    "GIF that is a script": lambda: encoded(SMALL, "GIF", comment=b"=1;/*" + SCRIPT + b"*/"),
    "JPEG with a script": lambda: with_text("JPEG"),
    "PNG with a script": lambda: with_text("PNG"),
    "JPEG with two headers": lambda: with_segment(normal_jpeg(), 0xE0, b"JFIF\0" + SCRIPT),
    "JPEG that tells where": located,
    "animated GIF": lambda: animated("GIF"),
    "animated WebP": lambda: animated("WEBP"),
    "animated PNG": lambda: animated("PNG"),
    "PNG with a text bomb": png_with_a_text_bomb,
    "broken profile": lambda: encoded(SMALL, icc_profile=adobe_rgb()[:150]),
    "profile of junk": lambda: encoded(SMALL, "PNG", icc_profile=b"junk" * 100),
}
