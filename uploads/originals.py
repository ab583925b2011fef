"""Originals: the bytes of photos as their clients sent them, each under the key of its photo."""

import logging
from uuid import UUID

from images.blobs import BlobMissing, StorageUnavailable, blobs

from .models import original_key

logger = logging.getLogger(__name__)


def is_there(key: str) -> bool:
    """Whether an object is stored under ``key``; raises StorageUnavailable when the storage can't say."""
    try:
        blobs().stat(key)
    except BlobMissing:
        return False
    return True


def drop_original(photo_id: UUID) -> None:
    """Delete an original that nobody needs; a storage that fails is logged, and upkeep finds the rest."""
    try:
        blobs().delete(original_key(photo_id))
    except StorageUnavailable as error:
        logger.warning("original kept photo=%s: %s", photo_id, error)
