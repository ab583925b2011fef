"""Which storage a database belongs to: a marker object there repeats an id that the database holds.

A mistyped bucket, a disk that isn't mounted, a second box with a disk of its own: each answers, and lacks everything.
So nothing is cleaned up, and /readyz fails, where the marker isn't ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection

from images.blobs import BlobMissing, Blobs, StorageMistaken, blobs, image_key
from images.models import Image, Storage

MARKER = "redcoral-storage"  # the key; the object holds the id in hexadecimal
IMPATIENT_MS = 100
SAMPLE = 20  # pictures of which one at least must be there before a storage without marker is taken for ours


def must_be_ours() -> None:
    """Raises StorageMistaken when this storage isn't the database's own; StorageUnavailable when it can't say.

    The first call of a new database, outside a transaction, marks its storage.
    """
    belongs(marker(blobs()))


def belongs(found: UUID | None) -> None:
    """As `must_be_ours`, of a storage whose marker was ``found`` lately."""
    row = Storage.objects.first()
    if row is not None and found is None and row.is_marked:
        found = marker(blobs())  # it may have been marked since
    if row is not None and found == row.marker:
        return
    if row is not None and found is not None:
        raise StorageMistaken(f"{blobs().name} has the marker {found.hex}; this database belongs to {row.marker.hex}")
    if row is not None and row.is_marked:
        raise StorageMistaken(f"{blobs().name} has no marker ({MARKER}); this database belongs to {row.marker.hex}")
    if row is None and not holds_our_pictures(new=found is None):
        what = f"has the marker {found.hex} of another database" if found else "has none of this database's pictures"
        raise StorageMistaken(f"{blobs().name} {what}")
    if not connection.in_atomic_block:  # a row that is rolled back would leave a marker that is nobody's
        mark_unless_busy(found)


def mark_unless_busy(found: UUID | None) -> None:
    """As `mark`. While another writer holds SQLite nothing is done, without a wait: who asks next marks it."""
    with unless_busy():
        mark(found)


@contextmanager
def unless_busy() -> Iterator[None]:
    """Ends the block, quietly, when another writer holds SQLite for longer than a moment. PostgreSQL is waited for."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {IMPATIENT_MS}")
        try:
            yield
        except OperationalError as error:
            if "locked" not in str(error):
                raise
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {settings.DATABASES['default']['OPTIONS']['timeout'] * 1000}")


def mark(found: UUID | None) -> None:
    """Tie storage and database: by the marker that was found, else by a new one."""
    row, _ = Storage.objects.get_or_create(pk=1, defaults={"marker": found} if found else {})
    if found is None:
        blobs().put(MARKER, row.marker.hex.encode(), content_type="text/plain")  # False: another process was first
        found = marker(blobs())
    if found != row.marker:
        raise StorageMistaken(f"{blobs().name} was marked by another database meanwhile")
    Storage.objects.filter(pk=1).update(is_marked=True)


def adopt() -> UUID:
    """Whatever marker there is, from now on this storage is the database's. For an operator who knows that it is."""
    try:
        found = marker(blobs())
    except StorageMistaken:  # it is none that can be read
        blobs().delete(MARKER)
        found = None
    Storage.objects.all().delete()
    mark(found)
    return Storage.objects.get().marker


def marker(store: Blobs) -> UUID | None:
    """The id in the marker of ``store``; None without one. Raises StorageUnavailable."""
    with suppress(BlobMissing):
        said = store.read(MARKER).decode(errors="replace").strip()
        try:
            return UUID(hex=said)
        except ValueError:
            raise StorageMistaken(f"{store.name} has something else as {MARKER}: {said[:80]!r}") from None
    return None


def holds_our_pictures(*, new: bool) -> bool:
    """Whether a storage that the database doesn't know yet is its own, by what it has.

    ``new``: it has no marker, so a database without pictures may have it.
    """
    names = list(Image.objects.usable().order_by("-wanted_at").values_list("pk", flat=True)[:SAMPLE])
    for name in names:
        with suppress(BlobMissing):
            blobs().stat(image_key(name))
            return True
    return new and not names
