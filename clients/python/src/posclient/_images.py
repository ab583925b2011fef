"""Pictures on this terminal's own disk: downloaded once, verified, shared by all processes of the terminal.

A file's modification time is its used-at record. Unlike the access time, which most disks don't keep, it is ours to
write, it needs no index that could disagree with the folder, and it holds for all processes.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ._bridge import Bridge
from ._errors import ImageDamaged, PosclientError, ServerUnavailable, StorageFull
from ._files import HASH, checked_hash, digest, flock, is_hash, private_folder
from ._parts import Part, is_same_file, locked_part

log = logging.getLogger("posclient")

AT_ONCE = 4
TRIES = 3
TOUCH_SECONDS = 60.0  # used-at is exact to a minute
TRUST_SECONDS = 24 * 3600.0  # after which a file that we have seen whole is looked at again
DAY = 24 * 3600.0
DEFAULT_BUDGET = 2 * 1024**3  # bytes
COUNT_AGAIN = 200  # stores after which the folder is counted anew: other processes store too

Progress = Callable[[int, int], None]


class PrefetchResult(TypedDict):
    success_count: int
    failed_count: int
    already_cached: int


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


class ImageCache:
    """The pictures in ``folder``; threads and processes may share it.

    ``max_bytes``: the least recently used go when there is more; None: no limit. ``waiting``: the folder of pictures
    that wait to be sent (the outbox), which are shown from there and never removed.
    """

    def __init__(
        self, bridge: Bridge, folder: Path, *, max_bytes: int | None = DEFAULT_BUDGET, waiting: Path | None = None
    ) -> None:
        self.bridge = bridge
        self.folder = private_folder(folder)
        self.max_bytes = max_bytes
        self.waiting = waiting
        self._seen: dict[str, Seen] = {}
        self._flights: dict[str, Future[Path]] = {}
        self._guard = threading.Lock()
        self._used: int | None = None  # bytes in the folder, as far as we know
        self._stores = 0

    # --- Reading ----------------------------------------------------------------------------------------------
    def get_image_path(self, hash: str) -> Path:
        """The file of this image, downloaded first when it isn't here. Its bytes have been checked.

        In the mode *server* it is the server's own file. Raises InvalidHash, ImageMissing, ServerUnavailable,
        Refused, StorageFull.
        """
        return self._local(checked_hash(hash)) or self._fetch_once(hash)

    def get_cached_path(self, hash: str) -> Path | None:
        """The file when it is on this machine; never asks the network."""
        return self._local(checked_hash(hash))

    def read_image(self, hash: str) -> bytes:
        """The bytes of this image; errors as ``get_image_path``."""
        for _attempt in range(TRIES):
            with suppress(FileNotFoundError):  # cleaned up by another process meanwhile
                return self.get_image_path(hash).read_bytes()
        return self._download(hash)

    def prefetch_images(self, hashes: Iterable[str], progress: Progress | None = None) -> PrefetchResult:
        """Downloads what is missing, four at a time. Each hash counts once; ``progress(done, of)`` after each.

        Nothing is raised: what fails is counted. In the mode *server* all are there already.
        """
        wanted = list(dict.fromkeys(hashes))
        if self.bridge.owns_files:
            return {"success_count": 0, "failed_count": 0, "already_cached": len(wanted)}
        result: PrefetchResult = {"success_count": 0, "failed_count": 0, "already_cached": 0}
        lacking: list[str] = []
        for hash in wanted:
            if not is_hash(hash):
                result["failed_count"] += 1
            elif self._local(hash) is not None:
                result["already_cached"] += 1
            else:
                lacking.append(hash)
        done = len(wanted) - len(lacking)
        if progress is not None:
            progress(done, len(wanted))
        hopeless = threading.Event()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="posclient-prefetch") as threads:
            flights = [threads.submit(self._prefetch_one, hash, hopeless) for hash in lacking]
            try:
                for flight in as_completed(flights):
                    result["success_count" if flight.result() else "failed_count"] += 1
                    done += 1
                    if progress is not None:
                        progress(done, len(wanted))
            except BaseException:  # a progress that raises, or Ctrl-C: what has begun ends, the rest doesn't begin
                hopeless.set()
                raise
        return result

    def _prefetch_one(self, hash: str, hopeless: threading.Event) -> bool:
        if hopeless.is_set():
            return False
        try:
            self._fetch_once(hash)
        except ServerUnavailable as error:
            log.info("image %s: %s", hash, error)
            if not hopeless.is_set() and not self.bridge.is_network_available():
                hopeless.set()  # or each of the others would wait for its own time-out
            return False
        except StorageFull as error:
            log.warning("image %s: %s", hash, error)
            hopeless.set()
            return False
        except (PosclientError, OSError) as error:
            log.warning("image %s: %s", hash, error)
            return False
        return True

    def _local(self, hash: str) -> Path | None:
        """A file on this machine whose bytes have this hash."""
        if (own := self.bridge.own_image(hash)) is not None and self._is_sound(str(own), hash):
            return own
        path = self._place(hash)
        if self._is_sound(path, hash, touch=True):
            return Path(path)
        if self.waiting is not None and self._is_sound(path := f"{self.waiting}/{hash}.jpg", hash):
            return Path(path)
        return None

    def _place(self, hash: str) -> str:
        """Where this image belongs. Not a Path: a few of them for every picture are a tenth of the time it takes."""
        return f"{self.folder}/{hash}.jpg"

    def _is_sound(self, path: str, hash: str, *, touch: bool = False) -> bool:
        """Whether the file is there and whole. Hashed when first seen, when it changed, and once a day."""
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
                log.warning("%s can't be read: %s", path, error)
                return False
            if digest(data) != hash:
                log.warning("%s is damaged", path)
                return False
            self._seen[path] = Seen(*current, time.monotonic())
        if touch:
            self._touch(path, found.st_mtime)
        return True

    def _touch(self, path: str, used: float) -> None:
        """Notes that the file is used now. A time in the future comes of a wrong clock."""
        now = self.bridge.now()
        if 0 <= now - used < TOUCH_SECONDS:
            return
        with suppress(OSError):  # another process removed it just now, or the disk is read-only
            os.utime(path, (now, now))
            found = os.stat(path)
            seen = self._seen.get(path)
            if seen is not None and (seen.inode, seen.size) == (found.st_ino, found.st_size):
                self._seen[path] = Seen(found.st_ino, found.st_size, found.st_mtime_ns, seen.at)

    # --- Downloading ------------------------------------------------------------------------------------------
    def _fetch_once(self, hash: str) -> Path:
        """One download in this process, however many threads ask."""
        with self._guard:
            flight = self._flights.get(hash)
            mine = flight is None
            if flight is None:
                flight = self._flights[hash] = Future()
        if not mine:
            return flight.result()
        try:
            flight.set_result(self._fetch(hash))
        except BaseException as error:
            flight.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with self._guard:
                del self._flights[hash]
        return flight.result()

    def _fetch(self, hash: str) -> Path:
        """One download among all processes: the unfinished file is the lock.

        1. Open ``.<hash>.part`` and lock it; it survives a crash, its lock doesn't.
        2. Another process may have finished meanwhile: then its part has become the image.
        3. Download, verify, write into the part, and rename it while the lock is held.
        """
        with self._locked_part(hash) as part:
            if (found := self._local(hash)) is not None:
                return found
            data = self._download(hash)
            self._finish(part, hash, data)
        self._count(len(data), keep=hash)
        return Path(self._place(hash))

    def _finish(self, part: Part, hash: str, data: bytes) -> None:
        """The part becomes the image. The least recently used make room where the disk is full."""
        try:
            part.write(data)
        except StorageFull:
            part.empty()
            if not self._evict(at_least=len(data), keep=hash):
                raise
            part.write(data)
        path = self._place(hash)
        # After a power cut it may be damaged: that is noticed when it is shown, and then it comes again.
        found = part.become(path, modified=self.bridge.now())
        self._seen[path] = Seen(found.st_ino, found.st_size, found.st_mtime_ns, time.monotonic())

    def _locked_part(self, hash: str) -> AbstractContextManager[Part]:
        return locked_part(f"{self.folder}/.{hash}.part", seconds=2 * self.bridge.timeouts.whole)

    def _download(self, hash: str) -> bytes:
        """The verified bytes from the server; a few tries."""
        for attempt in range(1, TRIES + 1):
            try:
                data = self.bridge.download_image(hash)
                if digest(data) != hash:
                    raise ImageDamaged(f"what came for {hash} has another hash")
            except ServerUnavailable as error:
                if attempt == TRIES:
                    raise
                wait = random.uniform(0, 0.2 * 2**attempt) if error.retry_after is None else error.retry_after  # noqa: S311
                time.sleep(min(wait, 5.0))
            else:
                return data
        raise AssertionError("the last try returns or raises")

    def store(self, hash: str, data: bytes) -> None:
        """Keeps verified bytes that came another way than by downloading."""
        if self.bridge.owns_files:
            return
        with self._locked_part(hash) as part:
            if self._local(hash) is not None:
                return
            self._finish(part, hash, data)
        self._count(len(data), keep=hash)

    def adopt(self, hash: str, path: Path) -> None:
        """Takes over a picture that was made here, so that it isn't downloaded; ``path`` may go afterwards."""
        if self.bridge.owns_files:
            return
        with suppress(OSError):  # it is there, or the disk has no links or no room: it comes when it is shown
            os.link(path, self._place(hash))
            self._count(path.stat().st_size, keep=hash)

    # --- Cleaning ---------------------------------------------------------------------------------------------
    def cleanup_image_cache(self, active_hashes: Iterable[str]) -> CleanupResult:
        """Removes every picture that isn't among ``active_hashes``.

        Raises InvalidHash, and removes nothing, when one of them is no hash. In the mode *server* it does nothing.
        """
        active = {checked_hash(hash) for hash in active_hashes}
        return self._remove(lambda hash, _used: hash not in active)

    def cleanup_old_cache(self, max_age_days: float = 30) -> CleanupResult:
        """Removes every picture that wasn't used for so many days. In the mode *server* it does nothing."""
        oldest = self.bridge.now() - max_age_days * DAY
        return self._remove(lambda _hash, used: used < oldest)

    def usage(self) -> CacheUsage:
        """How many pictures are here, and how many bytes they have."""
        sizes = [size for _hash, size, _used in self._files()]
        return {"count": len(sizes), "bytes": sum(sizes)}

    def _remove(self, wanted: Callable[[str, float], bool]) -> CleanupResult:
        result: CleanupResult = {"removed_count": 0, "freed_bytes": 0}
        if self.bridge.owns_files:
            return result
        now = self.bridge.now()
        for hash, size, used in list(self._files()):
            if used > now + TOUCH_SECONDS:  # written while the clock was wrong; it would never grow old
                self._touch(self._place(hash), used)
                used = now
            if wanted(hash, used) and self._unlink(hash):
                result["removed_count"] += 1
                result["freed_bytes"] += size
        self._drop_parts()
        self._used = None
        return result

    def _files(self) -> Iterator[tuple[str, int, float]]:
        """Hash, size and used-at of each picture in the folder."""
        with os.scandir(self.folder) as entries:
            for entry in entries:
                hash = entry.name.removesuffix(".jpg")
                if entry.name != hash and HASH.fullmatch(hash):
                    with suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        yield hash, found.st_size, found.st_mtime

    def _unlink(self, hash: str) -> bool:
        if self.waiting is not None and (self.waiting / f"{hash}.jpg").exists():
            return False
        path = self._place(hash)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        self._seen.pop(path, None)
        return True

    def _drop_parts(self) -> None:
        """Removes what crashes left of downloads; those that are under way are locked."""
        for path in self.folder.glob(".*.part"):
            with suppress(FileNotFoundError), path.open("rb") as part:
                if flock(part) and is_same_file(part.fileno(), str(path)):
                    path.unlink()

    def _count(self, size: int, *, keep: str) -> None:
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
