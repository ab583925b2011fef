"""What isn't pixels never refuses a picture; pixels that are missing always do."""

import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image

from normalform import ImageRefused
from tests.images.pictures import encoded, with_segment
from tests.images.profiles import adobe_rgb, display_p3
from tests.images.small import avif, chunk, exif, heic, jpeg, patches, png, with_alpha
from tests.normalform.test_normalize import normalized


def looks_like(found: Image.Image, expected: Image.Image, by: float = 4) -> bool:
    difference = np.abs(np.asarray(found.convert("RGB"), int) - np.asarray(expected.convert("RGB"), int))
    return found.size == expected.size and float(difference.mean()) <= by


def with_odd_chunk(kind: bytes, *, length: int | None = None, crc: bytes = b"oops", body: bytes = b"12345") -> bytes:
    size = struct.pack(">I", len(body) if length is None else length)
    return png()[:33] + size + kind + body + crc + png()[33:]


def with_dead_exif(data: bytes) -> bytes:
    """The file with an EXIF block that is no EXIF, of the same length."""
    at = data.index(b"MM\0*")
    return data[:at] + b"\xff" * 12 + data[at + 12 :]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    webp = encoded(patches(), "WEBP", lossless=True)
    more = b"".join(kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1) for kind, body in chunks)
    return webp + more


TAKEN: dict[str, Callable[[], bytes]] = {
    "JPEG without EOI": lambda: jpeg()[:-2],
    "JPEG with half an EOI": lambda: jpeg()[:-1],
    "progressive JPEG without EOI": lambda: jpeg(progressive=True)[:-2],
    "grey JPEG without EOI": lambda: encoded(patches().convert("RGB"), quality=95)[:-2],
    "JPEG without EOI, ten bytes behind": lambda: jpeg()[:-2] + b"0123456789",
    "JPEG with zeros behind": lambda: jpeg() + bytes(5000),
    "JPEG with junk at the end of its scan": lambda: jpeg()[:-2] + b"junk in the scan" + jpeg()[-2:],
    "JPEG with restarts without EOI": lambda: jpeg(restart_marker_blocks=1)[:-2],
    **{
        f"JPEG with a short {marker:X}, {len(body)} bytes": partial(with_segment, jpeg(), marker, body)
        for marker in (0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE)
        for body in (b"", b"\0", b"JFIF", b"JFIF\0\1", b"Exif\0\0", b"ICC_PROFILE\0\1", b"Adobe", b"Adobe\0d")
    },
    "JPEG whose own JFIF is short": lambda: jpeg()[:2] + b"\xff\xe0\0\7JFIF\0" + jpeg()[20:],
    "JPEG with a part of a profile": lambda: with_segment(jpeg(), 0xE2, b"ICC_PROFILE\0\1\2" + adobe_rgb()[:100]),
    "JPEG with a profile of no parts": lambda: with_segment(jpeg(), 0xE2, b"ICC_PROFILE\0\0\0" + adobe_rgb()),
    "JPEG with dead EXIF": lambda: with_dead_exif(jpeg(exif=exif(1))),
    "JPEG with fill bytes": lambda: jpeg()[:2] + b"\xff" * 50 + jpeg()[2:],
    **{f"PNG with a wrong checksum of {kind.decode()}": partial(with_odd_chunk, kind) for kind in
       (b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"eXIf", b"tIME", b"bKGD",
        b"sBIT", b"hIST", b"acTL", b"fcTL", b"vpAg", b"tRNS")},
    **{f"PNG with a length of {length:,} in pHYs": partial(with_odd_chunk, b"pHYs", length=length)
       for length in (0, 1, 4, 6, 9, 60, 100_000, 2**31 - 1, 2**32 - 1)},
    "PNG with 3 MB of text": lambda: png(None, (b"tEXt", b"prompt\0" + b"x" * 3_000_000)),
    "PNG with 3 MB of packed text": lambda: png(None, (b"zTXt", b"prompt\0\0" + zlib.compress(bytes(3_000_000)))),
    "PNG with packed text that is broken": lambda: png(None, (b"zTXt", b"prompt\0\0broken")),
    "PNG with a profile of 2 MB": lambda: png(icc_profile=display_p3()[:4] + bytes(2_000_000)),
    "PNG with a broken profile": lambda: png(None, (b"iCCP", b"name\0\0broken")),
    "PNG with dead EXIF": lambda: png(None, (b"eXIf", b"\xff" * 20)),
    "PNG with impossible chromaticities": lambda: png(None, (b"gAMA", bytes(4)), (b"cHRM", bytes(32))),
    "PNG without IEND": lambda: png()[:-12],
    "PNG whose IEND has a wrong checksum": lambda: png()[:-4] + b"oops",
    "AVIF with dead EXIF": lambda: with_dead_exif(avif(exif=exif(1))),
    "HEIC with dead EXIF": lambda: with_dead_exif(heic(exif=exif(1))),
    "WebP with dead EXIF": lambda: riff((b"EXIF", b"\xff" * 21), (b"XMP ", b"<"), (b"ICCP", b"junk")),
    "WebP of a wrong length": lambda: riff()[:4] + b"\xff\xff\0\0" + riff()[8:],
    "TIFF with a broken profile": lambda: encoded(patches(), "TIFF", icc_profile=b"junk" * 50),
}  # fmt: skip

CUT: dict[str, Callable[[], bytes]] = {
    "JPEG, last 3 bytes": lambda: jpeg()[:-9],
    "JPEG, half": lambda: jpeg()[: len(jpeg()) // 2],
    "JPEG, half, but ended": lambda: jpeg()[: -200] + b"\xff\xd9",
    "JPEG, zeros from the middle on": lambda: jpeg()[:-200] + bytes(200),
    "JPEG, zeros from the middle on, but ended": lambda: jpeg()[:-200] + bytes(198) + b"\xff\xd9",
    "progressive JPEG, half": lambda: jpeg(progressive=True)[: -150],
    "progressive JPEG without its last scan": lambda: without_last_scan(jpeg(progressive=True)),
    "PNG, half": lambda: png()[: len(png()) // 2],
    "PNG, a wrong byte among the pixels": lambda: png()[:60] + bytes([png()[60] ^ 0xFF]) + png()[61:],
    "AVIF, half": lambda: avif()[: -100],
    "HEIC, half": lambda: heic()[: -100],
    "WebP, half": lambda: encoded(with_alpha(), "WEBP", quality=95)[:-60],
}  # fmt: skip


def without_last_scan(data: bytes) -> bytes:
    return data[: data.rindex(b"\xff\xda")]


@pytest.mark.parametrize("name", TAKEN)
def test_what_isnt_pixels_never_refuses_a_picture(name: str) -> None:
    assert looks_like(normalized(TAKEN[name]()), patches())


@pytest.mark.parametrize("name", CUT)
def test_a_picture_that_was_cut_is_broken(name: str) -> None:
    with pytest.raises(ImageRefused) as refused:
        normalized(CUT[name]())
    assert refused.value.code == "broken_image"


@pytest.mark.parametrize("second", [display_p3(), adobe_rgb()], ids=["the same again", "another one"])
def test_of_two_profiles_that_are_each_1_of_1_the_first_counts(second: bytes) -> None:
    """`with_segment` puts its segment in front."""
    data = with_segment(jpeg(icc_profile=second), 0xE2, b"ICC_PROFILE\0\1\1" + display_p3())

    assert looks_like(normalized(data), normalized(jpeg(icc_profile=display_p3())), 1)


def test_colours_are_found_behind_a_chunk_of_a_wrong_length() -> None:
    good = png(None, (b"cICP", b"\x0c\x0d\0\1"))
    bad = good[:33] + b"\0\0\0\1pHYs12345oops" + good[33:]

    assert looks_like(normalized(bad), normalized(good), 0)


def test_a_chunk_that_says_how_pixels_look_counts_only_when_it_is_right() -> None:
    assert chunk(b"cICP", b"\x0c\x0d\0\1") in png(None, (b"cICP", b"\x0c\x0d\0\1"))
    assert looks_like(normalized(with_odd_chunk(b"cICP", body=b"\x0c\x0d\0\1")), normalized(png()), 0)
