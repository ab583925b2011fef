"""The normal form in which RedCoral keeps pictures, and how any picture becomes one.

Server and terminals run this same code: a photo that was normalised offline has the hash that the server gives it.
Pure: bytes in, bytes out; no network, no files, no settings.
"""

from normalform.errors import REASONS, ImageRefused, NoMemory
from normalform.failures import MAX_PHOTO_PIXELS, MAX_PIXELS
from normalform.formats import CONTENT_TYPES, FORMATS, TYPES, content_type_of
from normalform.jpeg import LONGEST_EDGE, Frame, is_normal_form, normal_frame
from normalform.normalizer import MAX_BYTES, QUALITY, Normal, derive, encode, keep_buffers, normalize

__all__ = [
    "CONTENT_TYPES", "FORMATS", "LONGEST_EDGE", "MAX_BYTES", "MAX_PHOTO_PIXELS", "MAX_PIXELS", "QUALITY", "REASONS",
    "TYPES", "Frame", "ImageRefused", "NoMemory", "Normal", "content_type_of", "derive", "encode", "is_normal_form",
    "keep_buffers", "normal_frame", "normalize",
]  # fmt: skip
