"""Hashes, and files that are there whole or not at all."""

import errno
import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

from ._errors import InvalidHash, StorageFull

HASH = re.compile(r"[0-9a-f]{64}")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_hash(hash: object) -> bool:
    return isinstance(hash, str) and HASH.fullmatch(hash) is not None


def checked_hash(hash: object) -> str:
    """``hash`` itself; raises InvalidHash before anything can become a path."""
    if not isinstance(hash, str) or not is_hash(hash):
        raise InvalidHash(f"{str(hash)[:100]!r} is no SHA-256: 64 lower-case hexadecimal digits")
    return hash


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


@contextmanager
def room(path: Path | str) -> Iterator[None]:
    """A disk without room becomes StorageFull; everything else stays what it is."""
    try:
        yield
    except StorageFull:
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(error.errno, f"{error.strerror}: {path}") from error
        raise


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """The file is there with all of ``data``, also after a power cut, or it is as it was. Raises StorageFull."""
    draft = path.with_name(f".draft-{secrets.token_hex(8)}")
    with room(path):
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
            sync_folder(path.parent)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)


def sync_folder(folder: Path) -> None:
    """Makes the entries of ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> Path:
    """Makes ``folder`` with its parents, for its owner only; one that is there stays as it is."""
    with room(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class Lock:
    """One holder among all processes and threads. It goes with its holder, however that one ends.

    Each ``Lock`` opens the file by itself: two of them in one process exclude each other as well.
    """

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


def flock(file: IO[bytes] | int) -> bool:
    """Whether the lock of an open file (or descriptor) is ours now; doesn't wait."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
