"""A folder of images: verified, found by hash, the least recently used removed first. Processes may share it.

A file's modification time says when it was used last. Unlike the access time, which most disks don't keep, it is ours
to write, it needs no index that could disagree with the folder, and it holds for all processes.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ._errors import StorageFull
from ._files import HASH, digest, private_folder
from ._locks import PartFile, flock, is_same_file, locked_part

logger = logging.getLogger("posclient")

TOUCH_SECONDS = 60.0  # the time of use is exact to a minute
TRUST_SECONDS = 24 * 3600.0  # after which a file that we have seen whole is looked at again
COUNT_AGAIN = 200  # stores after which the folder is counted anew: other processes store too


class CleanupResult(TypedDict):
    removed_count: int
    freed_bytes: int


class CacheUsage(TypedDict):
    count: int
    bytes: int


@dataclass(frozen=True)
class Seen:
    """What a file looked like when its bytes had the right hash, and when that was (monotonic)."""

    inode: int
    size: int
    modified_ns: int
    at: float


class ImageFolder:
    """``<hash>.jpg`` for each image in ``path``, and ``.<hash>.part`` for each that is on its way.

    ``max_bytes``: the least recently used go when there is more; None: no limit. ``now`` gives seconds since 1970.
    ``is_kept``: images that are never removed, by hash. Paths are plain strings: making a few ``Path`` objects for
    every image takes a tenth of the whole time.
    """

    def __init__(
        self, path: Path, *, max_bytes: int | None, now: Callable[[], float], is_kept: Callable[[str], bool]
    ) -> None:
        self.path = private_folder(path)
        self.max_bytes = max_bytes
        self.now = now
        self.is_kept = is_kept
        self._seen: dict[str, Seen] = {}
        self._guard = threading.Lock()
        self._used: int | None = None  # bytes in the folder, as far as we know
        self._stores = 0

    def file(self, hash: str) -> str:
        """Where this image belongs, there or not."""
        return f"{self.path}/{hash}.jpg"

    def is_sound(self, path: str, hash: str, *, touch: bool = False) -> bool:
        """Whether the file is there and whole. It is hashed when first seen, when it changed, and once a day.

        ``touch``: notes that it is used now. The file may also lie elsewhere.
        """
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        seen = self._seen.get(path)
        current = (found.st_ino, found.st_size, found.st_mtime_ns)
        if (
            seen is None
            or (seen.inode, seen.size, seen.modified_ns) != current
            or time.monotonic() - seen.at > TRUST_SECONDS
        ):
            try:
                data = Path(path).read_bytes()
            except OSError as error:
                logger.warning("%s can't be read: %s", path, error)
                return False
            if digest(data) != hash:
                logger.warning("%s is damaged", path)
                return False
            self._seen[path] = Seen(*current, time.monotonic())
        if touch:
            self._touch(path, found.st_mtime)
        return True

    def _touch(self, path: str, used: float) -> None:
        """Notes that the file is used now. A time in the future comes of a wrong clock."""
        now = self.now()
        if 0 <= now - used < TOUCH_SECONDS:
            return
        with suppress(OSError):  # another process removed it just now, or the disk is read-only
            os.utime(path, (now, now))
            found = os.stat(path)
            seen = self._seen.get(path)
            if seen is not None and (seen.inode, seen.size) == (found.st_ino, found.st_size):
                self._seen[path] = Seen(found.st_ino, found.st_size, found.st_mtime_ns, seen.at)

    # --- Storing ----------------------------------------------------------------------------------------------
    def part(self, hash: str, *, seconds: float) -> AbstractContextManager[PartFile]:
        """The lock of whoever stores this image, among all processes; see ``locked_part``."""
        return locked_part(f"{self.path}/.{hash}.part", seconds=seconds)

    def finish(self, part: PartFile, hash: str, data: bytes) -> None:
        """The part becomes the image. The least recently used make room when the disk is full. Raises StorageFull."""
        try:
            part.write(data)
        except StorageFull:
            part.empty()
            if not self._evict(at_least=len(data), keep=hash):
                raise
            part.write(data)
        path = self.file(hash)
        # After a power cut it may be damaged: that is noticed when it is shown, and then it comes again.
        found = part.become(path, modified=self.now())
        self._seen[path] = Seen(found.st_ino, found.st_size, found.st_mtime_ns, time.monotonic())

    def adopt(self, hash: str, path: Path) -> None:
        """Takes over an image that lies elsewhere on this disk; ``path`` may go afterwards."""
        with suppress(OSError):  # it is there, or the disk has no links or no room: it comes when it is shown
            os.link(path, self.file(hash))
            self.count(path.stat().st_size, keep=hash)

    def count(self, size: int, *, keep: str) -> None:
        """So many bytes were stored under the hash ``keep``: keeps to ``max_bytes``."""
        if self.max_bytes is None:
            return
        with self._guard:
            self._stores += 1
            if self._used is None or self._stores % COUNT_AGAIN == 0:
                self._used = self.usage()["bytes"]
            else:
                self._used += size
            over = self._used > self.max_bytes
        if over:
            self._evict(at_least=0, keep=keep)

    # --- Cleaning ---------------------------------------------------------------------------------------------
    def usage(self) -> CacheUsage:
        sizes = [size for _hash, size, _used in self._files()]
        return {"count": len(sizes), "bytes": sum(sizes)}

    def remove(self, wanted: Callable[[str, float], bool]) -> CleanupResult:
        """Removes every image for which ``wanted(hash, when it was used last)``, and what crashes left of parts."""
        result: CleanupResult = {"removed_count": 0, "freed_bytes": 0}
        now = self.now()
        for hash, size, used in list(self._files()):
            if used > now + TOUCH_SECONDS:  # written while the clock was wrong; it would never grow old
                self._touch(self.file(hash), used)
                used = now
            if wanted(hash, used) and self._unlink(hash):
                result["removed_count"] += 1
                result["freed_bytes"] += size
        self._drop_parts()
        self._used = None
        return result

    def _files(self) -> Iterator[tuple[str, int, float]]:
        """Hash, size and time of use of each image in the folder."""
        with os.scandir(self.path) as entries:
            for entry in entries:
                hash = entry.name.removesuffix(".jpg")
                if entry.name != hash and HASH.fullmatch(hash):
                    with suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        yield hash, found.st_size, found.st_mtime

    def _unlink(self, hash: str) -> bool:
        if self.is_kept(hash):
            return False
        path = self.file(hash)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        self._seen.pop(path, None)
        return True

    def _drop_parts(self) -> None:
        """Removes parts that nobody holds; those of downloads under way are locked."""
        for path in self.path.glob(".*.part"):
            with suppress(FileNotFoundError), path.open("rb") as part:
                if flock(part) and is_same_file(part.fileno(), str(path)):
                    path.unlink()

    def _evict(self, *, at_least: int, keep: str) -> bool:
        """Removes the least recently used until a tenth of the budget, and ``at_least`` bytes, are free."""
        with self._guard:
            files = sorted(self._files(), key=lambda file: file[2])
            used = sum(size for _hash, size, _used in files)
            goal = used - at_least
            if self.max_bytes is not None:
                goal = min(goal, int(self.max_bytes * 0.9) if used > self.max_bytes else goal)
            freed = 0
            for hash, size, _used in files:
                if used - freed <= goal:
                    break
                if hash != keep and self._unlink(hash):
                    freed += size
            self._used = used - freed
        return freed > 0 and freed >= at_least
