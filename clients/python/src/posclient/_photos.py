"""How a photo comes to the server, request by request (docs/uploads.md). Every one of them may be repeated."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from threading import Event
from typing import Any, TypeVar

from ._answers import reading
from ._bridge import Bridge
from ._errors import Refused, ServerUnavailable

T = TypeVar("T")

TRIES = 5
PAUSE = 0.5  # seconds before the second try; doubled each time
LONGEST_PAUSE = 30.0  # seconds, whatever the server asks for
FRESH_STARTS = 3  # an address that expired, bytes that were lost: register anew, so often
MATCHED_AT_ONCE = 500  # names in one question

# What the name of a file promises → the content type that is declared.
TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the server is told of a photo first. The same ``id`` always means the same photo.

    ``size`` in bytes; ``sha256`` of these bytes; ``product``: the id of the product that is to show it, if any.
    """

    id: str
    filename: str
    content_type: str
    size: int
    sha256: str
    product: str | None


def persistently(ask: Callable[[], T], stopping: Event | None = None) -> T:
    """What ``ask`` answers; it is tried five times while the server can't be had, until ``stopping``.

    Raises the last ServerUnavailable, and whatever else ``ask`` raises.
    """
    stopping = stopping or Event()
    for attempt in range(TRIES - 1):
        try:
            return ask()
        except ServerUnavailable as error:
            pause = PAUSE * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - spreads a herd
            if stopping.wait(min(LONGEST_PAUSE, pause if error.retry_after is None else error.retry_after)):
                raise
    return ask()


def deliver(bridge: Bridge, album: str, photo: Declaration, data: Callable[[], bytes]) -> None:
    """Registers the photo, sends its bytes when the server wants them, and has it processed.

    ``data`` gives the bytes; what it raises is passed on. Raises ServerUnavailable, and Refused with the codes
    ``not_found`` (the album, or the photo meanwhile), ``album_full``, ``conflict`` (the id belongs to another photo).
    """
    for _start in range(FRESH_STARTS):
        with reading("a registration"):
            target = bridge.post_json(f"/api/albums/{album}/photos", asdict(photo))["upload"]
        try:
            if target is not None:
                put(bridge, target, data())
            bridge.post_json(f"/api/photos/{photo.id}/process")
        except Refused as refused:
            if refused.code not in ("upload_expired", "not_uploaded"):
                raise
            if target is None:  # it had failed, and its original is gone
                forget(bridge, photo.id)
        else:
            return
    raise ServerUnavailable("the server doesn't get along with this upload")


def put(bridge: Bridge, target: Mapping[str, Any], data: bytes) -> None:
    """Sends the bytes to where the server or its bucket takes them; done as well when they are there already.

    A refusal is about this address only: never NotEnrolled or NotAllowed.
    """
    try:
        with reading("an upload target"):
            bridge.request(target["method"], target["url"], content=data, headers=target["headers"], anonymous=True)
    except Refused as refused:
        if refused.status == 412:
            return  # an earlier try arrived
        # A bucket answers in words of its own when an address has expired.
        code = "upload_expired" if (refused.status, refused.code) == (403, "unexpected_answer") else refused.code
        raise Refused(refused.status, code, refused.detail) from refused


def state(bridge: Bridge, id: str) -> Mapping[str, Any]:
    """The photo as the server has it: ``status`` and what belongs to it. Raises Refused with 404 for an unknown id."""
    found: Mapping[str, Any] = bridge.get_json(f"/api/photos/{id}")
    return found


def forget(bridge: Bridge, id: str) -> None:
    """The server forgets the photo and its original, never an image; also when it doesn't know it."""
    bridge.request("DELETE", f"/api/photos/{id}")


def matching_products(bridge: Bridge, filenames: Sequence[str], ways: Sequence[str]) -> list[str | None]:
    """The id of the product that each file is for, told by its name. None: no product fits, or several do.

    ``ways``: of ``sku``, ``barcode``, ``name``, those by which a product may be found.
    """
    found: list[str | None] = []
    for start in range(0, len(filenames), MATCHED_AT_ONCE):
        some = filenames[start : start + MATCHED_AT_ONCE]
        question = {"filenames": some, "by": ways}
        answer = persistently(partial(bridge.post_json, "/api/photos/match", question))
        with reading("an answer about products"):
            products = [match["product"] and str(match["product"]["id"]) for match in answer["matches"]]
            found += [product for _name, product in zip(some, products, strict=True)]
    return found
