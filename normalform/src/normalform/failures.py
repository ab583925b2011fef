"""Whatever decoders raise becomes ``ImageRefused`` or ``NoMemory``; nothing else of theirs gets through."""

import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageCms

from normalform.errors import ImageRefused, NoMemory

MAX_PIXELS = 64_000_000
# JPEG, which is decoded at a fraction, and HEIC: what phones of 108 megapixels make has 12032 × 9024 pixels.
MAX_PHOTO_PIXELS = 12032 * 9024
MOST_MEMORY = 900 * 1024 * 1024  # bytes; no picture within our limits takes more on its way

# What decoders raise for bytes that they can't make sense of. Not Exception: a time limit of the worker, say, isn't
# the picture's fault. Nor MemoryError: see `memory_failures`.
CONFUSIONS = (
    OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, SyntaxError, EOFError,
    RuntimeError, struct.error, zlib.error, ImageCms.PyCMSError,
)  # fmt: skip

NO_MEMORY = (
    "out of memory",
    "cannot allocate",
    "failed to allocate",
    "bad_alloc",
    "insufficient memory",
    "bytes failed",
)


def is_lack_of_memory(text: str) -> bool:
    """Whether a decoder reports so that there is too little memory; not that a file is above its own limits."""
    return any(sign in text for sign in NO_MEMORY) and "limit" not in text


@contextmanager
def decoder_failures() -> Iterator[None]:
    """Whatever a decoder stumbles over becomes a refusal."""
    try:
        yield
    except ImageRefused:
        raise
    except Image.DecompressionBombError as error:
        raise ImageRefused("too_many_pixels") from error
    except Exception as error:
        # pyvips is loaded only where it is needed, and its error is a plain Exception.
        if not isinstance(error, CONFUSIONS) and type(error).__module__ != "pyvips.error":
            raise
        if is_lack_of_memory(str(error).lower()):
            raise MemoryError from error
        raise ImageRefused("broken_image", str(error)[:200]) from error


@contextmanager
def memory_failures() -> Iterator[None]:
    """Lack of memory is the picture's fault only where there is enough for any picture within our limits."""
    try:
        yield
    except MemoryError as error:
        if not is_room_for(MOST_MEMORY):
            raise NoMemory("There is no memory for this picture just now.") from error
        raise ImageRefused("broken_image", "a file that wants more memory than any picture needs") from error


def is_room_for(size: int) -> bool:
    """Whether the machine would give so many bytes now; none is used."""
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        return False
    return True


@contextmanager
def pixel_limit() -> Iterator[None]:
    """Pillow refuses more than ``MAX_PHOTO_PIXELS`` by itself. Its limit belongs to the process: hold a lock.

    Pillow only warns of a picture above its own limit, and raises above twice that.
    """
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PHOTO_PIXELS // 2
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
