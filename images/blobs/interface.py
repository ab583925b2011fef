"""What every store of blobs does and promises, and what can go wrong with one."""

import errno
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256 as new_sha256
from pathlib import Path
from typing import BinaryIO, Protocol

from django.utils.translation import gettext_lazy as _

from images.blobs import reasons
from refusals import Refusal

CHUNK = 256 * 1024  # bytes
# Names without a leading dot: no "..", and our own temporary files can't be mistaken for blobs.
KEY = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")


class BlobMissing(LookupError):
    """The storage answered: there is nothing under this key."""


class BlobDamaged(ValueError):
    """The bytes are not those that their hash or their sender announces."""


class StorageUnavailable(Refusal, OSError):
    """The storage could not say or could not do it; nothing is known about the key."""

    status, code = 503, "storage_unavailable"
    retry_after: int | None = 2
    detail = _("The storage doesn't answer; try again.")

    def __init__(self, reason: str, *, kind: str = "other") -> None:
        """``kind`` is what failures are counted by (images/blobs/reasons.py)."""
        super().__init__()
        self.reason, self.kind = reason, kind
        reasons.tell(kind, reason)


class StorageUnsuitable(StorageUnavailable):
    """The store can't do what is needed, and won't by being asked again; ``reason`` names the header."""

    status, code, retry_after = 503, "storage_unsuitable", None
    detail = _("The storage can't do what this server needs; whoever runs the server has to change that.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind="unsuitable")


class StorageMistaken(StorageUnavailable):
    """This isn't the storage that the database belongs to."""

    status, code, retry_after = 503, "storage_mistaken", None
    detail = _("This storage belongs to another database; whoever runs the server has to look at its settings.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind="mistaken")


class StorageFull(StorageUnavailable):
    """There is no room to add anything; what is there is served."""

    status, code, retry_after = 507, "storage_full", 60
    detail = _("The server's disk is nearly full; pictures are taken again when there is room.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind="full")


NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def unavailable(key: str, error: OSError) -> StorageUnavailable:
    """What an error of the local disk at ``key`` means: that it is full, or that it can't say."""
    reason = f"{error.strerror or error}: {key}"
    if error.errno in NO_ROOM:
        return StorageFull(reason)
    return StorageUnavailable(reason, kind=reasons.kind_of(error))


class KeyRefused(ValueError):
    """No blob can have this key."""


@dataclass(frozen=True)
class Blob:
    """What the storage knows of one key; ``size`` in bytes, ``modified`` in UTC."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class Presigned:
    """Where a client may PUT one blob, and the headers it has to send with it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Blobs(ABC):
    """The store's interface. Every method may raise ``StorageUnavailable``; keys that can't be are ``KeyRefused``."""

    name: str  # where it is, for people and to tell one from another

    @abstractmethod
    def put(self, key: str, data: bytes | BinaryIO, *, content_type: str, sha256: str | None = None) -> bool:
        """Store ``data`` durably, whole or not at all. False: the key was there and stays as it was.

        ``sha256`` (hexadecimal) is what the bytes must have: else ``BlobDamaged``. A stream is read from
        where it stands to its end.
        """

    def read(self, key: str, *, sha256: str | None = None) -> bytes:
        """All bytes of a blob. Raises ``BlobMissing``.

        ``sha256`` (hexadecimal) is what they must have: else ``BlobDamaged``.
        """
        with self.open(key) as file:
            data = file.read()
        if sha256 is not None and new_sha256(data).hexdigest() != sha256:
            raise BlobDamaged(key)
        return data

    def look_at_folders(self) -> None:  # noqa: B027 - a bucket has none
        """Raises StorageUnavailable where a folder that is there already takes nothing new."""

    @abstractmethod
    def open(self, key: str, *, start: int = 0, length: int | None = None) -> AbstractContextManager[Readable]:
        """A readable of ``length`` bytes from ``start`` (fewer when the blob ends before). Raises ``BlobMissing``."""

    @abstractmethod
    def stat(self, key: str) -> Blob:
        """Raises ``BlobMissing``."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Afterwards the key is free, whether it was there or not."""

    @abstractmethod
    def list(self, prefix: str, *, after: str = "") -> Iterator[Blob]:
        """The blobs below a folder (``prefix`` ends in a slash), at any depth, in the order of their keys.

        Those whose key comes behind ``after`` only, so that a long walk can be continued. What others put there under
        names that are no keys of ours is listed too.
        """

    @abstractmethod
    def clear_drafts(self, prefix: str, *, before: datetime) -> int:
        """Removes what writers that died before then left unfinished in a folder; how many. Nothing ever reads it."""

    @abstractmethod
    def path(self, key: str) -> Path | None:
        """The file of a local blob (there or not); None in a bucket."""

    @property
    def endpoint(self) -> str | None:
        """The address under which clients reach the bucket itself; None where only the server can."""
        return None

    @abstractmethod
    def presigned_get(self, key: str, seconds: int) -> str | None:
        """A URL that reads the blob for so long; None where only the server can read it."""

    @abstractmethod
    def presigned_put(
        self, key: str, *, size: int, content_type: str, sha256: str | None, seconds: int
    ) -> Presigned | None:
        """A write-once URL for exactly ``size`` bytes of this type (and checksum); None where there is no such thing.

        A client that sends anything else is refused by the storage, and 412 tells it that the key is there.
        """


def checked_key(key: str) -> str:
    """``key`` itself when it may name a blob, else ``KeyRefused``."""
    if len(key) > 255 or not KEY.match(key):
        raise KeyRefused(key)
    return key


def checked_prefix(prefix: str) -> str:
    """A prefix without its slash would match neighbours ("images" and "images-old")."""
    if not prefix.endswith("/"):
        raise KeyRefused(prefix)
    checked_key(prefix[:-1])
    return prefix


def chunks(data: bytes | BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces, from where a stream stands."""
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
        return
    while chunk := data.read(CHUNK):
        yield chunk


def digest(data: bytes | BinaryIO) -> tuple[str, int]:
    """SHA-256 (hexadecimal) and number of bytes; a stream ends up where it stood."""
    start = None if isinstance(data, bytes) else data.tell()
    running, size = new_sha256(), 0
    for chunk in chunks(data):
        running.update(chunk)
        size += len(chunk)
    if start is not None and not isinstance(data, bytes):
        data.seek(start)
    return running.hexdigest(), size
