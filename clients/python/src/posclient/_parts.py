"""Files on their way: the unfinished file is the lock of whoever writes it, and goes with its process."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ._errors import ServerUnavailable
from ._files import flock, room


class Part:
    """An unfinished file, ours alone among all processes. Paths are plain strings: this runs for every picture."""

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
def locked_part(path: str, *, seconds: float) -> Iterator[Part]:
    """An empty file at ``path``, ours alone among all processes; unless it became another, it is gone afterwards.

    Waits for another holder, ``seconds`` at most, and then raises ServerUnavailable: that one waits for the server.
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
            if is_same_file(descriptor, path):  # else its last holder has renamed it, or removed it
                part = Part(path, descriptor)
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
