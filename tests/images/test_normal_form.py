"""Which bytes are a picture in normal form, and stay as they are."""

import pytest
from PIL import Image

from images.jpeg import MOST_SCANS
from images.normalize import is_normal_form, normalize
from tests.images.pictures import encoded, normal_jpeg, photograph, with_segment

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
