"""Colours look as their profile means them, in sRGB.

What is expected comes from the published definitions of the colour spaces, not from a colour management library.
"""

from collections.abc import Sequence
from functools import partial

import pytest
from PIL import Image, ImageCms

from tests.images.pictures import encoded
from tests.images.profiles import adobe_rgb, display_p3, linear_grey, press
from tests.normalform.test_normalize import RED, WHITE, close, heic, normalized

Matrix = Sequence[Sequence[float]]
# Linear light of the wide spaces as linear light of sRGB; all three have the white of D65.
ADOBE_RGB: Matrix = ((1.39836, -0.39836, 0.0), (0.0, 1.0, 0.0), (0.0, -0.04293, 1.04293))
DISPLAY_P3: Matrix = ((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09827))
D50_TO_SRGB: Matrix = ((3.13386, -1.61687, -0.49062), (-0.97877, 1.91614, 0.03345), (0.07194, -0.22899, 1.40524))
PATCHES = [(128, 128, 128), (120, 200, 90), (200, 60, 60), (90, 110, 220), (240, 200, 180), (30, 60, 40)]


def through(matrix: Matrix, light: Sequence[float]) -> tuple[int, ...]:
    """Linear light as sRGB shows it, in 8 bits; what sRGB doesn't reach is cut off."""
    linear = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, light, strict=True)))) for row in matrix]
    return tuple(round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055)) for c in linear)


def from_adobe_rgb(colour: tuple[int, ...]) -> tuple[int, ...]:
    return through(ADOBE_RGB, [(c / 255) ** (563 / 256) for c in colour])


def from_display_p3(colour: tuple[int, ...]) -> tuple[int, ...]:
    shares = [c / 255 for c in colour]
    return through(DISPLAY_P3, [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares])


def from_lab(lightness: float, a: float, b: float) -> tuple[int, ...]:
    y = (lightness + 16) / 116
    shares = [f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29) for f in (y + a / 500, y, y - b / 200)]
    return through(D50_TO_SRGB, [s * w for s, w in zip(shares, (0.9642, 1.0, 0.8249), strict=True)])


def test_the_expectations_themselves_are_right() -> None:
    """The corners of sRGB have well-known coordinates in the wider spaces."""
    assert close(from_adobe_rgb((144, 255, 60)), (0, 255, 0), 3)
    assert close(from_display_p3((234, 51, 35)), (255, 0, 0), 3)
    assert close(from_lab(54.29, 80.81, 69.89), (255, 0, 0), 3)
    assert from_lab(100, 0, 0) == WHITE


@pytest.mark.parametrize("colour", PATCHES)
@pytest.mark.parametrize(
    ("profile", "expected"),
    [(adobe_rgb(), from_adobe_rgb), (display_p3(), from_display_p3)],
    ids=["AdobeRGB", "Display P3"],
)
def test_a_wide_profile_is_converted_before_it_is_dropped(colour, profile, expected) -> None:
    picture = normalized(encoded(Image.new("RGB", (64, 64), colour), "PNG", icc_profile=profile))

    assert close(picture.getpixel((30, 30)), expected(colour), 4)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "TIFF", "AVIF", "HEIC"])
def test_a_wide_profile_counts_in_every_format_that_has_one(format: str) -> None:
    image = Image.new("RGB", (3400, 1800) if format == "JPEG" else (64, 64), (120, 200, 90))
    encode = heic if format == "HEIC" else partial(encoded, format=format)

    assert close(
        normalized(encode(image, icc_profile=display_p3())).getpixel((30, 30)), from_display_p3((120, 200, 90)), 6
    )


def test_a_profile_counts_under_transparency_too() -> None:
    image = Image.new("RGBA", (64, 64), (120, 200, 90, 255))
    image.paste((0, 0, 0, 0), (0, 0, 64, 32))

    picture = normalized(encoded(image, "PNG", icc_profile=adobe_rgb()))

    assert close(picture.getpixel((30, 10)), WHITE)
    assert close(picture.getpixel((30, 54)), (51, 200, 80), 4)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_profile_of_greys_is_converted(mode: str) -> None:
    """Half of the light is 188 in sRGB."""
    picture = normalized(encoded(Image.new(mode, (64, 64), (128, 255)[: len(mode)]), "PNG", icc_profile=linear_grey()))

    assert picture.mode == "L"
    assert abs(int(picture.getpixel((30, 30))) - 188) <= 2  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", [b"", b"junk", adobe_rgb()[:200], b"\0" * 128, adobe_rgb()[:-60]])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    image = Image.new("RGB", (64, 64), (120, 200, 90))

    picture = normalized(encoded(image, "PNG", icc_profile=profile))

    assert close(picture.getpixel((30, 30)), (120, 200, 90), 4)


@pytest.mark.parametrize("profile", [linear_grey(), press((60, 0, 0), (60, 0, 0), (60, 0, 0))], ids=["grey", "press"])
def test_a_profile_of_another_kind_of_picture_is_ignored(profile: bytes) -> None:
    picture = normalized(encoded(Image.new("RGB", (64, 64), RED), "PNG", icc_profile=profile))

    assert close(picture.getpixel((30, 30)), RED)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_inks_without_a_profile_become_colours(format: str) -> None:
    inks = {(0, 255, 255, 0): RED, (255, 0, 0, 0): (0, 255, 255), (0, 0, 0, 0): WHITE, (0, 0, 0, 255): (0, 0, 0)}
    for ink, colour in inks.items():
        assert close(normalized(encoded(Image.new("CMYK", (64, 64), ink), format)).getpixel((30, 30)), colour)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
@pytest.mark.parametrize(("ink", "lab"), [(0, (60.0, -20.0, -30.0)), (1, (50.0, 50.0, 0.0)), (2, (90.0, -5.0, 70.0))])
def test_inks_look_as_their_press_prints_them(format: str, ink: int, lab: tuple[float, float, float]) -> None:
    """A press's cyan is no (0, 255, 255)."""
    profile = press((60.0, -20.0, -30.0), (50.0, 50.0, 0.0), (90.0, -5.0, 70.0))
    inks = tuple(255 if number == ink else 0 for number in range(4))

    picture = normalized(encoded(Image.new("CMYK", (64, 64), inks), format, icc_profile=profile))

    assert close(picture.getpixel((30, 30)), from_lab(*lab), 5)


def test_lab_becomes_colours() -> None:
    lab = ImageCms.applyTransform(
        Image.new("RGB", (64, 64), (120, 200, 90)),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    assert lab is not None

    assert close(normalized(encoded(lab, "TIFF")).getpixel((30, 30)), (120, 200, 90), 6)
