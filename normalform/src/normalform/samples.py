"""Samples of a picture as its decoder gives them: made smaller, and told apart by their depth. Pure.

8 bits are an image of Pillow. What Pillow doesn't read, or has no mode for (colours of 16 bits), is an image of
libvips until it is small: libvips reads, shrinks and forgets row by row. Then it is an array of 16 bits: height × width
× channels, or height × width for grey. An even number of channels: the last one is alpha.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from normalform.errors import ImageRefused

Deep = NDArray[np.uint16]
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def libvips() -> Any:
    """pyvips, 18 MB of libraries; a terminal may lack it."""
    try:
        import pyvips
    except ImportError:
        raise ImageRefused("unsupported_image", "This picture needs pyvips, which isn't installed here.") from None
    pyvips.cache_set_max(0)  # each picture comes once
    pyvips.concurrency_set(1)
    return pyvips


def loaded(format: str, data: bytes) -> Any:
    """What libvips makes of a file of the format "heif", "png", "tiff" or "webp", of which it reads the header now."""
    return getattr(libvips().Image, f"{format}load_buffer")(data, access="sequential", fail_on="error")


def rows_held(width: int, bytes_each: float, edge: int) -> float:
    """Bytes that libvips holds on the way to ``edge``: as many rows as become one, and never less than some."""
    return width * bytes_each * max(64, width / edge)


def of_array(array: NDArray[Any]) -> Any:
    """An image of libvips that shares the array's memory."""
    return libvips().Image.new_from_array(
        array if array.ndim == 3 else array[..., np.newaxis], interpretation="multiband"
    )


def fit(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """``size`` shrunk, never enlarged, until its longest side is at most ``edge``."""
    longest = max(size)
    if longest <= edge:
        return size
    return max(1, round(size[0] * edge / longest)), max(1, round(size[1] * edge / longest))


def resized(pixels: Any, edge: int, method: Image.Resampling) -> Image.Image | Deep:
    """The picture with its longest side at most ``edge``; colours count as much as they are opaque."""
    if isinstance(pixels, Image.Image):
        return pixels.resize(fit(pixels.size, edge), method, reducing_gap=3.0)
    size = fit((pixels.width, pixels.height), edge)
    if size != (pixels.width, pixels.height):
        pixels = shrunk(pixels, size)
    array: Deep = pixels.numpy()
    if array.dtype == np.uint16:
        return array
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def shrunk(pixels: Any, size: tuple[int, int]) -> Any:
    across, down = size[0] / pixels.width, size[1] / pixels.height
    if pixels.bands % 2:
        return pixels.resize(across, vscale=down, kernel="lanczos3")
    weighed = pixels.premultiply(max_alpha=top_of(pixels)).resize(across, vscale=down, kernel="lanczos3")
    return (weighed.unpremultiply(max_alpha=top_of(pixels)) + 0.5).cast(pixels.format)


def unmultiplied(pixels: Any) -> Any:
    """An image of libvips whose colours were multiplied by its alpha, as they were before."""
    return (pixels.unpremultiply(max_alpha=top_of(pixels)) + 0.5).cast(pixels.format)


def top_of(pixels: Any) -> int:
    return 65535 if pixels.format == "ushort" else 255


def eight_bits(deep: Deep) -> Image.Image:
    return Image.fromarray(((deep.astype(np.uint32) + 128) // 257).astype(np.uint8))
