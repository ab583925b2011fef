"""The package ``normalform`` as this server uses it: what it refuses is raised as a `Refusal`."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import normalform
from normalform import Normal
from refusals import Refusal

logger = logging.getLogger(__name__)

# Of inputs for files; some systems don't count all of these formats among their images.
ACCEPT = ",".join(("image/*", *normalform.TYPES))

# Threads of this process that may have a picture in hand, of which one decodes. ``make run`` has a line before threads
# are taken (serving/turns.py); under another server the rest of the threads has to stay free for others.
hands = threading.BoundedSemaphore(4)
PATIENCE_SECONDS = 5.0


class PictureRefused(Refusal):
    """These bytes don't become a picture; ``reason`` is what the decoder says of them."""

    answers: ClassVar[Mapping[str, tuple[int, Promise]]] = {
        "too_large": (413, _("The file has more than 25 MB.")),
        "too_many_pixels": (413, _("The picture has more than 64 megapixels, or more than 108 as JPEG or HEIC.")),
        "unsupported_image": (415, _("The file is none of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC.")),
        "broken_image": (422, _("The file begins like a picture, but can't be decoded.")),
    }

    def __init__(self, code: str, reason: str = "") -> None:
        self.status, detail = self.answers[code]
        self.code, self.reason = code, reason or normalform.REASONS[code]
        super().__init__(detail)


class OverCapacity(Refusal):
    status, code, retry_after = 503, "over_capacity", 10
    detail = _("There is no memory for this picture just now; try again.")


@contextmanager
def refusing() -> Iterator[None]:
    if not hands.acquire(timeout=PATIENCE_SECONDS):
        raise OverCapacity
    try:
        yield
    except normalform.ImageRefused as refused:
        raise PictureRefused(refused.code, str(refused)) from refused
    except normalform.NoMemory as error:
        logger.warning("%s", error)
        raise OverCapacity from error
    finally:
        hands.release()


@refusing()
def normalize(data: bytes, *, quality: int) -> Normal:
    """``data`` itself when it is in normal form, else the picture in it, made so.

    Raises ``PictureRefused`` and ``OverCapacity``.
    """
    return normalform.normalize(data, quality=quality)


@refusing()
def derive(data: bytes, *, width: int, quality: int, format: str) -> bytes:
    """A narrower copy of a picture in normal form, as ``jpeg`` or ``webp``. Raises as `normalize` does."""
    return normalform.derive(data, width=width, quality=quality, format=format)
