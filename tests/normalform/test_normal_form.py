"""Which bytes are a picture in normal form, and stay as they are."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import ExifTags, Image

from normalform import FORMATS, is_normal_form, normalize
from normalform.jpeg import MOST_SCANS
from tests.images.pictures import encoded, normal_jpeg, photograph, with_segment
from tests.images.profiles import adobe_rgb, display_p3, linear_grey, srgb

QUARTER = photograph(160, 120)


@pytest.mark.parametrize(
    "data",
    [
        encoded(QUARTER),
        encoded(QUARTER, progressive=True, quality=60),
        encoded(QUARTER.convert("L")),
        encoded(QUARTER, subsampling=0, restart_marker_rows=1),
        encoded(photograph(1600, 9)),
        encoded(photograph(1, 1)),
        encoded(QUARTER)[:2] + encoded(QUARTER)[20:],  # without JFIF
    ],
    ids=["baseline", "progressive", "grey", "restarts", "wide", "one pixel", "no JFIF"],
)
def test_any_encoders_plain_jpeg_is_kept_byte_for_byte(data: bytes) -> None:
    normal = normalize(data, quality=85)

    assert normal.data == data
    assert normal.encoder == ""


@pytest.mark.parametrize(
    "data",
    [
        with_segment(normal_jpeg(), 0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
        with_segment(normal_jpeg(), 0xE2, b"ICC_PROFILE\0\1\1"),
        with_segment(normal_jpeg(), 0xFE, b"<script>alert(1)</script>"),
        with_segment(normal_jpeg(), 0xE0, b"JFXX\0\x10"),
        with_segment(normal_jpeg(), 0xEE, b"Adobe\0d\0\0\0\0\1"),
        with_segment(normal_jpeg(), 0xDB, b"\0" + b"\1" * 70),
        with_segment(normal_jpeg(), 0xC4, b"\0" + b"\0" * 16 + b"hidden"),
        normal_jpeg() + b"PK\3\4",
        normal_jpeg() + normal_jpeg(2),
        normal_jpeg()[:-2],
        normal_jpeg()[: len(normal_jpeg()) // 2] + b"\xff\xd9",
        normal_jpeg()[:-2] + b"more entropy coded bytes" + b"\xff\xd9",
        encoded(photograph(1601, 20)),
        encoded(QUARTER.convert("CMYK")),
        encoded(QUARTER, keep_rgb=True),
        normal_jpeg()[:18] + b"\1\1" + b"\0\0\0" + normal_jpeg()[20:],
        b"",
        b"\xff\xd8\xff\xd9",
    ],
    ids=["exif", "icc", "comment", "jfxx", "adobe", "long dqt", "long dht", "zip behind", "two pictures", "no end",
         "cut short", "junk in the scan", "too wide", "cmyk", "rgb", "thumbnail", "empty", "no picture"],
)  # fmt: skip
def test_anything_else_in_a_file_is_not_normal_form(data: bytes) -> None:
    assert not is_normal_form(data)


def test_a_normal_picture_has_2_mb_at_most() -> None:
    noise = Image.effect_noise((1600, 1600), 100)
    largest = encoded(noise.convert("RGB"), quality=100, subsampling=0)

    assert len(largest) > 2 * 1024 * 1024
    assert not is_normal_form(largest)


def test_a_jpeg_with_thousands_of_scans_is_not_decoded() -> None:
    progressive = encoded(QUARTER, progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]

    bomb = progressive[:-2] + scan * (MOST_SCANS + 1) + b"\xff\xd9"

    assert not is_normal_form(bomb)


# The modes in which Pillow writes each format.
MODES = {
    "JPEG": ["L", "RGB", "CMYK"],
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "WebP": ["RGB", "RGBA"],
    "AVIF": ["L", "RGB", "RGBA"],
    "GIF": ["1", "L", "P"],
    "TIFF": ["1", "L", "LA", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F"],
    "BMP": ["1", "L", "P", "RGB"],
    "HEIC": ["L", "RGB", "RGBA"],
}
# Some are larger than a normal picture, some as large, most small.
SIZES = some.one_of(
    some.tuples(some.integers(1, 70), some.integers(1, 70)),
    some.tuples(some.integers(1590, 3300), some.integers(1, 9)),
    some.tuples(some.integers(1, 9), some.integers(1590, 3300)),
)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    return image.convert("L").convert(mode) if mode in ("I;16", "F") else image.convert(mode)


@some.composite
def files(draw: some.DrawFn) -> bytes:
    """Files as people may bring them: any format, depth, size, turn and profile, normal or not."""
    format = draw(some.sampled_from(FORMATS))
    format.register()
    mode = draw(some.sampled_from(MODES[format.name]))
    image = in_mode(photograph(*draw(SIZES), seed=draw(some.integers(1, 5))), mode)
    options: dict[str, Any] = {}
    if format.name == "JPEG":
        options |= {"quality": draw(some.integers(1, 100)), "progressive": draw(some.booleans())}
    if profile := draw(some.sampled_from([None, b"junk", srgb(), adobe_rgb(), display_p3(), linear_grey()])):
        options["icc_profile"] = profile
    if (orientation := draw(some.integers(0, 8))) and format.name not in ("GIF", "BMP"):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        options["exif"] = exif.tobytes()
    data = encoded(image, format.pillow, **options)
    return data + draw(some.sampled_from([b"", b"", b"PK\3\4 behind the end"]))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=files(), first=some.integers(50, 95), second=some.integers(50, 95))
def test_normalizing_twice_changes_nothing(data: bytes, first: int, second: int) -> None:
    once = normalize(data, quality=first)

    twice = normalize(once.data, quality=second)

    assert is_normal_form(once.data)
    assert (twice.data, twice.width, twice.height) == (once.data, once.width, once.height)
    assert twice.encoder == "", "kept, not made again"
