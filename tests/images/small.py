"""A hundred small files as cameras, programs and phones write them, of every format that is taken."""

import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pillow_heif
import pyvips
from PIL import ExifTags, Image

from tests.images.pictures import encoded, with_segment
from tests.images.profiles import adobe_rgb, display_p3, linear_grey, linear_srgb, srgb

PATCHES = [(200, 100, 50), (128, 128, 128), (40, 180, 90), (255, 255, 255), (0, 0, 0), (90, 30, 200), (240, 200, 60)]
SIDE = 16
pillow_heif.register_heif_opener()


@cache
def patches() -> Image.Image:
    """Squares of even colours, one beside the other, above a run from black to white."""
    image = Image.new("RGB", (SIDE * len(PATCHES), 2 * SIDE))
    for number, colour in enumerate(PATCHES):
        image.paste(colour, (number * SIDE, 0, (number + 1) * SIDE, SIDE))
    image.paste(Image.linear_gradient("L").rotate(90).resize((image.width, SIDE)), (0, SIDE))
    return image


@cache
def with_alpha() -> Image.Image:
    image = patches().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "Camera"
    tags[ExifTags.Base.Orientation] = orientation
    return tags.tobytes()


# --- PNG --------------------------------------------------------------------------------------------------------------
def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(png: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """The PNG with more chunks behind its header."""
    return png[:33] + b"".join(chunk(kind, body) for kind, body in chunks) + png[33:]


def png(image: Image.Image | None = None, *chunks: tuple[bytes, bytes], **options: Any) -> bytes:
    return with_chunks(encoded(image or patches(), "PNG", **options), *chunks)


def gama(exponent: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(exponent * 100_000))


def chrm(*points: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(point * 100_000) for point in points))


ADOBE_POINTS = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


def cicp(primaries: int, transfer: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes((primaries, transfer, 0, 1))


def of_16_bits(image: Image.Image) -> "np.ndarray[Any, np.dtype[np.uint16]]":
    return np.asarray(image).astype(np.uint16) * 257


def by_libvips(array: "np.ndarray[Any, Any]", suffix: str, **options: Any) -> bytes:
    """An array of 8 or 16 bits in a file of libvips."""
    kinds = {1: ("b-w", "grey16"), 2: ("b-w", "grey16"), 3: ("srgb", "rgb16"), 4: ("srgb", "rgb16")}
    bands = array.shape[2] if array.ndim == 3 else 1
    image = pyvips.Image.new_from_array(array).copy(interpretation=kinds[bands][array.dtype == np.uint16])
    data: bytes = image.write_to_buffer(suffix, **options)
    return data


# --- AVIF and HEIC ----------------------------------------------------------------------------------------------------
def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """The file with other numbers in its box of colours."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def avif(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or patches(), "AVIF", quality=95, **options)


def heic(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or patches(), "HEIF", quality=95, **options)


def avif_of_10_bits(image: Image.Image | None = None) -> bytes:
    return by_libvips(of_16_bits(image or patches()), ".avif", bitdepth=10, Q=95, compression="av1")


# --- BMP --------------------------------------------------------------------------------------------------------------
def bmp(
    bits: int, compression: int, pixels: bytes, *, masks: bytes = b"", head: int = 40, colours: bytes = b""
) -> bytes:
    width, height = patches().size
    header = struct.pack("<IiiHHIIiiII", head, width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    header = header.ljust(head if head != 40 else 40, b"\0")
    if head >= 56:
        header = header[:40] + masks.ljust(16, b"\0") + header[56:]
        masks = b""
    start = 14 + len(header) + len(masks) + len(colours)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + masks + colours + pixels


def rows() -> "np.ndarray[Any, np.dtype[np.uint32]]":
    """From below, as BMP has them."""
    return np.asarray(patches()).astype(np.uint32)[::-1]


def bmp_565() -> bytes:
    r, g, b = (rows()[..., at] for at in range(3))
    values = ((r >> 3) << 11 | (g >> 2) << 5 | b >> 3).astype("<u2")
    return bmp(16, 3, values.tobytes(), masks=struct.pack("<3I", 0xF800, 0x07E0, 0x001F))


def bmp_of_10_bits() -> bytes:
    r, g, b = (rows()[..., at] * 1023 // 255 for at in range(3))
    return bmp(
        32, 3, (r << 20 | g << 10 | b).astype("<u4").tobytes(), masks=struct.pack("<3I", 1023 << 20, 1023 << 10, 1023)
    )


def bmp_with_alpha() -> bytes:
    r, g, b = (rows()[..., at] for at in range(3))
    alpha = np.asarray(with_alpha())[::-1, :, 3].astype(np.uint32)
    values = (alpha << 24 | r << 16 | g << 8 | b).astype("<u4")
    return bmp(32, 3, values.tobytes(), masks=struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000), head=108)


def bmp_of_version_5(kind: bytes, profile: bytes = b"") -> bytes:
    """``kind`` of colour space; the profile lies behind the pixels."""
    pixels = rows()[..., ::-1].astype(np.uint8).tobytes()
    width, height = patches().size
    header = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 24, 0, len(pixels), 0, 0, 0, 0) + bytes(16) + kind
    header = header.ljust(112, b"\0") + struct.pack("<II", 124 + len(pixels), len(profile)) + bytes(4)
    size = 14 + len(header) + len(pixels) + len(profile)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, 14 + len(header)) + header + pixels + profile


def bmp_of_runs_of_24_bits() -> bytes:
    """As OS/2 writes it: a header of 64 bytes, the compression 4."""
    made = b""
    for row in rows()[..., ::-1].astype(np.uint8):
        for start in range(0, len(row), SIDE):
            part = row[start : start + SIDE]
            if (part == part[0]).all():
                made += bytes([len(part)]) + part[0].tobytes()
            else:
                made += bytes([0, len(part)]) + part.tobytes() + b"\0" * (len(part) * 3 % 2)
        made += b"\0\0"
    width, height = patches().size
    header = struct.pack("<IiiHHIIiiII", 64, width, height, 1, 24, 4, len(made) + 2, 0, 0, 0, 0).ljust(64, b"\0")
    return b"BM" + struct.pack("<IHHI", 78 + len(made) + 2, 0, 0, 78) + header + made + b"\0\1"


# --- TIFF -------------------------------------------------------------------------------------------------------------
def tiff(array: "np.ndarray[Any, Any]", **options: Any) -> bytes:
    from io import BytesIO

    import tifffile

    file = BytesIO()
    tifffile.imwrite(file, array, **{"photometric": "rgb" if array.ndim == 3 else "minisblack", **options})
    return file.getvalue()


def planes(array: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return np.ascontiguousarray(np.moveaxis(array, 2, 0))


def inks() -> "np.ndarray[Any, np.dtype[np.uint8]]":
    colours = 255 - np.asarray(patches())
    return np.dstack([colours, np.zeros(colours.shape[:2], np.uint8)])


def jpeg(**options: Any) -> bytes:
    return encoded(patches(), **{"quality": 95, "subsampling": 0, "comment": b"x", **options})


def animated(format: str) -> bytes:
    frames = [patches(), patches().rotate(180)]
    return encoded(frames[0], format, save_all=True, append_images=frames[1:])


JPEGS: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg,
    "jpeg progressive": partial(jpeg, progressive=True),
    "jpeg 4:2:0": lambda: jpeg(subsampling=2),
    "jpeg restarts": partial(jpeg, restart_marker_blocks=2),
    "jpeg grey": lambda: encoded(patches().convert("L"), quality=95, comment=b"x"),
    "jpeg CMYK": lambda: encoded(patches().convert("CMYK"), quality=95),
    "jpeg CMYK without Adobe": lambda: encoded(patches().convert("CMYK"), quality=95).replace(b"Adobe", b"Other"),
    "jpeg as RGB": partial(jpeg, keep_rgb=True),
    "jpeg sRGB": lambda: jpeg(icc_profile=srgb()),
    "jpeg P3": lambda: jpeg(icc_profile=display_p3()),
    "jpeg Adobe RGB": lambda: jpeg(icc_profile=adobe_rgb()),
    "jpeg linear": lambda: jpeg(icc_profile=linear_srgb()),
    "jpeg turned": lambda: jpeg(exif=exif(6)),
    "jpeg without EOI": lambda: jpeg()[:-2],
    "jpeg without JFIF": lambda: jpeg()[:2] + jpeg()[20:],
    "jpeg two profiles 1 of 1": lambda: with_segment(
        jpeg(icc_profile=display_p3()), 0xE2, b"ICC_PROFILE\0\1\1" + display_p3()
    ),
    "jpeg grey linear": lambda: encoded(patches().convert("L"), quality=95, icc_profile=linear_grey()),
}
PNGS: dict[str, Callable[[], bytes]] = {
    "png": png,
    "png interlaced": lambda: by_libvips(np.asarray(patches()), ".png", interlace=True),
    "png grey": lambda: png(patches().convert("L")),
    "png grey+alpha": lambda: png(with_alpha().convert("LA")),
    "png bilevel": lambda: png(patches().convert("1")),
    "png palette": lambda: png(patches().quantize(16)),
    "png palette with tRNS": lambda: png(patches().quantize(16), transparency=0),
    "png alpha": lambda: png(with_alpha()),
    "png colour key": lambda: png(transparency=(128, 128, 128)),
    "png sRGB": lambda: png(None, (b"sRGB", b"\0")),
    "png P3": lambda: png(icc_profile=display_p3()),
    "png cICP P3": lambda: png(None, cicp(12, 13)),
    "png cICP BT.2020": lambda: png(None, cicp(9, 13)),
    "png cICP before iCCP": lambda: png(None, cicp(12, 13), icc_profile=adobe_rgb()),
    "png gAMA of sRGB": lambda: png(None, gama(0.45455)),
    "png gAMA linear": lambda: png(None, gama(1.0)),
    "png gAMA 1.8": lambda: png(None, gama(1 / 1.8)),
    "png gAMA cHRM Adobe": lambda: png(None, gama(1 / 2.2), chrm(*ADOBE_POINTS)),
    "png sRGB before gAMA": lambda: png(None, (b"sRGB", b"\0"), gama(1.0)),
    "png turned": lambda: png(exif=exif(8)),
    "png 16 grey": lambda: by_libvips(of_16_bits(patches().convert("L")), ".png"),
    "png 16 grey+alpha": lambda: by_libvips(of_16_bits(with_alpha().convert("LA")), ".png"),
    "png 16": lambda: by_libvips(of_16_bits(patches()), ".png"),
    "png 16 alpha": lambda: by_libvips(of_16_bits(with_alpha()), ".png"),
    "png 16 interlaced": lambda: by_libvips(of_16_bits(patches()), ".png", interlace=True),
    "png 16 grey with tRNS": lambda: with_chunks(
        by_libvips(of_16_bits(patches().convert("L")), ".png"), (b"tRNS", struct.pack(">H", 128 * 257))
    ),
    "png 16 with tRNS": lambda: with_chunks(
        by_libvips(of_16_bits(patches()), ".png"), (b"tRNS", struct.pack(">3H", *(128 * 257,) * 3))
    ),
    "png 16 cICP P3": lambda: with_chunks(by_libvips(of_16_bits(patches()), ".png"), cicp(12, 13)),
    "png animated": lambda: animated("PNG"),
}
OTHERS: dict[str, Callable[[], bytes]] = {
    "webp": lambda: encoded(patches(), "WEBP", quality=95),
    "webp lossless": lambda: encoded(patches(), "WEBP", lossless=True),
    "webp alpha": lambda: encoded(with_alpha(), "WEBP", quality=95),
    "webp lossless alpha": lambda: encoded(with_alpha(), "WEBP", lossless=True),
    "webp P3": lambda: encoded(patches(), "WEBP", lossless=True, icc_profile=display_p3()),
    "webp turned": lambda: encoded(patches(), "WEBP", lossless=True, exif=exif(3)),
    "webp animated": lambda: animated("WEBP"),
    "gif": lambda: encoded(patches(), "GIF"),
    "gif transparent": lambda: encoded(patches().quantize(16), "GIF", transparency=0),
    "gif animated": lambda: animated("GIF"),
    "bmp": lambda: encoded(patches(), "BMP"),
    "bmp grey": lambda: encoded(patches().convert("L"), "BMP"),
    "bmp palette": lambda: encoded(patches().quantize(16), "BMP"),
    "bmp bilevel": lambda: encoded(patches().convert("1"), "BMP"),
    "bmp 565": bmp_565,
    "bmp 10 bits": bmp_of_10_bits,
    "bmp alpha": bmp_with_alpha,
    "bmp P3": lambda: bmp_of_version_5(b"DEBM", profile=display_p3()),
    "bmp calibrated": lambda: bmp_of_version_5(bytes(4)),
    "bmp of version 5": lambda: bmp_of_version_5(b"BGRs"),
}
AVIFS: dict[str, Callable[[], bytes]] = {
    "avif": avif,
    "avif 4:4:4": lambda: avif(subsampling="4:4:4"),
    "avif grey": lambda: avif(patches().convert("L")),
    "avif alpha": lambda: avif(with_alpha()),
    "avif P3": lambda: with_nclx(avif(), 12, 13),
    "avif BT.2020": lambda: with_nclx(avif(), 9, 13),
    "avif BT.709": lambda: with_nclx(avif(), 1, 1),
    "avif linear": lambda: with_nclx(avif(), 1, 8),
    "avif gamma 2.2": lambda: with_nclx(avif(), 1, 4),
    "avif unspecified": lambda: with_nclx(avif(), 2, 2),
    "avif by profile": lambda: avif(icc_profile=display_p3()),
    "avif turned": lambda: avif(exif=exif(6)),
    "avif flipped": lambda: avif(exif=exif(4)),
    "avif animated": lambda: animated("AVIF"),
    "avif 10 bits": avif_of_10_bits,
    "avif 10 bits alpha": lambda: avif_of_10_bits(with_alpha()),
}
# What Chromium doesn't show.
UNKNOWN_TO_BROWSERS: dict[str, Callable[[], bytes]] = {
    "bmp runs of 24 bits": bmp_of_runs_of_24_bits,
    "heic": heic,
    "heic grey": lambda: heic(patches().convert("L")),
    "heic alpha": lambda: heic(with_alpha()),
    "heic P3": lambda: with_nclx(heic(), 12, 13),
    "heic by profile": lambda: heic(icc_profile=display_p3()),
    "heic turned": lambda: heic(exif=exif(6)),
    "heic tiles": lambda: heic(patches().resize((256, 128)), tile_size=64),
    "tiff": lambda: encoded(patches(), "TIFF"),
    "tiff LZW": lambda: encoded(patches(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: encoded(patches(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff JPEG": lambda: encoded(patches(), "TIFF", compression="jpeg"),
    "tiff fax": lambda: encoded(patches().convert("1"), "TIFF", compression="group4"),
    "tiff palette": lambda: encoded(patches().quantize(16), "TIFF"),
    "tiff inks": lambda: encoded(patches().convert("CMYK"), "TIFF"),
    "tiff grey": lambda: encoded(patches().convert("L"), "TIFF"),
    "tiff alpha": lambda: encoded(with_alpha(), "TIFF"),
    "tiff turned": lambda: encoded(patches(), "TIFF", exif=exif(6)),
    "tiff floats": lambda: encoded(patches().convert("F"), "TIFF"),
    "tiff P3": lambda: encoded(patches(), "TIFF", icc_profile=display_p3()),
    "tiff animated": lambda: animated("TIFF"),
    "tiff big": lambda: tiff(np.asarray(patches()), bigtiff=True),
    "tiff tiles": lambda: tiff(np.asarray(patches()), tile=(16, 16)),
    "tiff 16": lambda: tiff(of_16_bits(patches())),
    "tiff 16 big-endian": lambda: tiff(of_16_bits(patches()), byteorder=">"),
    "tiff 16 planes": lambda: tiff(planes(of_16_bits(patches())), planarconfig="separate"),
    "tiff 16 planes big-endian": lambda: tiff(planes(of_16_bits(patches())), planarconfig="separate", byteorder=">"),
    "tiff planes": lambda: tiff(planes(np.asarray(patches())), planarconfig="separate", compression="zlib"),
    "tiff planes of inks": lambda: tiff(planes(inks()), planarconfig="separate", photometric="separated"),
    "tiff 16 grey+alpha": lambda: by_libvips(of_16_bits(with_alpha().convert("LA")), ".tif"),
    "tiff 16 alpha": lambda: by_libvips(of_16_bits(with_alpha()), ".tif", compression="lzw", predictor="horizontal"),
}
SMALL_FILES = JPEGS | PNGS | OTHERS | AVIFS | UNKNOWN_TO_BROWSERS
IN_BROWSERS = JPEGS | PNGS | OTHERS | AVIFS
