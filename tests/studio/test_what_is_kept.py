"""An answer's bytes are kept when they are a JPEG, PNG or WebP of one frame, and nothing else."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageOps

from images.normalize import PictureRefused
from studio import pipeline, storing
from studio.models import Call, Held, Item

from .conftest import Ask
from .provider import Running

FRAME = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
FRAMES = {"save_all": True, "append_images": [ImageOps.flip(FRAME)], "duration": 100}


def picture(format: str, **more: Any) -> bytes:
    file = BytesIO()
    FRAME.save(file, format, **more)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("MPO", save_all=True, append_images=[FRAME]), "image/jpeg"),  # of a camera with two lenses
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
        (picture("WEBP", lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"), "image/webp"),
    ],
    ids=["jpeg", "mpo", "png", "webp", "webp with more"],
)
def test_its_type_is_judged_by_its_content(data: bytes, content_type: str) -> None:
    looked = storing.look(data)
    assert (looked.content_type, looked.size, looked.normal.width) == (content_type, len(data), 64)


@pytest.mark.parametrize(
    "data",
    [
        picture("GIF"), picture("GIF", **FRAMES), picture("PNG", **FRAMES), picture("WEBP", **FRAMES), picture("TIFF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"RIFF\0\0\0\0WEBPVP8X",
        picture("JPEG")[:400], picture("PNG")[:20], b"\x89PNG\r\n\x1a\n\0\0\0\0",
    ],
    ids=[
        "gif", "animated gif", "animated png", "animated webp", "tiff", "svg", "nothing", "beginning of a webp",
        "half a jpeg", "beginning of a png", "less of a png",
    ],
)  # fmt: skip
def test_anything_else_is_not_kept(data: bytes) -> None:
    with pytest.raises((storing.NotKept, PictureRefused)):
        storing.look(data)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_moves_is_no_picture_and_was_paid_for(paid: Running, ask: Ask) -> None:
    item = ask("[animated]")
    pipeline.generate(item_id=item.pk)
    item = Item.objects.get(pk=item.pk)
    assert (item.status, item.error, item.error_detail) == ("failed", "no_picture", "The answer is an animation.")
    assert (Call.objects.get().status, paid.count()) == ("answered", 1)
    assert Held.objects.count() == 1, "for whoever wants to look"
