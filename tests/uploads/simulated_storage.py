"""A storage in memory, on a clock of the test's own, at whose every request the test may do whatever it likes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection

from images.blobs import Blob, BlobMissing, Blobs, Presigned, StorageUnavailable, chunks


@dataclass
class SimulatedBlobs(Blobs):
    """Files in memory; before each operation, and for a lost answer after it, ``touched`` may do anything."""

    now: Callable[[], datetime]
    touched: Callable[[], str | None]
    files: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    @contextmanager
    def operation(self) -> Iterator[None]:
        assert not connection.in_atomic_block, "a transaction is open while the storage works"
        lost = self.touched() == "lost answer"
        yield
        if lost:
            raise StorageUnavailable("the answer got lost")

    def put(self, key: str, data: bytes | BinaryIO, *, content_type: str, sha256: str | None = None) -> bool:
        with self.operation():
            created = key not in self.files
            self.files.setdefault(key, (b"".join(chunks(data)), self.now()))
        return created

    def read(self, key: str, *, sha256: str | None = None) -> bytes:
        with self.operation():
            if key not in self.files:
                raise BlobMissing(key)
        return self.files[key][0]

    def stat(self, key: str) -> Blob:
        with self.operation():
            if key not in self.files:
                raise BlobMissing(key)
            data, modified = self.files[key]
        return Blob(key, len(data), modified)

    def delete(self, key: str) -> None:
        with self.operation():
            self.files.pop(key, None)

    def list(self, prefix: str, *, after: str = "") -> Iterator[Blob]:
        with self.operation():
            found = [key for key in sorted(self.files) if key.startswith(prefix) and key > after]
        for key in found:
            if key in self.files:
                yield Blob(key, len(self.files[key][0]), self.files[key][1])

    def clear_drafts(self, prefix: str, *, before: datetime) -> int:
        return 0

    def presigned_put(self, key: str, **_: Any) -> Presigned:
        return Presigned(f"https://storage.example/{key}")

    def open(self, key: str, **_: Any) -> Any:
        raise AssertionError("the way of a photo needs no such thing")

    def path(self, key: str) -> Path | None:
        raise AssertionError("the way of a photo needs no such thing")

    def presigned_get(self, key: str, seconds: int) -> str | None:
        raise AssertionError("the way of a photo needs no such thing")
