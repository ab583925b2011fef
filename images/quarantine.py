"""What is wrong is set aside before it goes: the copy is there before the original is deleted.

``quarantine/images/…`` has files that no row names, under the key that they had; ``manage.py restore_images`` takes
them back. ``quarantine/damaged/…`` has what was found under a hash that isn't its own, for whoever wants to know why.
Both are deleted after a month.
"""

from datetime import timedelta
from hashlib import sha256

from images.blobs import BlobMissing, blobs, derived_keys, image_key

ORPHANS = "quarantine/images/"
DAMAGED = "quarantine/damaged/"
LASTS = timedelta(days=30)


def set_aside_orphan(key: str) -> bool:
    """Copies the blob ``key`` of ``images/…``; False when it is gone. Raises ``KeyRefused`` for a name of others."""
    try:
        data = blobs().read(key)
    except BlobMissing:
        return False
    blobs().put(ORPHANS + key.removeprefix("images/"), data, content_type="application/octet-stream")
    return True


def set_aside_damaged(name: str) -> None:
    """Frees the key of a hash whose bytes are wrong, and those of its derivatives. The caller holds the row.

    Bytes that turn out to be right stay.
    """
    try:
        data = blobs().read(image_key(name))
    except BlobMissing:
        data = b""
    else:
        found = sha256(data).hexdigest()
        if found == name:
            return
        blobs().put(f"{DAMAGED}{name}-{found[:16]}.jpg", data, content_type="application/octet-stream")
    for key in (*derived_keys(name), image_key(name)):
        blobs().delete(key)
