"""Any good picture becomes a small, upright, plain sRGB JPEG."""

from io import BytesIO
from typing import Any

import pillow_heif
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from normalform import FORMATS, derive, is_normal_form, normalize
from normalform.formats import Format
from tests.images.pictures import decoded, encoded, normal_jpeg, photograph, quarters
from tests.images.profiles import srgb

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def normalized(data: bytes) -> Image.Image:
    normal = normalize(data, quality=90)
    assert is_normal_form(normal.data)
    assert normalize(normal.data, quality=50).data == normal.data, "normalising twice changes nothing"
    picture = decoded(normal.data)
    assert picture.size == (normal.width, normal.height)
    return picture


def close(found: object, expected: tuple[int, ...], by: int = 12) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - other) <= by for one, other in zip(found, expected, strict=True))


def corners(picture: Image.Image) -> list[str]:
    """The colours at top left, top right, bottom left, bottom right."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    w, h = picture.size
    points = [(w // 5, h // 5), (w * 4 // 5, h // 5), (w // 5, h * 4 // 5), (w * 4 // 5, h * 4 // 5)]
    return [next(name for name, c in names.items() if close(picture.getpixel(p), c, 40)) for p in points]


def heic(image: Image.Image, **options: Any) -> bytes:
    file = BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=95, **options)
    return file.getvalue()


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_every_format_of_the_list_is_taken(format: Format) -> None:
    format.register()

    picture = normalized(encoded(photograph(2000, 200), format.pillow))

    assert picture.size == (1600, 160)
    assert picture.format == "JPEG"


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]

    for format in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        picture = normalized(encoded(frames[0], format, save_all=True, append_images=frames[1:]))
        assert close(picture.getpixel((20, 20)), RED), format


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (1600, 1200)),
        ((3000, 4000), (1200, 1600)),
        ((1601, 3), (1600, 3)),
        ((9000, 1), (1600, 1)),
        ((1600, 1600), (1600, 1600)),
        ((30, 20), (30, 20)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_longest_edge_is_shrunk_to_1600_and_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert normalized(encoded(photograph(*size), comment=b"not normal")).size == expected


@pytest.mark.parametrize("format", ["JPEG", "TIFF", "PNG", "WEBP", "AVIF", "HEIC"])
@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, ["red", "green", "blue", "white"]),
        (2, ["green", "red", "white", "blue"]),
        (3, ["white", "blue", "green", "red"]),
        (4, ["blue", "white", "red", "green"]),
        (5, ["red", "blue", "green", "white"]),
        (6, ["blue", "red", "white", "green"]),
        (7, ["white", "green", "blue", "red"]),
        (8, ["green", "white", "red", "blue"]),
    ],
)
def test_exif_orientation_is_applied_once(format: str, orientation: int, expected: list[str]) -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    exif = tags.tobytes()
    size = (3400, 1700) if format == "JPEG" else (80, 40)  # the large one takes the way over draft()

    image = quarters(*size)

    picture = normalized(heic(image, exif=exif) if format == "HEIC" else encoded(image, format, exif=exif))

    assert corners(picture) == expected
    assert (picture.width < picture.height) == (orientation >= 5)
    assert not picture.getexif()


def test_nothing_but_the_picture_survives() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (40.0, 25.0, 0.0)
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>png</script>")
    image = photograph(200, 100)
    sources = [
        encoded(image, exif=exif, comment=b"<script>jpeg</script>", icc_profile=srgb(), dpi=(300, 300),
                xmp=b"<x:xmpmeta>SecretCamera</x:xmpmeta>"),
        encoded(image, "PNG", pnginfo=text, exif=exif, icc_profile=srgb(), dpi=(300, 300)),
        encoded(image, "GIF", comment=b"<script>gif</script>"),
        encoded(image, "WEBP", exif=exif, xmp=b"<x:xmpmeta>SecretCamera</x:xmpmeta>"),
        encoded(image, "TIFF", exif=exif, description="<script>tiff</script>"),
        encoded(image) + b"<script>behind the end</script>",
    ]  # fmt: skip

    for source in sources:
        made = normalize(source, quality=85).data
        assert is_normal_form(made)
        for secret in (b"script", b"SecretCamera", b"Exif", b"ICC_PROFILE", b"xmpmeta", b"acsp"):
            assert secret not in made
        assert set(decoded(made).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_16_bits_are_scaled_not_clipped() -> None:
    picture = normalized(encoded(Image.new("I;16", (64, 64), 40000), "PNG"))

    assert picture.mode == "L"
    assert abs(int(picture.getpixel((30, 30))) - 155) <= 2  # type: ignore[arg-type]


@pytest.mark.parametrize(("mode", "colour"), [("F", 0.5), ("I", 32768), ("L", 128), ("1", 1)])
def test_odd_depths_are_taken(mode: str, colour: float) -> None:
    picture = normalized(encoded(Image.new(mode, (64, 64), colour), "TIFF"))

    assert picture.mode == "L"
    assert int(picture.getpixel((30, 30))) >= 120  # type: ignore[arg-type]


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    half = Image.new("RGBA", (64, 64), (255, 0, 0, 128))
    palette = clear.convert("RGB").quantize(4)
    grey = Image.new("LA", (64, 64), (0, 0))

    assert close(normalized(encoded(clear, "PNG")).getpixel((9, 9)), WHITE)
    assert close(normalized(encoded(half, "WEBP", lossless=True)).getpixel((9, 9)), (255, 127, 127))
    assert close(normalized(encoded(palette, "PNG", transparency=0)).getpixel((9, 9)), WHITE)
    assert close(normalized(encoded(palette, "GIF", transparency=0)).getpixel((9, 9)), WHITE)
    assert close(normalized(encoded(grey, "PNG")).convert("RGB").getpixel((9, 9)), WHITE)
    colour_key = encoded(Image.new("RGB", (64, 64), RED), "PNG", transparency=RED)
    assert close(normalized(colour_key).getpixel((9, 9)), WHITE)


def test_colours_behind_transparency_do_not_bleed_when_it_is_shrunk() -> None:
    image = Image.new("RGBA", (3200, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 1600, 100))

    picture = normalized(encoded(image, "PNG"))

    assert all(close(picture.getpixel((x, 25)), WHITE, 40) for x in range(816, 840))


def test_the_result_never_has_more_than_2_mb() -> None:
    noise = Image.effect_noise((1600, 1600), 120).convert("RGB")

    normal = normalize(encoded(noise, "BMP"), quality=95)

    assert len(normal.data) <= 2_000_000
    assert is_normal_form(normal.data)


def test_the_same_picture_in_two_wrappings_has_one_name() -> None:
    image = photograph(300, 200)

    assert (
        normalize(encoded(image, "PNG"), quality=85).data
        == normalize(encoded(image, "TIFF"), quality=85).data
        == normalize(encoded(image, "BMP"), quality=85).data
    )


def test_the_encoder_is_named_when_the_bytes_are_ours() -> None:
    normal = normalize(encoded(photograph(), "PNG"), quality=85)

    assert normal.encoder.startswith("Pillow ")
    assert normal.encoder.endswith("quality 85")
    assert len(normal.encoder) <= 60


@pytest.mark.parametrize("width", [160, 320])
def test_a_derivative_is_narrower_and_in_normal_form(width: int) -> None:
    made = derive(normal_jpeg(), width=width, quality=80)

    assert is_normal_form(made)
    assert decoded(made).size == (width, width * 3 // 4)
