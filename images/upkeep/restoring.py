"""Stores images from quarantine again."""

from collections.abc import Iterator
from dataclasses import dataclass

from images.blobs import HASH, BlobDamaged, BlobMissing, blobs
from images.quarantine import IMAGES
from images.store import store
from normalform import Normal, normal_frame


@dataclass(frozen=True)
class Restored:
    """What became of one file in quarantine; ``trouble`` is empty when it is an image again."""

    name: str
    trouble: str = ""


def quarantined() -> Iterator[str]:
    """The hashes of the images in quarantine; files of other names are left out."""
    for blob in blobs().list(IMAGES):
        name = blob.key.removeprefix(IMAGES).removesuffix(".jpg")
        if HASH.match(name):
            yield name


def restore(name: str) -> Restored:
    """Stores a quarantined image again, its copy in quarantine goes then. Raises ``StorageUnavailable``."""
    key = f"{IMAGES}{name}.jpg"
    try:
        data = blobs().read(key, sha256=name)
    except BlobMissing:
        return Restored(name, "it isn't in quarantine")
    except BlobDamaged:
        return Restored(name, "its bytes are not those of its name")
    frame = normal_frame(data)
    if frame is None:
        return Restored(name, "it is no picture in normal form")
    store(Normal(data, frame.width, frame.height, ""))
    blobs().delete(key)
    return Restored(name)
