"""One holder among all processes and threads of this machine, by a lock on an open file.

A lock goes with its holder, however that one ends, and leaves nothing to tidy up.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ._errors import ServerUnavailable
from ._files import room


def flock(file: IO[bytes] | int) -> bool:
    """Whether the lock of an open file (or descriptor) is ours now; doesn't wait."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Lock:
    """The lock of the file at ``path``. Two ``Lock`` objects in one process exclude each other as well."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def take(self) -> bool:
        """Whether it is ours now; doesn't wait."""
        if self._file is not None:
            return True
        with room(self.path):
            file = self.path.open("ab")
        if not flock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def held(self, *, seconds: float) -> Iterator[None]:
        """Holds it, waiting for at most ``seconds``. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process holds {self.path}")
            time.sleep(0.02)
        try:
            yield
        finally:
            self.release()


class PartFile:
    """An unfinished file, ours alone among all processes. Paths are plain strings: this runs for every download."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.is_done = False

    def write(self, data: bytes) -> None:
        """Appends ``data``. Raises StorageFull."""
        left = memoryview(data)
        with room(self.path):
            while left:
                left = left[os.write(self.descriptor, left) :]

    def empty(self) -> None:
        os.ftruncate(self.descriptor, 0)

    def become(self, path: str, *, modified: float) -> os.stat_result:
        """Takes the place of ``path``, with this modification time; how the file looks then.

        Not fsynced: after a power cut the file may be damaged, which its reader has to notice.
        """
        os.utime(self.descriptor, (modified, modified))
        found = os.fstat(self.descriptor)
        os.replace(self.path, path)
        self.is_done = True
        return found


@contextmanager
def locked_part(path: str, *, seconds: float) -> Iterator[PartFile]:
    """An empty file at ``path``, ours alone among all processes. It is gone afterwards, unless it became another.

    Waits ``seconds`` at most for another holder. Then raises ServerUnavailable: the server is what that one waits for.
    """
    deadline = time.monotonic() + seconds
    while True:
        with room(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            while not flock(descriptor):
                if time.monotonic() > deadline:
                    raise ServerUnavailable(f"another process doesn't finish {path}")
                time.sleep(0.01)
            if is_same_file(descriptor, path):  # else its last holder has renamed or removed it
                part = PartFile(path, descriptor)
                try:
                    part.empty()  # of what a crash left
                    yield part
                finally:
                    if not part.is_done and is_same_file(descriptor, path):
                        os.unlink(path)
                return
        finally:
            os.close(descriptor)


def is_same_file(descriptor: int, path: str) -> bool:
    """Whether ``path`` still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
