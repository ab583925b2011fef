"""Bytes that are no picture, or mean harm, are refused with a reason and nothing else happens."""

import random

import pytest
from PIL import Image

from normalform import FORMATS, MAX_BYTES, ImageRefused, normalize
from normalform.formats import Format
from normalform.jpeg import MOST_SCANS
from tests.images.pictures import encoded, normal_jpeg, photograph, png_of

SMALL = photograph(96, 64)


def picture(format: Format) -> bytes:
    """A small file of this format that isn't in normal form."""
    format.register()
    return encoded(SMALL, format.pillow, **({"comment": b"x"} if format.name == "JPEG" else {}))


every_format = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


def refusal(data: bytes) -> str:
    with pytest.raises(ImageRefused) as caught:
        normalize(data, quality=85)
    return caught.value.code


def test_more_than_25_mb_is_not_even_looked_at() -> None:
    assert refusal(b"\xff\xd8\xff" + bytes(MAX_BYTES - 2)) == "too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"BMW and other cars",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"P6 1 1 255 abc",
        b"\0\0\1\0\1\0\1\1",
        b"PK\3\4",
        b"\0" * 100,
        b"x",
        encoded(SMALL, "JPEG2000"),
        encoded(SMALL, "PPM"),
        encoded(SMALL, "ICO"),
    ],
    ids=["svg", "html", "pdf", "text", "wav", "mp4", "ppm", "ico", "zip", "nul", "x", "jp2", "real ppm", "real ico"],
)
def test_what_is_none_of_the_formats_is_unsupported(data: bytes) -> None:
    assert refusal(data) == "unsupported_image"


@every_format
@pytest.mark.parametrize("kept", [0.5, 0.05])
def test_a_file_that_was_cut_off_is_broken(format: Format, kept: float) -> None:
    data = picture(format)

    assert refusal(data[: max(40, int(len(data) * kept))]) == "broken_image"


@pytest.mark.parametrize(("width", "height"), [(8001, 8000), (64_000_001, 1), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header_alone(width: int, height: int) -> None:
    assert refusal(png_of(width, height)) == "too_many_pixels"


def test_too_many_pixels_are_refused_in_other_formats_too() -> None:
    jpeg = bytearray(normal_jpeg())
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff\x00\xff\x00"
    bmp = bytearray(encoded(SMALL, "BMP"))
    bmp[18:26] = (20_000).to_bytes(4, "little") * 2
    gif = bytearray(encoded(SMALL, "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    webp = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\x3f\0" * 2

    assert [refusal(bytes(data)) for data in (jpeg, bmp, gif)] == ["too_many_pixels"] * 3
    assert refusal(webp) in ("too_many_pixels", "broken_image")


def test_64_megapixels_are_taken() -> None:
    image = Image.new("L", (8000, 8000), 128)

    assert normalize(encoded(image, "PNG"), quality=85).width == 1600


@pytest.mark.parametrize("size", [(8160, 6144), (8192, 6144), (12000, 9000), (12032, 9024)])
def test_what_phones_of_50_and_108_megapixels_make_is_taken(size: tuple[int, int]) -> None:
    assert normalize(encoded(Image.new("L", size, 128), quality=20), quality=85).width == 1600


def test_thousands_of_scans_are_refused() -> None:
    progressive = encoded(SMALL, progressive=True, comment=b"x")
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]

    assert refusal(progressive[:-2] + scan * (MOST_SCANS + 1) + b"\xff\xd9") == "broken_image"


@every_format
def test_damaged_files_are_taken_or_refused_and_nothing_else(format: Format) -> None:
    original = picture(format)
    numbers = random.Random(7)  # noqa: S311 - no secret
    outcomes = set()
    for _ in range(60):
        data = bytearray(original)
        for _ in range(numbers.randint(1, 12)):
            data[numbers.randrange(4, min(len(data), numbers.choice([64, 400, len(data)])))] = numbers.randrange(256)
        outcomes.add(outcome(bytes(data)))

    assert outcome(original) == "taken"
    assert outcomes <= {"taken", "too_many_pixels", "unsupported_image", "broken_image"}
    assert outcomes != {"taken"}, "the damage was never noticed"


def outcome(data: bytes) -> str:
    try:
        normalize(data, quality=85)
    except ImageRefused as refused:
        return refused.code
    return "taken"


@pytest.mark.parametrize("head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0*"])
def test_junk_behind_a_good_beginning_is_broken(head: bytes) -> None:
    junk = random.Random(3).randbytes(3000)  # noqa: S311 - no secret

    assert refusal(head + junk) in ("broken_image", "too_many_pixels")
