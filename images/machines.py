"""Which machine holds the local files. Several machines with one database need a bucket.

A machine with a disk of its own would store pictures that the others never find, so it isn't started. That is told by
the marker (images/identity.py) and by the machine: where the marker is missing on the machine that had it, a disk isn't
mounted. Then the server starts, and what can be read is served.
"""

import socket
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from images.blobs import StorageMistaken, StorageUnavailable
from images.identity import must_be_ours
from images.models import Storage

IDENTITY = Path("/etc/machine-id")


class AnotherMachine(RuntimeError):
    """The database's pictures lie on another machine's disk, or in a bucket. This one has only a disk of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The pictures of this database aren't in {folder}: another machine has them, or a bucket. Several machines"
            " need a bucket that all of them use (S3_BUCKET). If this is the right folder all the same: manage.py"
            " check_storage --adopt"
        )


def this_machine() -> str:
    """What tells it from others: a digest of its id, or of its name where it has none, as in a container."""
    said = ""
    with suppress(OSError):
        said = IDENTITY.read_text().strip()
    return sha256((said or socket.gethostname()).encode()).hexdigest()


def must_be_the_only_one() -> None:
    """For a start. Raises AnotherMachine where local files would be a second storage of the same database.

    A storage that can't say whose it is passes. SQLite does too: a second machine doesn't share it.
    """
    if settings.S3_BUCKET or connection.vendor == "sqlite":
        return
    try:
        must_be_ours()
    except StorageMistaken:
        if Storage.objects.filter(is_marked=True).exclude(machine=this_machine()).exists():
            raise AnotherMachine(settings.FILES_DIR) from None
    except StorageUnavailable:
        return  # /readyz says it
    else:
        with suppress(DatabaseError):  # it can't be written just now, and the next start notes it
            Storage.objects.exclude(machine=this_machine()).update(machine=this_machine())
