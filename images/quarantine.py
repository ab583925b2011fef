"""What is wrong is set aside before it goes: the copy in quarantine is there before the original is deleted.

- ``quarantine/images/…``: images that no row names, under the key that they had; ``manage.py restore_images`` takes
  them back;
- ``quarantine/damaged/…``: bytes that were found under a hash that isn't their own, for whoever wants to know why;
- ``quarantine/originals/…``: bytes of photos that have no record (`uploads.upkeep`).

Upkeep deletes all of them after a month.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from images.blobs import Blob, BlobMissing, blobs, derived_keys, image_key

QUARANTINE = "quarantine/"
IMAGES, DAMAGED = f"{QUARANTINE}images/", f"{QUARANTINE}damaged/"
LASTS = timedelta(days=30)
OCTETS = "application/octet-stream"


def set_aside(key: str, data: bytes) -> None:
    """Keeps the bytes of ``key`` in quarantine: beside others that came under this key before, not in their place."""
    copy = QUARANTINE + key
    if not blobs().put(copy, data, content_type=OCTETS) and blobs().read(copy) != data:
        blobs().put(f"{copy}-{sha256(data).hexdigest()}", data, content_type=OCTETS)


def set_aside_damaged(hash: str) -> None:
    """Frees the key of an image whose bytes are wrong, and those of its derivatives. The caller holds the row.

    Bytes that turn out to be right stay.
    """
    try:
        data = blobs().read(image_key(hash))
    except BlobMissing:
        data = b""
    else:
        found = sha256(data).hexdigest()
        if found == hash:
            return
        set_aside(f"damaged/{hash}-{found[:16]}.jpg", data)
    for key in (*derived_keys(hash), image_key(hash)):
        blobs().delete(key)


def expired(*folders: str, now: datetime) -> Iterator[Blob]:
    """What has been in these folders of the quarantine for a month."""
    for folder in folders:
        yield from (blob for blob in blobs().list(folder) if blob.modified <= now - LASTS)
