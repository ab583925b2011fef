"""Bytes by key, write-once, in a local folder or in a bucket.

Two promises hold for both: an existing key is never changed, and a failure is never reported as "missing"
(only ``BlobMissing`` may lead anybody to clean something up).
"""

from django.conf import settings

from images.blobs.interface import (
    Blob,
    BlobDamaged,
    BlobMissing,
    Blobs,
    KeyRefused,
    Presigned,
    Readable,
    StorageFull,
    StorageMistaken,
    StorageUnavailable,
    StorageUnsuitable,
    chunks,
    digest,
    unavailable,
)
from images.blobs.keys import HASH, HASH_PATTERN, SUFFIXES, WIDTHS, derived_key, derived_keys, image_key

__all__ = [
    "HASH", "HASH_PATTERN", "SUFFIXES", "WIDTHS", "Blob", "BlobDamaged", "BlobMissing", "Blobs", "KeyRefused",
    "Presigned", "Readable", "StorageFull", "StorageMistaken", "StorageUnavailable", "StorageUnsuitable", "blobs",
    "chunks", "derived_key", "derived_keys", "digest", "image_key", "unavailable",
]  # fmt: skip


def blobs() -> Blobs:
    """The store that the settings name."""
    if settings.S3_BUCKET:
        from images.blobs.bucket import (
            bucket_blobs,  # boto3 takes its time to load, and a shop without bucket has no use
        )

        return bucket_blobs()
    from images.blobs.folder import LocalBlobs

    return LocalBlobs(settings.FILES_DIR)
