"""How much room the local disk has, and when it is too little to take more pictures."""

import os
from dataclasses import dataclass

from django.conf import settings

from images.blobs import StorageFull

MB = 1000 * 1000  # bytes
LARGEST_SHARE = 0.05  # of a small disk: there the floor of the settings would be all of it


@dataclass(frozen=True)
class Room:
    """Bytes of a file system."""

    free: int
    floor: int

    @property
    def is_short(self) -> bool:
        return self.free < self.floor

    def __str__(self) -> str:
        return f"{self.free / MB:.1f} MB free, the floor is {self.floor / MB:.1f} MB"


def left() -> Room:
    """The room where pictures lie. Raises OSError when the disk can't say."""
    found = os.statvfs(settings.FILES_DIR if settings.FILES_DIR.is_dir() else settings.DATA_DIR)
    size, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    return Room(free, int(min(settings.FREE_SPACE_FLOOR_MB * MB, size * LARGEST_SHARE)))


def need_room() -> None:
    """Raises StorageFull when no more pictures are to be taken. A bucket has room, whatever the disk has."""
    if not settings.S3_BUCKET and (room := left()).is_short:
        raise StorageFull(str(room))
