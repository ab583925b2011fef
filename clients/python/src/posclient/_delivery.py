"""One run of an outbox: what the server lacks goes there, by steps that may all be repeated.

A photo for no product is one request with its image. One for a product goes the way that survives everything: see
``_photos.deliver``.
"""

import logging
import random
import time
from collections.abc import Callable
from functools import partial

from . import _photos
from ._answers import reading
from ._bridge import Bridge
from ._errors import NotAllowed, NotEnrolled, Refused, ServerUnavailable
from ._images import ImageCache, Progress
from ._outbox_store import OutboxStore, Waiting, whole_bytes
from ._photos import Declaration

logger = logging.getLogger("posclient")

ASKED_AT_ONCE = 1000  # hashes in one question for what is missing
CLEANUP_TRIES = 3
ALBUM_TRIES = 3  # an album that is gone or full: another one, so often
JPEG = {"Content-Type": "image/jpeg"}


class Failure(Exception):
    """It would fail the next time as well; the message says why."""


class Delivery:
    """``run`` sends what waits in ``store``, and counts in ``uploaded`` and ``already_there``.

    ``wait_seconds``: how long, altogether, photos are waited for until the server has processed them.
    One run at a time.
    """

    def __init__(
        self,
        store: OutboxStore,
        bridge: Bridge,
        images: ImageCache,
        *,
        wait_seconds: float,
        progress: Progress | None = None,
    ) -> None:
        self.store, self.bridge, self.images = store, bridge, images
        self.wait_seconds, self.progress = wait_seconds, progress
        self.uploaded = self.already_there = self.ended = self.of = 0
        self.offline = False
        self.lost_in: set[str] = set()  # albums in which a step was lost

    def run(self) -> None:
        """Raises NotEnrolled, NotAllowed and StorageFull; everything else is noted with its photo."""
        photos = self.store.all()
        for photo in photos:
            if photo.cleanup:
                self.clean_up(photo)
        todo = [photo for photo in photos if not photo.failed]
        self.of = len(todo)
        # A run that ended between two steps: the server looks what became of them before we do.
        self.reconcile({photo.album for photo in todo if photo.album and photo.step != "new"})
        self.send_images([photo for photo in todo if photo.product is None])
        self.send_for_products([photo for photo in todo if photo.product is not None])
        self.reconcile(self.lost_in)

    def attempt(self, step: Callable[[Waiting], bool], photo: Waiting) -> bool:
        """What ``step(photo)`` answers; False when it didn't get through, which is noted with the photo."""
        if self.offline:
            return False
        try:
            with reading("an answer"):
                return step(photo)
        except (NotEnrolled, NotAllowed):
            raise
        except ServerUnavailable as error:
            self.postpone([photo], error)
        except (Refused, Failure) as error:
            self.fail(photo, error)
        return False

    def postpone(self, photos: list[Waiting], error: ServerUnavailable) -> None:
        for photo in photos:
            self.store.postpone(photo, str(error))
            if photo.product is not None and (album := self.store.album()):
                self.lost_in.add(album)
        self.offline = not self.bridge.is_network_available()

    def fail(self, photo: Waiting, error: Exception) -> None:
        logger.warning("photo %s wasn't taken: %s", photo.hash, error)
        self.store.fail(photo, str(error))
        self.count()
        if photo.product is not None:
            self.clean_up(photo)

    def finish(self, photo: Waiting, *, was_there: bool = False) -> None:
        """The server has it: the cache takes the image over."""
        self.images.adopt(photo.hash, self.store.file(photo.hash))
        self.store.done(photo)
        if was_there:
            self.already_there += 1
        else:
            self.uploaded += 1
        self.count()

    def count(self) -> None:
        self.ended += 1
        if self.progress is not None:
            self.progress(self.ended, self.of)

    def bytes_of(self, photo: Waiting) -> bytes:
        """Of the file that waits, or of the cache's. Raises Failure."""
        data = self.store.read(photo.hash)
        if data is None and (cached := self.images.get_cached_path(photo.hash)) is not None:
            data = whole_bytes(cached, photo.hash)
        if data is None:
            raise Failure("the picture's file is gone or damaged")
        return data

    # --- For no product ---------------------------------------------------------------------------------------
    def send_images(self, photos: list[Waiting]) -> None:
        for start in range(0, len(photos), ASKED_AT_ONCE):
            part = photos[start : start + ASKED_AT_ONCE]
            try:
                with reading("an answer about images"):
                    answer = self.bridge.post_json("/api/images/missing", {"hashes": [photo.hash for photo in part]})
                    missing = set(answer["missing"])
            except ServerUnavailable as error:
                self.postpone(part, error)
                continue
            for photo in part:
                if photo.hash in missing:
                    self.attempt(self.send_image, photo)
                else:
                    self.finish(photo, was_there=True)

    def send_image(self, photo: Waiting) -> bool:
        answer = self.bridge.request("POST", "/api/images", content=self.bytes_of(photo), headers=JPEG).json()
        if answer["hash"] != photo.hash:
            raise Failure(f"the server made another picture of it: {answer['hash']}")
        self.finish(photo)
        return True

    # --- For a product ----------------------------------------------------------------------------------------
    def send_for_products(self, photos: list[Waiting]) -> None:
        """Those of one product one after the other: it is to show the last, whichever is processed sooner."""
        while photos and not self.offline:
            firsts = list({photo.product: photo for photo in reversed(photos)}.values())[::-1]
            self.wait_for([photo for photo in firsts if self.attempt(self.send_for_product, photo)])
            left = {(photo.hash, photo.product) for photo in self.store.all() if not photo.failed}
            sent = {photo.id for photo in firsts}
            held_up = {photo.product for photo in firsts if (photo.hash, photo.product) in left}
            photos = [photo for photo in photos if photo.id not in sent and photo.product not in held_up]

    def send_for_product(self, photo: Waiting) -> bool:
        """True, once the server was asked to process it."""
        if photo.step == "asked" and self.is_known(photo):
            return True
        declaration = Declaration(photo.id, photo.filename, "image/jpeg", photo.size, photo.hash, photo.product)
        for _try in range(ALBUM_TRIES):
            album = self.album()
            self.store.note(photo, step="registered", album=album)
            try:
                _photos.deliver(self.bridge, album, declaration, partial(self.bytes_of, photo))
            except Refused as refused:
                if refused.code == "conflict":  # the id is known with another album or product, and of no use any more
                    self.store.renumber(photo)
                    raise ServerUnavailable("the id was taken; the next time with another one") from refused
                if refused.code not in ("not_found", "album_full"):
                    raise
                self.store.set_album(None)
            else:
                self.store.note(photo, step="asked")
                return True
        raise ServerUnavailable("the server doesn't get along with this upload")

    def album(self) -> str:
        """The album that photos for products go into; a new one when there is none."""
        album = self.store.album()
        if album is None:
            album = str(self.bridge.post_json("/api/albums", {"name": "Sent by a terminal"})["id"])
            self.store.set_album(album)
        return album

    def is_known(self, photo: Waiting) -> bool:
        """Whether the server still has the photo and its bytes; after a restored backup it may not."""
        try:
            return bool(_photos.state(self.bridge, photo.id)["status"] != "pending")
        except Refused as refused:
            if refused.status == 404:
                return False
            raise

    def wait_for(self, photos: list[Waiting]) -> None:
        """Until each is ready or failed, or the time is over: then it is looked at with the next run."""
        deadline = time.monotonic() + self.wait_seconds
        pause = 0.05
        while photos := [photo for photo in photos if self.attempt(self.is_under_way, photo)]:
            if time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)
        self.wait_seconds = max(0.0, deadline - time.monotonic())  # it is for the photos of all rounds

    def is_under_way(self, photo: Waiting) -> bool:
        """Whether the server still has to process the photo; finishes one that is ready."""
        try:
            now = _photos.state(self.bridge, photo.id)
        except Refused as refused:
            if refused.status != 404:
                raise
            self.store.note(photo, step="new")
            raise ServerUnavailable("the server has forgotten this photo; it begins anew the next time") from refused
        if now["status"] == "failed":
            raise Failure(f"the server couldn't process it: {now['error']}")
        if now["status"] == "ready":
            if now["hash"] != photo.hash:
                logger.warning("the server made %s of the photo %s", now["hash"], photo.hash)
            self.finish(photo)
        return bool(now["status"] != "ready")

    # --- When something was lost ------------------------------------------------------------------------------
    def reconcile(self, albums: set[str]) -> None:
        """The server compares its records of these albums with what was sent. A hint: we don't depend on it."""
        for album in sorted(albums):
            try:
                self.bridge.post_json(f"/api/albums/{album}/reconcile")
            except (NotEnrolled, NotAllowed):
                raise
            except (ServerUnavailable, Refused) as error:
                logger.info("album %s wasn't reconciled: %s", album, error)

    def clean_up(self, photo: Waiting) -> None:
        """The server forgets the photo: three tries now, and again with the next run."""
        for attempt in range(1, CLEANUP_TRIES + 1):
            try:
                _photos.forget(self.bridge, photo.id)
            except (NotEnrolled, NotAllowed):
                raise
            except ServerUnavailable as error:
                logger.info("photo %s isn't cleaned up yet (%d): %s", photo.id, attempt, error)
                if attempt < CLEANUP_TRIES:
                    time.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - spreads a herd
            except Refused as error:
                logger.warning("photo %s isn't cleaned up: %s", photo.id, error)
                return
            else:
                self.store.cleaned(photo)
                return
