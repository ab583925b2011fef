"""Photos that were added offline: shown at once under their final hash, sent when the network is back.

Everything that is asked of the server can be asked again, so a crash between any two steps only means that the step
is repeated.
"""

from pathlib import Path
from typing import TypedDict

from ._bridge import Bridge
from ._delivery import Delivery
from ._images import ImageCache, Progress
from ._locks import Lock
from ._outbox_store import REMOVED, OutboxStore, Waiting

LONGEST_RUN = 600.0  # seconds that another process is waited for


class FailedUpload(TypedDict):
    id: str
    hash: str
    product: str | None
    reason: str


class UploadsResult(TypedDict):
    """``already_there``: the server had them. ``waiting_count``: for the next time. ``failed``: not tried again."""

    uploaded_count: int
    already_there: int
    waiting_count: int
    failed: list[FailedUpload]


def take_over(old: Path, new: Path) -> int:
    """Moves what waits in the outbox in ``old`` to the one in ``new``; returns how many photos. Both may be absent.

    A photo is removed from the old one after the new one has it: a crash between leaves it in both, and it is sent once
    more, under the same hash.
    """
    if old == new or not (old / "outbox.sqlite3").exists():
        return 0
    moved = 0
    with Lock(old / "outbox.lock").held(seconds=LONGEST_RUN):
        source, target = OutboxStore(old), OutboxStore(new)
        try:
            for photo in source.all():
                data = source.read(photo.hash)
                if photo.error != REMOVED and data is not None:
                    target.add(data, photo.product, filename=photo.filename)
                    source.done(photo)
                    moved += 1
        finally:
            source.close()
            target.close()
    return moved


class Outbox:
    """The photos that wait in ``folder``; threads and processes may share it. One of them sends at a time."""

    def __init__(self, bridge: Bridge, folder: Path, images: ImageCache) -> None:
        self.bridge = bridge
        self.store = OutboxStore(folder)
        self.images = images
        images.waiting = self.store.waiting_folder

    def close(self) -> None:
        self.store.close()

    def add_image(self, path: Path | str | bytes, product: str | None = None, *, filename: str = "") -> str:
        """Keeps the picture of this file (or these bytes) and returns its final hash; the same twice waits once.

        ``product``: the id of the product that is to show it. Needs the extra ``images``, not the network. Raises
        PictureRefused, StorageFull.
        """
        from ._normalize import normalize

        data = path if isinstance(path, bytes) else Path(path).read_bytes()
        filename = filename or ("picture.jpg" if isinstance(path, bytes) else Path(path).name)
        return self.store.add(normalize(data), product or None, filename=filename)

    def waiting(self) -> list[Waiting]:
        """What waits and what failed, the oldest first."""
        return self.store.all()

    def retry_failed(self) -> int:
        """Lets those that failed wait again; returns how many."""
        return self.store.retry_failed()

    def remove(self, id: str) -> None:
        """Forgets a photo that waits or failed; the server forgets it with the next ``sync_image_uploads``."""
        self.store.remove(id)

    def sync_image_uploads(self, progress: Progress | None = None, *, wait_seconds: float = 60.0) -> UploadsResult:
        """Sends what waits. What the network prevents stays for the next time; ``failed`` says why the others did.

        Photos for a product are waited for until the server has processed them, ``wait_seconds`` at most. Raises
        NotEnrolled and NotAllowed, and TimeoutError when another process has been sending for very long.
        """
        delivery = Delivery(self.store, self.bridge, self.images, wait_seconds=wait_seconds, progress=progress)
        with Lock(self.store.folder / "outbox.lock").held(seconds=LONGEST_RUN):
            self.store.drop_files()
            delivery.run()
        left = self.store.all()
        failed: list[FailedUpload] = [
            {"id": photo.id, "hash": photo.hash, "product": photo.product, "reason": photo.error}
            for photo in left
            if photo.failed and photo.error != REMOVED
        ]
        return {
            "uploaded_count": delivery.uploaded,
            "already_there": delivery.already_there,
            "waiting_count": sum(not photo.failed for photo in left),
            "failed": failed,
        }
