"""Tidying brings a bad photo nearer to what it was, and leaves a good one as it is."""

from io import BytesIO
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from PIL import Image

import normalform
from studio.providers.base import Asked, Subject, Unusable
from studio.providers.builtin.label import Label
from studio.providers.builtin.tidy import tidied

PHOTOS = sorted((Path(__file__).parents[2] / "catalog/demo/photos").glob("*.jpg"))


def pixels(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.float64)


def nearness(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio, in dB."""
    return float(10 * np.log10(255**2 / np.mean((one - other) ** 2)))


def in_normal_form(picture: np.ndarray) -> bytes:
    return normalform.encode(Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8)), quality=90)


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    """The twenty of the demo at a third of their size: what is judged is colour and light."""
    made = []
    for path in PHOTOS:
        with Image.open(path) as picture:
            made.append(in_normal_form(np.asarray(picture.convert("RGB").reduce(2), dtype=np.float64)))
    return made


@pytest.mark.parametrize("warmth", [(1.12, 1.0, 0.8), (1.08, 1.0, 0.88), (1.2, 1.0, 0.75), (1.0, 1.0, 1.0)], ids=str)
def test_a_dark_and_warm_photo_comes_nearer_to_its_original(
    photos: list[bytes], warmth: tuple[float, float, float]
) -> None:
    gains = []
    for photo in photos:
        original = pixels(photo)
        bad = in_normal_form(255 * np.clip(0.8 * (original / 255) ** 1.7 * warmth, 0, 1))
        gains.append(nearness(pixels(tidied(bad)), original) - nearness(pixels(bad), original))

    assert len(gains) == 20
    assert min(gains) > 0
    assert median(gains) >= 5


def test_a_good_photo_stays_what_it_is(photos: list[bytes]) -> None:
    kept = [nearness(pixels(tidied(photo)), pixels(photo)) for photo in photos]

    assert sum(db >= 28 for db in kept) >= 17
    assert min(kept) >= 20


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 10, 10), (128, 128, 128)])
def test_a_plain_picture_is_no_error(colour: tuple[int, int, int]) -> None:
    made = tidied(in_normal_form(np.full((40, 60, 3), colour, dtype=np.float64)))

    assert normalform.is_normal_form(made)


def test_a_square_frame_is_the_middle_of_the_photo(photos: list[bytes]) -> None:
    with Image.open(BytesIO(tidied(photos[0], square=True))) as picture, Image.open(BytesIO(photos[0])) as original:
        assert picture.size == (min(original.size),) * 2


def test_what_is_no_photo_is_unusable() -> None:
    with pytest.raises(Unusable):
        Label().ask(Asked("", source=b"\xff\xd8 no photo", subject=Subject("x")), float("inf"))
