"""Hashes, and files that are there whole or not at all."""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

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
