"""Originals: the bytes of photos as their clients sent them, each under the key of its photo."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from images.blobs import BlobMissing, StorageUnavailable, blobs
from refusals import Refusal

from .models import original_key

logger = logging.getLogger(__name__)


class StorageSilent(Refusal):
    status, code, retry_after = 503, "storage_unavailable", 5
    detail = _("The storage doesn't answer; try again in a moment.")


@contextmanager
def storage_needed() -> Iterator[None]:
    """For what can't be done without the storage: when it fails in here, StorageSilent is raised.

    A storage that is full, can't do what is needed, or isn't ours says so itself.
    """
    try:
        yield
    except StorageUnavailable as error:
        if type(error) is not StorageUnavailable:
            raise
        raise StorageSilent from error


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
        logger.warning("original kept photo=%s: %s", photo_id, error.reason)
