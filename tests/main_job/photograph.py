"""A photograph as a phone takes it: twelve megapixels, some noise, lying on its side with a note how to turn it."""

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 3000, 4000  # as a person sees it
ORIENTATION, TURN_CLOCKWISE = 0x0112, 6
GPS, LATITUDE_REF, LATITUDE = 0x8825, 1, 2


@cache
def scene() -> Image.Image:
    """A cup of coffee, upright: the photograph that scikit-image ships (CC0), cropped and enlarged."""
    package = find_spec("skimage")  # its file is enough; importing it takes seconds
    assert package is not None
    assert package.origin is not None
    with Image.open(Path(package.origin).parent / "data" / "coffee.png") as small:
        portrait = small.convert("RGB").crop((130, 0, 430, 400))
    return portrait.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


@cache
def photograph() -> bytes:
    """The scene as JPEG of several MB, turned on its side, with EXIF orientation and a place."""
    pixels = np.asarray(scene(), dtype=np.int16)
    noise = np.random.default_rng(seed=20).normal(0, 5, pixels.shape).astype(np.int16)
    taken = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_CLOCKWISE
    exif.get_ifd(GPS).update({LATITUDE_REF: "N", LATITUDE: (40.0, 25.0, 0.0)})
    file = BytesIO()
    taken.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures differ as a person sees them: 0 (not at all) to 255."""
    size = (60, 80)
    arrays = [np.asarray(image.convert("RGB").resize(size), dtype=np.int16) for image in (one, other)]
    return float(np.abs(arrays[0] - arrays[1]).mean())
