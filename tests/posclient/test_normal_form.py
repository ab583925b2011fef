"""The terminal normalises by the server's own code: a photo taken offline has the hash that the server gives it."""

import sys
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import images.normalize
import normalform
from normalform.jpeg import frame_of_normal_markers
from posclient import PictureRefused, Terminal
from posclient._normalize import normalize
from tests.images.pictures import encoded, normal_jpeg, photograph, png_of, quarters, with_segment
from tests.images.profiles import adobe_rgb
from tests.posclient.conftest import Shop

pytestmark = pytest.mark.any_database


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
    "65 megapixels": lambda: png_of(13_000, 5_000),
    "text": lambda: b"<svg/>",
    "nothing": lambda: b"",
    "half a JPEG": lambda: normal_jpeg()[:800],
    "half a PNG": lambda: encoded(quarters(), "PNG")[:60],
}


def outcome(normalizer: Callable[[bytes], object], data: bytes) -> object:
    try:
        return normalizer(data)
    except (PictureRefused, images.normalize.PictureRefused) as refused:
        return refused.code


@pytest.mark.parametrize("name", PICTURES)
def test_terminal_and_server_make_the_same_of_a_picture(name: str) -> None:
    data = PICTURES[name]()

    ours = outcome(normalize, data)
    servers = outcome(lambda data: images.normalize.normalize(data, quality=85).data, data)

    assert ours == servers
    if isinstance(ours, bytes):
        assert images.normalize.normalize(ours, quality=50).data == ours  # so the hash is final


def test_terminal_and_server_call_the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    made = normalform.Normal(b"the one result", 1, 1, "")
    monkeypatch.setattr(normalform, "normalize", lambda data, **options: made)

    assert images.normalize.normalize(b"a picture", quality=85) is made
    assert normalize(b"a picture") == made.data


@pytest.mark.parametrize("name", ["large", "orientation 6", "another profile", "transparent PNG", "HEIC"])
def test_a_photo_taken_offline_has_the_hash_that_the_server_gives_it(
    shop: Shop, terminal: Terminal, tmp_path: Path, name: str
) -> None:
    photo = tmp_path / "photo"
    photo.write_bytes(PICTURES[name]())

    hash = terminal.outbox.add_image(photo)
    terminals = terminal.images.get_image_path(hash).read_bytes()
    sent = shop.manager.post("/api/images", content=photo.read_bytes(), headers={"Content-Type": "image/jpeg"})

    assert sent.raise_for_status().json()["hash"] == hash == sha256(terminals).hexdigest()
    assert terminal.outbox.sync_image_uploads()["already_there"] == 1


def test_a_picture_in_normal_form_is_kept_byte_for_byte() -> None:
    assert normalize(normal_jpeg()) == normal_jpeg()


def test_pillows_own_limit_stays_what_the_program_set() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(PictureRefused):
        normalize(png_of(60_000, 60_000))
    normalize(encoded(quarters(), "PNG"))

    assert before == Image.MAX_IMAGE_PIXELS


def test_a_lack_of_memory_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes) -> None:
        raise normalform.NoMemory("There is no memory for this picture just now.")

    monkeypatch.setattr(normalform, "normalize", fail)

    with pytest.raises(PictureRefused) as refused:
        normalize(normal_jpeg())
    assert refused.value.code == "over_capacity"


def test_without_simplejpeg_a_foreign_jpeg_is_encoded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell then whether the server would keep it."""
    monkeypatch.setitem(sys.modules, "simplejpeg", None)

    made = normalize(normal_jpeg())

    assert made != normal_jpeg()
    assert frame_of_normal_markers(made).width == Image.open(BytesIO(normal_jpeg())).width
    monkeypatch.undo()
    assert images.normalize.normalize(made, quality=50).data == made


def test_without_pillow_heif_a_heic_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    data = heic()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)

    with pytest.raises(PictureRefused, match="pillow-heif") as refused:
        normalize(data)
    assert refused.value.code == "unsupported_image"
