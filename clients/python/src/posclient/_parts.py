"""Files on their way: the unfinished file is the lock of whoever writes it, and goes with its process."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ._errors import ServerUnavailable
from ._files import flock, room


@contextmanager
def locked_part(path: Path, *, seconds: float) -> Iterator[IO[bytes]]:
    """An empty file at ``path``, ours alone among all processes; unless it is renamed within, it is gone afterwards.

    Waits for another holder, ``seconds`` at most, and then raises ServerUnavailable: that one waits for the server.
    """
    deadline = time.monotonic() + seconds
    while True:
        with room(path):
            part = path.open("ab", buffering=0)
        try:
            while not flock(part):
                if time.monotonic() > deadline:
                    raise ServerUnavailable(f"another process doesn't finish {path.name}")
                time.sleep(0.01)
            if is_same_file(part, path):  # else its last holder has renamed it, or removed it
                try:
                    part.truncate(0)  # what a crash left
                    yield part
                finally:
                    if is_same_file(part, path):
                        os.unlink(path)
                return
        finally:
            part.close()


def is_same_file(file: IO[bytes], path: Path) -> bool:
    """Whether ``path`` still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
