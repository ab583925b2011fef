"""The terminal's normaliser and the server's are two. They agree on what normal form is, and on what they refuse.

Their encoders may differ: what the terminal makes is in normal form, so the server keeps it byte for byte.
"""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from images import jpeg as servers_jpeg
from images.normalize import ImageRefused
from images.normalize import normalize as servers_normalize
from posclient import PictureRefused, _jpeg
from posclient._normalize import normalize
from tests.images.pictures import encoded, normal_jpeg, photograph, png_of, quarters, with_segment
from tests.images.profiles import adobe_rgb
from tests.posclient.conftest import only_on_sqlite

pytestmark = only_on_sqlite


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(photograph(300, 200), exif=exif)


def heic() -> bytes:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return encoded(photograph(200, 100), "HEIF")


PICTURES: dict[str, Callable[[], bytes]] = {
    "normal form": normal_jpeg,
    "progressive": lambda: encoded(photograph(), quality=70, progressive=True),
    "grey": lambda: encoded(photograph().convert("L"), quality=80),
    "large": lambda: encoded(photograph(2500, 1000), quality=90),
    "one pixel": lambda: encoded(Image.new("RGB", (1, 1), "red")),
    **{f"orientation {number}": lambda number=number: turned(number) for number in range(1, 9)},  # type: ignore[misc]
    "comment": lambda: encoded(photograph(), comment=b"<script>"),
    "segment": lambda: with_segment(normal_jpeg(), 0xE1, b"Exif\0\0what"),
    "behind its end": lambda: normal_jpeg() + b"more",
    "cut short, but ended": lambda: normal_jpeg()[:-400] + b"\xff\xd9",
    "another profile": lambda: encoded(photograph(), icc_profile=adobe_rgb()),
    "CMYK": lambda: encoded(photograph().convert("CMYK")),
    "PNG": lambda: encoded(quarters(), "PNG"),
    "transparent PNG": lambda: encoded(Image.new("RGBA", (50, 40), (255, 0, 0, 100)), "PNG"),
    "16 bits": lambda: encoded(Image.new("I;16", (40, 40), 40000), "PNG"),
    "palette GIF": lambda: encoded(quarters().convert("P"), "GIF"),
    "WebP": lambda: encoded(photograph(300, 200), "WEBP"),
    "AVIF": lambda: encoded(photograph(100, 80), "AVIF"),
    "TIFF": lambda: encoded(photograph(100, 80), "TIFF"),
    "BMP": lambda: encoded(quarters(), "BMP"),
    "HEIC": heic,
    "a bomb": lambda: png_of(60_000, 60_000),
    "51 megapixels": lambda: png_of(10_200, 5_000),
    "text": lambda: b"<svg/>",
    "nothing": lambda: b"",
    "half a JPEG": lambda: normal_jpeg()[:800],
    "half a PNG": lambda: encoded(quarters(), "PNG")[:60],
}


def difference(one: bytes, other: bytes) -> float:
    """How far two pictures of the same size are apart: 0 to 255."""
    pictures = [Image.open(BytesIO(data)).convert("RGB") for data in (one, other)]
    assert pictures[0].size == pictures[1].size
    return max(ImageStat.Stat(ImageChops.difference(*pictures)).mean)


@pytest.mark.parametrize("name", PICTURES)
def test_what_one_makes_of_a_picture_the_other_keeps(name: str) -> None:
    data = PICTURES[name]()
    try:
        servers: object = servers_normalize(data, quality=85).data
    except ImageRefused as refusal:
        servers = refusal.code
    try:
        ours: object = normalize(data).data
    except PictureRefused as refusal:
        ours = refusal.code

    assert _jpeg.is_normal_form(data) == servers_jpeg.is_normal_form(data)
    if isinstance(ours, bytes) and isinstance(servers, bytes):
        assert servers_normalize(ours, quality=85).data == ours  # so the hash is final
        assert normalize(servers).data == servers
        assert difference(ours, servers) < 4
    else:
        assert ours == servers


@pytest.mark.parametrize("place", range(0, len(normal_jpeg()), 97))
def test_both_see_the_same_in_a_damaged_jpeg(place: int) -> None:
    data = bytearray(normal_jpeg())
    data[place] ^= 0x55

    assert _jpeg.is_normal_form(bytes(data)) == servers_jpeg.is_normal_form(bytes(data))


def test_a_picture_in_normal_form_is_kept_byte_for_byte() -> None:
    assert normalize(normal_jpeg()).data == normal_jpeg()


def test_pillows_own_limit_stays_what_the_program_set() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(PictureRefused):
        normalize(png_of(60_000, 60_000))
    normalize(encoded(quarters(), "PNG"))

    assert before == Image.MAX_IMAGE_PIXELS


def test_without_simplejpeg_a_foreign_jpeg_is_encoded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell then whether the server would keep it."""
    import sys

    monkeypatch.setitem(sys.modules, "simplejpeg", None)

    made = normalize(normal_jpeg()).data

    assert made != normal_jpeg()
    assert servers_jpeg.frame_of_normal_markers(made).width == Image.open(BytesIO(normal_jpeg())).width
