"""A folder of photos into an album, as they are: the server's workers normalise them.

Every step may be repeated. The ids of album and photos follow from what is sent, so a second run meets what the first
one left and does only what is missing: nothing is remembered on this disk.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import UUID, uuid5

from . import _photos
from ._answers import reading
from ._bridge import Bridge
from ._errors import NotAllowed, NotEnrolled, Refused, ServerUnavailable
from ._files import digest
from ._photos import Declaration, persistently

NAMESPACE = UUID("3f0b7a0e-5c7c-4f0e-9d39-0f3f8f6f3a55")
AT_ONCE = 4
LOOK_SECONDS = 1.0  # between two looks at what the workers have done: the album lists all of its photos


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: ``error`` is empty when its photo is ready."""

    path: Path
    error: str = ""


class AlbumUpload:
    """Photos for the album that is called ``name``, or was called so when an earlier run made it."""

    def __init__(self, bridge: Bridge, name: str) -> None:
        self.bridge = bridge
        self.name = name
        self.id = str(uuid5(NAMESPACE, name))
        self._stopping = Event()

    def send(self, products: Mapping[Path, str | None]) -> Iterator[Outcome]:
        """Sends each file for the product with this id (None: into the album only); yields outcomes as they are known.

        Returns when every photo is ready or failed. Raises ServerUnavailable when the network is gone, NotEnrolled and
        NotAllowed; what has arrived until then stays, and the next run goes on from there.
        """
        persistently(self._make)
        under_way: dict[str, list[Path]] = {}  # by the photo's id: equal files of the same name are one photo
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="posclient-upload") as threads:
            sending = {threads.submit(self._send_file, path, product): path for path, product in products.items()}
            try:
                while sending or under_way:
                    for future in self._sent(sending):
                        path = sending.pop(future)
                        try:
                            under_way.setdefault(future.result(), []).append(path)
                        except (NotEnrolled, NotAllowed):
                            raise
                        except (ServerUnavailable, Refused, OSError) as error:
                            if isinstance(error, ServerUnavailable) and not self.bridge.is_network_available():
                                raise
                            yield Outcome(path, str(error))
                    yield from self._processed(under_way)
            finally:  # also after Ctrl-C: what is being sent ends, the rest doesn't begin
                self._stopping.set()
                threads.shutdown(cancel_futures=True)

    def _sent(self, sending: Mapping[Future[str], Path]) -> set[Future[str]]:
        """Those that have ended since the last look, a moment ago."""
        if not sending:
            time.sleep(LOOK_SECONDS)
        return wait(sending, timeout=LOOK_SECONDS).done

    def _make(self) -> None:
        try:
            self.bridge.get_json(f"/api/albums/{self.id}")
        except Refused as refused:
            if refused.status != 404:
                raise
            self.bridge.post_json("/api/albums", {"id": self.id, "name": self.name})

    def _send_file(self, path: Path, product: str | None) -> str:
        """Brings one file to where a worker takes it; the photo's id. Raises ServerUnavailable, Refused, OSError."""
        data = path.read_bytes()
        hash = digest(data)
        id = str(uuid5(UUID(self.id), f"{path.name} {hash} {product}"))
        photo = Declaration(id, path.name, _photos.TYPES[path.suffix.lower()], len(data), hash, product)
        try:
            persistently(lambda: _photos.deliver(self.bridge, self.id, photo, lambda: data), self._stopping)
        except Refused:
            with suppress(ServerUnavailable, Refused):  # then the server cleans up by itself
                persistently(lambda: _photos.forget(self.bridge, id), self._stopping)
            raise
        return id

    def _processed(self, under_way: dict[str, list[Path]]) -> Iterator[Outcome]:
        """Takes those out of ``under_way`` that are ready, failed or gone."""
        if not under_way:
            return
        with reading("an album"):
            listed = persistently(lambda: self.bridge.get_json(f"/api/albums/{self.id}/photos"))["photos"]
            known = {photo["id"]: (photo["status"], photo["error"]) for photo in listed}
        for id in list(under_way):
            status, error = known.get(id, ("failed", "gone"))
            if status in ("ready", "failed"):
                for path in under_way.pop(id):
                    yield Outcome(path, error or "")


def photos_in(folder: Path) -> list[Path]:
    """The files below ``folder`` that promise to be pictures, in order; a single file is one of them."""
    found = folder.rglob("*") if folder.is_dir() else [folder]
    return sorted(path for path in found if path.suffix.lower() in _photos.TYPES and path.is_file())


def is_text(name: str) -> bool:
    """Names of files are bytes: what isn't UTF-8 is half a character each here, and no request can carry it."""
    return not any("\ud800" <= character <= "\udfff" for character in name)
