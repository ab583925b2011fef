"""What other rooms ask of images."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from clocks.rows import SKEW
from images.blobs import HASH
from images.models import Image
from images.normalize import normalize
from images.space import need_room
from images.store import store

# An answer of ``missing`` holds for so long at least; a fresher stamp isn't written again, so that a herd of
# terminals that starts doesn't rewrite every row.
FRESH = timedelta(hours=1)


class HashUnknown(LookupError):
    """No stored image has this hash."""


@dataclass(frozen=True)
class Added:
    """``created`` is False when the image was stored already."""

    image: Image
    created: bool


def add_image(*, data: bytes, is_stored: bool = False) -> Added:
    """Normalises a picture and stores the image under the hash of its bytes.

    ``is_stored``: the picture lies in our storage already, so it is taken also where there is little room for more.
    Raises `PictureRefused` for bytes that become no image; `OverCapacity` and `StorageUnavailable` for what may go well
    later. Not inside a transaction (RuntimeError): the row is committed before the bytes are written, and after.
    """
    if not is_stored:
        need_room()
    image, created = store(normalize(data, quality=settings.IMAGE_QUALITY))
    return Added(image, created)


def hold_image(*, hash: str) -> None:
    """Holds a stored image until the end of the transaction and keeps it from being swept. Raises ``HashUnknown``."""
    if not hold_images(hashes={hash}):
        raise HashUnknown(hash)


def hold_images(*, hashes: Collection[str]) -> set[str]:
    """Holds the stored ones of ``hashes`` as ``hold_image`` does, and says which they are. One statement if all are."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a reference is taken inside the transaction that writes it")
    names = {hash for hash in hashes if HASH.match(hash)}
    # Locked in one order, so that two writers never wait for each other in a circle.
    rows = Image.objects.filter(pk__in=names).order_by("pk").select_for_update(no_key=True)
    # One statement locks, checks and stamps.
    held = Image.objects.usable().filter(pk__in=rows.values("pk") if len(names) > 1 else names)
    now = timezone.now()
    if held.update(wanted_at=now, unreferenced_since=None) == len(names):
        return names
    return set(Image.objects.filter(pk__in=names, wanted_at=now).values_list("pk", flat=True))


def image_to_refer_to(*, hash: str) -> Image:
    """The stored image, held as `hold_image` does. Raises ``HashUnknown``."""
    hold_image(hash=hash)
    return Image.objects.get(pk=hash)


def missing_images(*, hashes: list[str]) -> list[str]:
    """Those of ``hashes`` that are not stored, once each, in their order; no sweep takes the others for a while.

    Images whose bytes are damaged count as not stored: whoever sends them again repairs them.
    """
    wanted = list(dict.fromkeys(hashes))
    now = timezone.now()
    stored = Image.objects.usable().filter(pk__in=wanted)
    kept = set(stored.filter(wanted_at__gt=now - FRESH, wanted_at__lte=now + SKEW).values_list("pk", flat=True))
    if left := [hash for hash in wanted if hash not in kept]:
        kept |= want_longer(left, now)
    return [hash for hash in wanted if hash not in kept]


def want_longer(hashes: list[str], now: datetime) -> set[str]:
    """Stamps those of ``hashes`` that are stored, and says which."""
    stored = Image.objects.usable().filter(pk__in=hashes)
    if not stored.exists():
        return set()  # the usual answer for new images, without taking SQLite's write lock
    with transaction.atomic():
        # In one order, so that two such requests never wait for each other in a circle.
        found = set(stored.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        Image.objects.filter(pk__in=found).update(wanted_at=now)
    return found


def doubt(hash: str) -> None:
    """Has the next scrub look at this image first, since its bytes were found missing or wrong."""
    Image.objects.filter(pk=hash, status=Image.Status.STORED).exclude(checked_at=None).update(checked_at=None)


def image_url(hash: str) -> str:
    """Where the server serves it."""
    return f"/api/image/{hash}.jpg"
