"""What becomes of an answer's bytes: two objects, and a product that shows the picture.

The bytes as they came (they carry the marks of where they are from) lie under a key of their own, which is in the row
before the PUT. The picture in normal form is an image like any other, so that thumbnails, terminals and products need
nothing new. A storage that fails costs time only: the bytes are held until they are stored.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from catalog.edits import Author, Way
from catalog.models import Product
from catalog.services import show_image
from images.blobs import StorageUnavailable, blobs
from images.normalize import normalize
from images.services import HashUnknown, hold_image
from images.store import store as store_image
from normalform import Normal

from .keys import MILLISECOND, key_of
from .models import Held, Item, Status, move

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)
PAUSES = 3  # 1, 4, 16 minutes, then hourly
HOURLY = timedelta(hours=1)
BEGINNINGS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class NotKept(ValueError):
    """Bytes of a form that isn't kept: only JPEG, PNG and WebP are, and no animation."""


@dataclass(frozen=True)
class Looked:
    """What was seen in an answer's bytes: their type by content, their digest, and the picture in normal form."""

    content_type: str
    sha256: str
    size: int
    normal: Normal


def bytes_of(item_id: UUID) -> bytes | None:
    """The answer that is held for an item."""
    held = Held.objects.filter(pk=item_id).values_list("data", flat=True).first()
    return None if held is None else bytes(held)


def look(data: bytes) -> Looked:
    """Decodes the picture within the limits of every other one. Raises PictureRefused, OverCapacity and NotKept."""
    content_type = next((kind for begin, kind in BEGINNINGS.items() if data.startswith(begin)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        content_type = "image/webp"
    if content_type is None:
        raise NotKept("The answer is none of JPEG, PNG and WebP.")
    if is_animated(data):
        raise NotKept("The answer is an animation.")
    normal = normalize(data, quality=settings.IMAGE_QUALITY)
    return Looked(content_type, sha256(data).hexdigest(), len(data), normal)


def is_animated(data: bytes) -> bool:
    """Whether a PNG or WebP says that it has more than one frame. A JPEG's further pictures are no animation."""
    if data.startswith(b"RIFF"):
        return data[12:16] == b"VP8X" and bool(int.from_bytes(data[20:21]) & 2)
    chunk = 8 if data.startswith(b"\x89PNG") else len(data)
    while (name := data[chunk + 4 : chunk + 8]) not in (b"IDAT", b""):  # the count of frames comes before the pixels
        if name == b"acTL":
            return int.from_bytes(data[chunk + 8 : chunk + 12]) > 1
        chunk += 12 + int.from_bytes(data[chunk : chunk + 4])
    return False


def store(item: Item, data: bytes, looked: Looked) -> str:
    """Both objects; the key of the first, which is in the row before. Raises StorageUnavailable."""
    key = free_key(item, looked)
    if Item.objects.filter(pk=item.pk, stored_at=None).update(key=key):  # else it is gone, or somebody else stored it
        blobs().put(key, data, content_type=looked.content_type, sha256=looked.sha256)
        store_image(looked.normal)
    return key


def free_key(item: Item, looked: Looked) -> str:
    """The key of these bytes. The same ones asked for in the same millisecond lie a millisecond later: each item has
    an object of its own, which goes with it."""
    created = item.created_at
    while True:
        key = str(key_of(user=item.owner_id, created=created, sha256=looked.sha256, content_type=looked.content_type))
        if not Item.objects.filter(key=key).exclude(pk=item.pk).exists():
            return key
        created += MILLISECOND


def finish(item: Item, looked: Looked, *, key: str, now: datetime) -> None:
    """The item is ready, and its product shows the picture: all or nothing.

    ``key`` is where this worker put the bytes: another one, with the answer to another call, may have named its own
    since. The late answer to a call that was given up still belongs to its item.
    """
    try:
        with transaction.atomic(durable=True):
            place = placing(item, looked, now=now)  # locks the product before the image
            hold_image(hash=hash_of(looked))
            stored = {"key": key, "image_id": hash_of(looked), "stored_at": now, "store_after": None}
            if not become_ready(item, now=now, **seen(looked), **place, **stored):
                raise Overtaken
            Held.objects.filter(pk=item.pk).delete()
    except (Overtaken, HashUnknown) as error:
        logger.warning("item not finished item=%s: %s", item.pk, type(error).__name__)
        return
    logger.info("item ready item=%s", item.pk)


class Overtaken(RuntimeError):
    """Another worker finished the item, or it is gone."""


@transaction.atomic(durable=True)
def ready_elsewhere(item: Item, *, now: datetime) -> None:
    """Its address can't be read just now: the item is ready by that alone."""
    become_ready(item, now=now, store_after=now + FIRST_PAUSE)


def become_ready(item: Item, *, now: datetime, **values: Any) -> bool:
    has_lease = item.lease is not None  # a pass that stores what is ready has none
    if has_lease and move(item.pk, Status.GENERATING, Status.READY, now=now, lease=item.lease, **values):
        return True
    if Item.objects.filter(pk=item.pk, error="outcome_unknown").exists():
        return move(item.pk, Status.FAILED, Status.READY, now=now, **values)
    # It was ready by its address, and is stored now.
    return bool(Item.objects.unstored().filter(pk=item.pk).update(**values))


def keep(item: Item, data: bytes, looked: Looked, *, now: datetime) -> None:
    """The storage failed: the item is ready by the bytes that we hold, or by its address; a later pass stores it."""
    with transaction.atomic(durable=True):
        if Item.objects.filter(pk=item.pk).exists():
            Held.objects.update_or_create(item_id=item.pk, defaults={"data": data})
            if not become_ready(item, now=now, store_after=now + FIRST_PAUSE, **seen(looked)):
                transaction.set_rollback(True)  # another worker stored it: nothing is held any more


def seen(looked: Looked) -> dict[str, Any]:
    return {
        "content_type": looked.content_type,
        "size": looked.size,
        "width": looked.normal.width,
        "height": looked.normal.height,
    }


def hash_of(looked: Looked) -> str:
    return sha256(looked.normal.data).hexdigest()


def placing(item: Item, looked: Looked, *, now: datetime) -> dict[str, Any]:
    """Puts the picture on the product if that still shows what it showed when it was asked for: the values to note."""
    wanted = Item.objects.filter(pk=item.pk, placed_at=None).filter(product_id__isnull=False).first()
    if wanted is None:
        return {}
    product = Product.objects.select_for_update(no_key=True).filter(pk=str(wanted.product_id)).first()
    if product is None or (product.image_id or "") != item.shown_before:
        return {}
    return put_on(product, hash_of(looked), wanted, now=now)


def put_on(product: Product, hash: str, item: Item, *, now: datetime) -> dict[str, Any]:
    """Lets the product, which is locked, show the image of ``item``; what that notes of it. Raises HashUnknown."""
    before = product.image_id
    show_image(product_id=product.pk, hash=hash, author=author_of(item))
    return {"product_id": product.pk, "placed_at": now, "replaced_id": before}


def author_of(item: Item) -> Author:
    return Author(Way.STUDIO, item.owner.get_username())


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts at storing: 1, 4, 16 minutes, then an hour."""
    return FIRST_PAUSE * 4**attempts if attempts < PAUSES else HOURLY


def drop(key: str | None) -> None:
    """Delete an object that no item names; a storage that fails is logged, and upkeep finds the rest."""
    if key:
        with suppress(StorageUnavailable):
            blobs().delete(key)
