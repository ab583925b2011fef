"""A browser tells normal form from other JPEG files by the same rules as ``normalform``, and strips one to it."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from normalform import normalize
from normalform.jpeg import Malformed, decodes_strictly, frame_of_normal_markers
from tests.parts import ROOT, missing

PROGRAM = ROOT / "clients" / "browser" / "tests" / "outbox" / "jpegs_over_pipes.js"

Ask = Callable[[bytes], dict[str, Any]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Ask]:
    node = shutil.which("node")
    if node is None:
        missing("node")
    process = subprocess.Popen([str(node), str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answered = process.stdin, process.stdout

    def ask(data: bytes) -> dict[str, Any]:
        asked.write(base64.b64encode(data).decode() + "\n")
        asked.flush()
        answer: dict[str, Any] = json.loads(answered.readline())
        return answer

    yield ask
    asked.close()
    assert process.wait(timeout=60) == 0
    answered.close()


def jpeg(mode: str = "RGB", size: tuple[int, int] = (48, 32), **how: Any) -> bytes:
    pixels = Random(7).randbytes(size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands()))  # noqa: S311 - noise
    file = BytesIO()
    Image.frombytes(mode, size, pixels).save(file, "JPEG", **how)
    return file.getvalue()


@cache
def files() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    return {
        "plain": jpeg(),
        "progressive": jpeg(progressive=True),
        "grey": jpeg("L"),
        "four colours": jpeg("CMYK"),
        "restart markers": jpeg(restart_marker_blocks=2),
        "described": jpeg(exif=exif),
        "commented": jpeg(comment=b"<script>"),
        "with a profile": jpeg(icc_profile=b"x" * 200),
        "too wide": jpeg(size=(1601, 8)),
        "widest": jpeg(size=(1600, 8)),
        "with something behind": jpeg() + b"PK",
        "broken off": jpeg()[:-40],
        "no jpeg": b"\x89PNG\r\n",
        "nothing": b"",
    }


def frame(data: bytes) -> dict[str, int] | None:
    """What Python says of the same bytes."""
    try:
        found = frame_of_normal_markers(data)
    except Malformed:
        return None
    return {"width": found.width, "height": found.height, "components": found.components}


@pytest.mark.parametrize("name", files())
def test_both_tell_normal_form_from_other_files(browser: Ask, name: str) -> None:
    assert browser(files()[name])["frame"] == frame(files()[name])


@pytest.mark.parametrize(
    "name", ["plain", "progressive", "grey", "restart markers", "described", "commented", "with a profile"]
)
def test_what_is_stripped_is_in_normal_form_and_is_kept_by_the_server(browser: Ask, name: str) -> None:
    answer = browser(files()[name])
    stripped = base64.b64decode(answer["stripped"])
    assert (
        answer["strippedFrame"]
        == frame(stripped)
        == {"width": 48, "height": 32, "components": 1 if name == "grey" else 3}
    )
    assert decodes_strictly(stripped, frame_of_normal_markers(stripped))
    assert normalize(stripped).data == stripped
    with Image.open(BytesIO(stripped)) as one, Image.open(BytesIO(files()[name])) as other:
        assert one.tobytes() == other.convert(one.mode).tobytes()


@settings(max_examples=1500, deadline=None, database=None)
@given(
    name=some.sampled_from(["plain", "progressive", "grey", "described", "restart markers"]),
    seed=some.integers(0, 2**64),
)
def test_both_say_the_same_of_damaged_files(browser: Ask, name: str, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - a seed repeats it
    data = bytearray(files()[name])
    for _damage in range(chance.randint(1, 4)):
        at = chance.randrange(min(len(data), chance.choice((30, 200, 700, len(data)))))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at] = chance.choice((0xFF, 0x00, 0xD9, 0xC0, 0xDA))
            case 2:
                del data[at : at + chance.randint(1, 9)]
            case 3:
                data[at:at] = chance.randbytes(chance.randint(1, 9))
    assert browser(bytes(data))["frame"] == frame(bytes(data))
