"""One run of an outbox: what the server lacks goes there, by steps that may all be repeated.

A picture for nobody in particular is one request. One for a product takes the way that survives everything: register
with an id of our own, PUT, process, look until it is ready.
"""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._errors import NotAllowed, NotEnrolled, Refused, ServerUnavailable, UnexpectedAnswer

if TYPE_CHECKING:
    from ._images import Progress
    from ._outbox import Outbox, Waiting

log = logging.getLogger("posclient")

ASKED_AT_ONCE = 1000  # hashes in one question for what is missing
CLEANUP_TRIES = 3
FRESH_STARTS = 3  # an expired address, an album that is gone, a lost upload: register anew, so often
JPEG = {"Content-Type": "image/jpeg"}


class Failure(Exception):
    """It would fail the next time as well; the message says why."""


class Sending:
    def __init__(self, outbox: "Outbox", *, wait_seconds: float, progress: "Progress | None") -> None:
        self.outbox, self.bridge = outbox, outbox.bridge
        self.wait_seconds, self.progress = wait_seconds, progress
        self.uploaded = self.already_there = self.settled = 0
        self.offline = False
        self.is_settled = False  # what the last look at a photo showed
        self.lost_in: set[str] = set()  # albums in which a step was lost

    def run(self) -> tuple[int, int]:
        """How many were uploaded, and how many were there already."""
        photos = self.outbox.waiting()
        for photo in photos:
            if photo.cleanup:
                self.clean_up(photo)
        todo = [photo for photo in photos if not photo.failed]
        self.of = len(todo)
        # A run that ended between two steps: the server looks what became of them before we do.
        self.reconcile({photo.album for photo in todo if photo.album and photo.step in ("sent", "asked")})
        self.send_plain([photo for photo in todo if photo.product is None])
        self.send_for_products([photo for photo in todo if photo.product is not None])
        self.reconcile(self.lost_in)
        return self.uploaded, self.already_there

    def attempt(self, send: Any, photo: "Waiting") -> bool:
        """Whether ``send(photo)`` got through; what it meets is noted with the photo."""
        if self.offline:
            return False
        try:
            with understanding():
                send(photo)
        except (NotEnrolled, NotAllowed):
            raise
        except ServerUnavailable as error:
            self.outbox.postpone(photo, str(error))
            if photo.product is not None and (album := self.outbox.album()):
                self.lost_in.add(album)
            self.offline = not self.bridge.is_network_available()
            return False
        except (Refused, Failure) as error:
            self.fail(photo, error)
            return False
        return True

    def fail(self, photo: "Waiting", error: Exception) -> None:
        log.warning("picture %s wasn't taken: %s", photo.hash, error)
        self.outbox.fail(photo, Failure(str(error)))
        self.progressed()
        if photo.product is not None:
            self.clean_up(photo)

    def finish(self, photo: "Waiting", *, was_there: bool = False) -> None:
        self.outbox.done(photo)
        if was_there:
            self.already_there += 1
        else:
            self.uploaded += 1
        self.progressed()

    def progressed(self) -> None:
        self.settled += 1
        if self.progress is not None:
            self.progress(self.settled, self.of)

    # --- For nobody in particular -----------------------------------------------------------------------------
    def send_plain(self, photos: "list[Waiting]") -> None:
        for start in range(0, len(photos), ASKED_AT_ONCE):
            part = photos[start : start + ASKED_AT_ONCE]
            try:
                with understanding():
                    answer = self.bridge.post_json("/api/images/missing", {"hashes": [photo.hash for photo in part]})
                    missing = set(answer["missing"])
            except ServerUnavailable as error:
                for photo in part:
                    self.outbox.postpone(photo, str(error))
                self.offline = not self.bridge.is_network_available()
                continue
            for photo in part:
                if photo.hash in missing:
                    self.attempt(self.send_image, photo)
                else:
                    self.finish(photo, was_there=True)

    def send_image(self, photo: "Waiting") -> None:
        answer = self.bridge.request("POST", "/api/images", content=self.bytes_of(photo), headers=JPEG).json()
        if answer["hash"] != photo.hash:
            raise Failure(f"the server made another picture of it: {answer['hash']}")
        self.finish(photo)

    def bytes_of(self, photo: "Waiting") -> bytes:
        data = self.outbox.read(photo)
        if data is None:
            raise Failure("the picture's file is gone or damaged")
        return data

    # --- For a product ----------------------------------------------------------------------------------------
    def send_for_products(self, photos: "list[Waiting]") -> None:
        """Those of one product one after the other: it is to show the last, whichever is processed sooner."""
        while photos and not self.offline:
            turn = list({photo.product: photo for photo in reversed(photos)}.values())[::-1]
            self.wait_for([photo for photo in turn if self.attempt(self.send_for_product, photo)])
            left = {(photo.hash, photo.product) for photo in self.outbox.waiting() if not photo.failed}
            had = {photo.id for photo in turn}
            held_up = {photo.product for photo in turn if (photo.hash, photo.product) in left}
            photos = [photo for photo in photos if photo.id not in had and photo.product not in held_up]

    def send_for_product(self, photo: "Waiting") -> None:
        """Until the server was asked to process it."""
        if photo.step == "asked" and self.is_known(photo):
            return
        for _start in range(FRESH_STARTS):
            try:
                upload = self.register(photo)
                if upload is not None:
                    self.put(photo, upload)
                    self.outbox.note(photo, step="sent")
                self.bridge.post_json(f"/api/photos/{photo.id}/process")
            except Refused as refused:
                if (refused.status, refused.code) == (404, "not_found") or refused.code == "album_full":
                    self.outbox.set_album(None)
                elif refused.code not in ("upload_expired", "not_uploaded"):
                    raise
            else:
                self.outbox.note(photo, step="asked")
                return
        raise ServerUnavailable("the server doesn't get along with this upload")

    def is_known(self, photo: "Waiting") -> bool:
        """Whether the server still knows the photo; after a restored backup it may not."""
        try:
            return bool(self.bridge.get_json(f"/api/photos/{photo.id}")["status"] != "pending")
        except Refused as refused:
            if refused.status == 404:
                return False
            raise

    def register(self, photo: "Waiting") -> dict[str, Any] | None:
        """Where to PUT it; None when no bytes are needed any more. The same id again gives the same photo."""
        album = self.outbox.album()
        if album is None:
            album = str(self.bridge.post_json("/api/albums", {"name": "Sent by a terminal"})["id"])
            self.outbox.set_album(album)
        self.outbox.note(photo, step="registered", album=album)
        body = {
            "id": photo.id,
            "filename": photo.filename,
            "content_type": "image/jpeg",
            "size": photo.size,
            "sha256": photo.hash,
            "product": photo.product,
        }
        try:
            upload: dict[str, Any] | None = self.bridge.post_json(f"/api/albums/{album}/photos", body)["upload"]
        except Refused as refused:
            if refused.code != "conflict":
                raise
            # The id is known with another album or product: it is of no use any more.
            self.outbox.renumber(photo)
            raise ServerUnavailable("the id was taken; the next time with another one") from refused
        return upload

    def put(self, photo: "Waiting", upload: dict[str, Any]) -> None:
        try:
            self.bridge.request(
                upload["method"],
                upload["url"],
                content=self.bytes_of(photo),
                headers=upload["headers"],
                anonymous=True,
            )
        except Refused as refused:
            if refused.status == 412:
                return  # "already there": somebody's earlier try, perhaps ours
            if refused.status == 403 and refused.code not in ("upload_expired", "unexpected_answer"):
                raise Failure(str(refused)) from refused  # about this address, not about the device
            if refused.status == 403:  # a bucket answers in words of its own when an address has expired
                raise Refused(403, "upload_expired") from refused
            raise

    def wait_for(self, photos: "list[Waiting]") -> None:
        """Until each is ready or failed, or the time is over: then it is looked at the next time."""
        deadline = time.monotonic() + self.wait_seconds
        pause = 0.05
        while photos and not self.offline:
            photos = [photo for photo in photos if self.attempt(self.look, photo) and not self.is_settled]
            if not photos or time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)
        self.wait_seconds = max(0.0, deadline - time.monotonic())  # it is for all turns together

    def look(self, photo: "Waiting") -> None:
        self.is_settled = False
        try:
            now = self.bridge.get_json(f"/api/photos/{photo.id}")
        except Refused as refused:
            if refused.status != 404:
                raise
            self.outbox.note(photo, step="new")
            raise ServerUnavailable("the server has forgotten this photo; it begins anew the next time") from refused
        self.is_settled = now["status"] in ("ready", "failed")
        if now["status"] == "failed":
            raise Failure(f"the server couldn't process it: {now['error']}")
        if now["status"] == "ready":
            if now["hash"] != photo.hash:
                log.warning("the server made %s of the picture %s", now["hash"], photo.hash)
            self.finish(photo)

    # --- When something was lost ------------------------------------------------------------------------------
    def reconcile(self, albums: set[str]) -> None:
        """The server compares its records of these albums with what was sent; a hint, not needed for our own way."""
        for album in sorted(albums):
            try:
                self.bridge.post_json(f"/api/albums/{album}/reconcile")
            except (NotEnrolled, NotAllowed):
                raise
            except (ServerUnavailable, Refused) as error:
                log.info("album %s wasn't reconciled: %s", album, error)

    def clean_up(self, photo: "Waiting") -> None:
        """The server forgets the photo: three tries now, and again with the next run."""
        for attempt in range(1, CLEANUP_TRIES + 1):
            try:
                self.bridge.request("DELETE", f"/api/photos/{photo.id}")
            except (NotEnrolled, NotAllowed):
                raise
            except ServerUnavailable as error:
                log.info("photo %s isn't cleaned up yet (%d): %s", photo.id, attempt, error)
                if attempt < CLEANUP_TRIES:
                    time.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - spreads a herd
            except Refused as error:
                log.warning("photo %s isn't cleaned up: %s", photo.id, error)
                return
            else:
                self.outbox.cleaned(photo)
                return


@contextmanager
def understanding() -> Iterator[None]:
    """An answer without what it needs isn't our server's: UnexpectedAnswer."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise UnexpectedAnswer(f"an answer without what it needs: {error!r}") from error
