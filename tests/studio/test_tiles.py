"""A label has the whole name, in letters that are there: no empty box, no stray mark, no half name."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from normalform import is_normal_form
from studio.providers.base import Subject
from studio.providers.builtin import lettering
from studio.providers.builtin.tile import PALETTE, colour_of, initials_of, luminance, tile
from tests.studio.names import EVERY, NAMES

SHEET = Path(__file__).with_name("tiles.png")
SMALL = 96  # pixels of a tile on the golden sheet


def sheet() -> Image.Image:
    """All hundred, ten in a row. `python -m tests.studio.test_tiles` writes it anew."""
    made = Image.new("RGB", (10 * SMALL, 10 * SMALL))
    for at, name in enumerate(EVERY):
        with Image.open(BytesIO(tile(Subject(name, "Menu", PALETTE[at % len(PALETTE)])))) as one:
            small = one.resize((SMALL, SMALL), Image.Resampling.BOX)
        made.paste(small, (at % 10 * SMALL, at // 10 * SMALL))
    return made


def test_the_labels_look_as_somebody_saw_them() -> None:
    with Image.open(SHEET) as golden:
        seen = np.asarray(golden.convert("RGB"), dtype=np.int16)

    difference = np.abs(np.asarray(sheet(), dtype=np.int16) - seen)

    assert len(EVERY) == len(set(EVERY)) == 100
    assert difference.mean() < 0.5, "a level of 255; another build of FreeType or libjpeg differs by less"
    assert (difference.max(axis=2) > 40).sum() == 0


@pytest.mark.parametrize("language", NAMES)
def test_every_letter_of_every_name_is_there(language: str) -> None:
    for name in NAMES[language]:
        assert lettering.written(name) == name
        assert all(lettering.file_of(letter) for letter in name)


@pytest.mark.parametrize(
    ("name", "stands"),
    [
        ("🍕 Pizza ❤️", "Pizza"),
        ("Pizza\u200d\u202e Margherita\ufe0f", "Pizza Margherita"),
        ("Pho\u031b\u0309 bo\u0300", "Phở bò"),  # marks that become letters
        ("ข้าวผัดกุ้ง", ""),
        ("ข้าวผัด Fried rice", ""),  # never half a name
        ("मसाला डोसा", ""),
        ("x\u0489", ""),  # a mark that no letter has taken
        ("🍕🍕", ""),
        ("\ue000\U000fffff\ufffe", ""),
        ("", ""),
    ],
)
def test_what_no_font_has_is_left_out(name: str, stands: str) -> None:
    assert lettering.written(name) == stands


def test_without_a_name_an_icon_stands_there() -> None:
    with_icon = tile(Subject("ข้าวผัดกุ้ง", colour="#2a6f97"))

    assert with_icon == tile(Subject("मसाला डोसा", colour="#2a6f97"))
    assert with_icon != tile(Subject("Rice", colour="#2a6f97"))


@pytest.mark.parametrize(
    "name", ["Soup", "Schweinebraten mit Knödeln und Krautsalat", "x" * 200, "天ぷらそば大盛り定食、味噌汁付き"]
)
def test_a_name_stands_on_two_lines_within_the_picture(name: str) -> None:
    lines = lettering.fitted(name, room=864, largest=92, smallest=40)

    assert 1 <= len(lines) <= 2
    assert all(lettering.width(line.text, line.size) <= 864 for line in lines)
    whole = "".join(line.text for line in lines).replace(" ", "")
    assert whole == name.replace(" ", "") or whole.endswith("…")


def test_the_same_product_has_the_same_bytes_in_normal_form() -> None:
    subject = Subject("Crème brûlée", "Desserts", "#a93c66")

    assert tile(subject) == tile(subject)
    assert is_normal_form(tile(subject))


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#f2c14e", "#27ae60", "#7f7f7f", "#ff0000"])
def test_words_stand_out_from_every_colour(colour: str) -> None:
    with Image.open(BytesIO(tile(Subject("M", colour=colour)))) as picture:
        below = np.asarray(picture)[880:960, 470:554].reshape(-1, 3)
    light = [luminance(tuple(int(v) for v in pixel)) for pixel in below]

    assert (max(light) + 0.05) / (min(light) + 0.05) >= 4.5


def test_a_colour_that_is_none_is_chosen_by_the_category() -> None:
    assert colour_of(Subject("Soup", "Soups", "red")) == colour_of(Subject("Broth", "Soups"))


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Fish & chips", "FC"),
        ("espresso", "E"),
        ("宫保鸡丁", "宫保"),
        ("Sour-cream dip", "SC"),
        ("7UP", "7"),
        ("…", ""),
    ],
)
def test_initials(name: str, initials: str) -> None:
    assert initials_of(name) == initials


if __name__ == "__main__":
    sheet().save(SHEET, optimize=True)
