"""TIFF and PNG of all kinds are read right, or refused; never read wrong.

Bits × channels × planes × compression × byte order × strips or tiles × predictor, and what is taken is compared with
the colours that were written, and with what libvips says of the same file where libvips is right.
"""

from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from normalform import ImageRefused, normalize
from tests.images.small import PATCHES, SIDE, by_libvips

Array = np.ndarray[Any, np.dtype[Any]]
CLEAR = (128, 128, 128)  # the patch that is transparent where there is alpha
KINDS = ["grey", "grey+alpha", "RGB", "RGB+alpha", "inks", "white is zero"]
DEPTHS = [1, 4, 8, 12, 16, 32, "float"]
COMPRESSIONS = [None, "zlib"]


def written(kind: str, depth: int | str) -> Array:
    """The patches one beside the other: height × width × channels, over the whole range of their depth."""
    columns = []
    for r, g, b in PATCHES:
        opaque = 0 if (r, g, b) == CLEAR else 255
        channels = {
            "grey": [r],
            "grey+alpha": [r, opaque],
            "RGB": [r, g, b],
            "RGB+alpha": [r, g, b, opaque],
            "inks": [255 - r, 255 - g, 255 - b, 0],
            "white is zero": [255 - r],
        }[kind]
        columns.append(np.tile(np.array(channels) / 255, (2 * SIDE, SIDE, 1)))
    shares = np.concatenate(columns, axis=1)
    if isinstance(depth, str):
        return shares.astype(np.float32)
    values = np.round(shares * ((1 << depth) - 1))
    return values.astype(np.uint8 if depth <= 8 else np.uint16 if depth <= 16 else np.uint32)


def expected(kind: str) -> list[tuple[int, ...]]:
    if kind in ("RGB", "inks"):
        return [*PATCHES]
    white = (255, 255, 255)
    if kind == "RGB+alpha":
        return [white if patch == CLEAR else patch for patch in PATCHES]
    return [white if patch == CLEAR and kind == "grey+alpha" else (patch[0],) * 3 for patch in PATCHES]


def seen(image: Image.Image) -> list[tuple[int, ...]]:
    colours = image.convert("RGB")
    return [colours.getpixel((SIDE * at + SIDE // 2, SIDE)) for at in range(len(PATCHES))]  # type: ignore[misc]


def by_the_peer(data: bytes) -> list[tuple[int, ...]]:
    image = pyvips.Image.new_from_buffer(data, "", fail_on="error").colourspace("srgb")
    return seen(Image.fromarray((image.flatten(background=255) if image.hasalpha() else image).cast("uchar").numpy()))


def near(one: list[tuple[int, ...]], other: list[tuple[int, ...]]) -> bool:
    return int(np.abs(np.array(one, int) - np.array(other, int)).max()) <= 6


def tiff(kind: str, depth: int | str, planes: bool, compression: str | None, order: Any, more: dict[str, Any]) -> bytes:
    array = written(kind, depth)
    photometric = {"inks": "separated", "white is zero": "miniswhite"}.get(
        kind, "rgb" if "RGB" in kind else "minisblack"
    )
    if array.shape[2] > 1:
        more = more | {"planarconfig": "separate" if planes else "contig"}
    if "alpha" in kind:
        more = more | {"extrasamples": ["unassalpha"]}
    if depth in (1, 4, 12):
        more = more | {"bitspersample": depth}
    array = np.moveaxis(array, 2, 0) if planes else array[..., 0] if array.shape[2] == 1 else array
    file = BytesIO()
    tifffile.imwrite(file, array, byteorder=order, photometric=photometric, compression=compression, **more)
    return file.getvalue()


LAYOUTS: list[dict[str, Any]] = [{"rowsperstrip": 7}, {"tile": (16, 16)}, {"rowsperstrip": 7, "predictor": True}]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tiff_of_any_kind_is_read_right_or_refused(kind: str) -> None:
    taken, wrong = 0, []
    for depth, planes, compression, order, more in product(DEPTHS, (False, True), COMPRESSIONS, "<>", LAYOUTS):
        if planes and written(kind, 8).shape[2] == 1:
            continue
        case = (depth, planes, compression, order, more)
        try:
            data = tiff(kind, depth, planes, compression, order, more)
        except (ValueError, ImportError, KeyError, NotImplementedError, TypeError, RuntimeError):
            continue  # tifffile doesn't write it
        try:
            made = normalize(data, quality=95).data
        except ImageRefused:
            continue
        taken += 1
        if not near(seen(Image.open(BytesIO(made))), expected(kind)):
            wrong.append(case)
    assert not wrong, wrong
    assert taken >= {"grey+alpha": 12}.get(kind, 18)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", ["grey", "grey+alpha", "RGB", "RGB+alpha"])
def test_what_libvips_writes_is_read_as_libvips_reads_it(kind: str, depth: int, suffix: str) -> None:
    options: list[dict[str, Any]] = [{"interlace": True}, {}]
    if suffix == ".tif":
        names = ("none", "lzw", "deflate", "packbits")
        options = [
            {"compression": name, "predictor": p, "tile": t}
            for name in names
            for p in ("none", "horizontal")
            for t in (False, True)
        ]
    for option in options:
        data = by_libvips(written(kind, depth), suffix, **option)

        found = seen(Image.open(BytesIO(normalize(data, quality=95).data)))

        assert near(found, by_the_peer(data)), option
        assert near(found, expected(kind)), option
