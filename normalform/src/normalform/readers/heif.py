"""AVIF and HEIC: boxes tell size, colours and turns; libavif and libheif decode."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from normalform.errors import ImageRefused
from normalform.failures import MAX_PHOTO_PIXELS
from normalform.picture import Decoded, check_size
from normalform.readers.boxes import Still, still_of
from normalform.samples import loaded, of_array, unmultiplied

ROOM_FOR_A_COPY = 20_000_000  # pixels; Pillow makes one, of four bytes each


def avif_memory(still: Still) -> float:
    """Bytes that decoding takes at most, as measured: the decoder's frames, libheif's planes and what is between."""
    base, alpha, full = (20.0, 3.0, 6.0) if still.depth > 8 else (16.0, 2.0, 3.3)
    bytes_each = base + alpha * still.has_alpha + full * still.is_full
    return still.width * still.height * bytes_each


def heic_memory(still: Still) -> float:
    """The same: planes, twice where they don't come in tiles, and the colours side by side."""
    planes = (3.0 if still.is_full else 1.5) + still.has_alpha
    bytes_each = (1.5 if still.is_grid else 2.0) * planes + 3 + still.has_alpha
    return still.width * still.height * bytes_each * (2 if still.depth > 8 else 1)


def read_avif(data: bytes) -> Decoded:
    """libvips has turned the picture already. It puts 10 bits into the upper ones of 16."""
    still = still_of(data)
    check_size(still.width, still.height, memory=avif_memory(still))
    pixels = loaded("heif", data)
    check_size(pixels.width, pixels.height)
    if still.is_premultiplied and pixels.bands == 4:
        pixels = unmultiplied(pixels)
    if pixels.format == "uchar":
        return Decoded(pixels, still.colours)
    return Decoded(pixels, still.colours, scale=65535 / (65536 - (1 << 16 - still.depth)))


def pillow_heif() -> Any:
    try:
        import pillow_heif  # 26 MB of libraries that few ever need
    except ImportError:
        raise ImageRefused("unsupported_image", "HEIC needs pillow-heif, which isn't installed here.") from None
    return pillow_heif


def register() -> None:
    pillow_heif().register_heif_opener()


def read_heic(data: bytes) -> Decoded:
    """libheif has turned the picture already."""
    heif = pillow_heif()
    still = still_of(data)
    check_size(still.width, still.height, memory=heic_memory(still), most=MAX_PHOTO_PIXELS)
    file = heif.open_heif(BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=True)
    check_size(*file.size, most=MAX_PHOTO_PIXELS)
    is_multiplied = file.premultiplied_alpha
    array = np.asarray(file)[:, : file.size[0]]
    if is_multiplied:
        return Decoded(unmultiplied(of_array(array)), still.colours)
    is_small = array.dtype == np.uint8 and file.size[0] * file.size[1] < ROOM_FOR_A_COPY
    return Decoded(Image.fromarray(array) if is_small else of_array(array), still.colours)
