"""Images on this terminal's own disk: downloaded once, verified, shared by all processes of the terminal."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TypedDict

from ._bridge import Bridge
from ._errors import ImageDamaged, PosclientError, ServerUnavailable, StorageFull
from ._files import checked_hash, digest, is_hash
from ._image_folder import CacheUsage, CleanupResult, ImageFolder
from ._locks import PartFile

logger = logging.getLogger("posclient")

AT_ONCE = 4
TRIES = 3
DAY = 24 * 3600.0
DEFAULT_BUDGET = 2 * 1024**3  # bytes

Progress = Callable[[int, int], None]


class PrefetchResult(TypedDict):
    success_count: int
    failed_count: int
    already_cached: int


class ImageCache:
    """The images in ``folder``; threads and processes may share it.

    ``max_bytes``: the least recently used go when there is more; None: no limit. ``waiting``: the folder of images
    that wait to be sent (the outbox), which are shown from there and never removed.
    """

    def __init__(
        self, bridge: Bridge, folder: Path, *, max_bytes: int | None = DEFAULT_BUDGET, waiting: Path | None = None
    ) -> None:
        self.bridge = bridge
        self.waiting = waiting
        self._folder = ImageFolder(folder, max_bytes=max_bytes, now=bridge.now, is_kept=self._is_waiting)
        self._flights: dict[str, Future[Path]] = {}
        self._guard = threading.Lock()

    @property
    def folder(self) -> Path:
        return self._folder.path

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
            logger.info("image %s: %s", hash, error)
            if not hopeless.is_set() and not self.bridge.is_network_available():
                hopeless.set()  # or each of the others would wait for its own time-out
            return False
        except StorageFull as error:
            logger.warning("image %s: %s", hash, error)
            hopeless.set()
            return False
        except (PosclientError, OSError) as error:
            logger.warning("image %s: %s", hash, error)
            return False
        return True

    def _local(self, hash: str) -> Path | None:
        """A file on this machine whose bytes have this hash."""
        if (own := self.bridge.own_image(hash)) is not None and self._folder.is_sound(str(own), hash):
            return own
        path = self._folder.file(hash)
        if self._folder.is_sound(path, hash, touch=True):
            return Path(path)
        if self.waiting is not None and self._folder.is_sound(path := f"{self.waiting}/{hash}.jpg", hash):
            return Path(path)
        return None

    def _is_waiting(self, hash: str) -> bool:
        return self.waiting is not None and (self.waiting / f"{hash}.jpg").exists()

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
            flight.set_result(self._keep(hash, lambda: self._download(hash)))
        except BaseException as error:
            flight.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with self._guard:
                del self._flights[hash]
        return flight.result()

    def _keep(self, hash: str, get: Callable[[], bytes]) -> Path:
        """One call of ``get``, for verified bytes, among all processes: the unfinished file is the lock.

        1. Open ``.<hash>.part`` and lock it; it survives a crash, its lock doesn't.
        2. Another process may have finished meanwhile: then its part has become the image.
        3. Get the bytes, write them into the part, and rename it while the lock is held.
        """
        with self._part(hash) as part:
            if (found := self._local(hash)) is not None:
                return found
            data = get()
            self._folder.finish(part, hash, data)
        self._folder.count(len(data), keep=hash)
        return Path(self._folder.file(hash))

    def _part(self, hash: str) -> AbstractContextManager[PartFile]:
        return self._folder.part(hash, seconds=2 * self.bridge.timeouts.whole)

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
        if not self.bridge.owns_files:
            self._keep(hash, lambda: data)

    def adopt(self, hash: str, path: Path) -> None:
        """Takes over an image that was made here, so that it isn't downloaded; ``path`` may go afterwards."""
        if not self.bridge.owns_files:
            self._folder.adopt(hash, path)

    # --- Cleaning ---------------------------------------------------------------------------------------------
    def cleanup_image_cache(self, active_hashes: Iterable[str]) -> CleanupResult:
        """Removes every image that isn't among ``active_hashes``.

        Raises InvalidHash, and removes nothing, when one of them is no hash. In the mode *server* it does nothing.
        """
        active = {checked_hash(hash) for hash in active_hashes}
        return self._remove(lambda hash, _used: hash not in active)

    def cleanup_old_cache(self, max_age_days: float = 30) -> CleanupResult:
        """Removes every image that wasn't used for so many days. In the mode *server* it does nothing."""
        oldest = self.bridge.now() - max_age_days * DAY
        return self._remove(lambda _hash, used: used < oldest)

    def _remove(self, wanted: Callable[[str, float], bool]) -> CleanupResult:
        if self.bridge.owns_files:
            return {"removed_count": 0, "freed_bytes": 0}
        return self._folder.remove(wanted)

    def usage(self) -> CacheUsage:
        """How many images are here, and how many bytes they have."""
        return self._folder.usage()
