"""Files as they came from the field. The name of each says what has to become of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from normalform import ImageRefused
from tests.normalform.test_normalize import close, normalized
from tests.parts import ROOT

FILES = sorted(path for path in (ROOT / "tests/field").iterdir() if path.suffix not in (".csv", ".xlsx"))
PATCHES = [(200, 100, 50), (128, 128, 128), (40, 180, 90), (255, 255, 255)]
PATCH = 64  # pixels that each of four colours is wide


def colour(picture: Any, patch: int) -> tuple[int, ...]:
    found: tuple[int, ...] = picture.convert("RGB").getpixel((patch * PATCH + PATCH // 2, picture.height // 2))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_came_from_the_field_is_taken_as_its_name_says(path: Path) -> None:
    expected = path.stem.partition("__expect-")[2]
    if expected.startswith("422"):
        with pytest.raises(ImageRefused) as refused:
            normalized(path.read_bytes())
        assert refused.value.code == "broken_image"
        return
    picture = normalized(path.read_bytes())
    if expected.startswith("201"):
        assert picture.size == ((320, 200) if "320x200" in expected else (1600, 1205))
    elif expected == "right-half-white":
        assert [picture.getpixel((x, 32)) for x in (16, 48)] == [117, 255]
    elif expected == "first-patch-at-least-225":
        assert min(colour(picture, 0)) >= 225
    elif expected == "patches-as-rgb":
        assert all(close(colour(picture, at), patch, 3) for at, patch in enumerate(PATCHES))
    else:
        wanted = [tuple(map(int, found.split("."))) for found in re.findall(r"\d+\.\d+\.\d+", expected)]
        assert wanted, "a name that says nothing"
        assert all(close(colour(picture, at), patch, 3) for at, patch in enumerate(wanted))
