"""What can be wrong with the bytes of a picture, and what can be wrong with us."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "too_large": "The file has more than 25 MB.",
    "too_many_pixels": "The picture has more than 64 megapixels, or more than 108 as JPEG or HEIC.",
    "unsupported_image": "The file is none of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC.",
    "broken_image": "The file begins like a picture, but can't be decoded.",
}


class ImageRefused(ValueError):
    """These bytes don't become a picture. ``code`` is a key of ``REASONS``; the text may say more than that does."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or REASONS[code])
        self.code = code


class NoMemory(MemoryError):
    """This machine has no memory for a picture of this size just now; the bytes may be good."""

    code = "over_capacity"
