"""Between the rules and the world: asks the server what the rules want, and writes their steps."""

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ._answers import reading
from ._bridge import Bridge
from ._errors import Refused, UnexpectedAnswer
from ._files import is_hash
from ._images import ImageCache
from ._replica_store import ReplicaStore, Row
from ._rules import Change, Fetch, Rules, Step

logger = logging.getLogger("posclient")

DELTA_LIMIT = 2000  # changes in one answer
MOST_AHEAD = 200  # new images of one step that are waited for; more are an import, and come when they are shown


class CatchingUp:
    """Brings ``store`` to where the rules know the server to be.

    ``images``: where the images that an object newly names are fetched to before the object is written, for at most
    ``prefetch_seconds``. None: they aren't.
    """

    def __init__(self, bridge: Bridge, store: ReplicaStore, images: ImageCache | None, prefetch_seconds: float) -> None:
        self.bridge, self.store = bridge, store
        self.images, self.prefetch_seconds = images, prefetch_seconds

    def run(self, rules: Rules, stopping: threading.Event) -> Iterator[list[Row]]:
        """Does what the rules want until they want nothing; yields what each step has changed.

        Raises ServerUnavailable, Refused and StorageFull; what was written until then stays.
        """
        while not stopping.is_set() and (wanted := rules.next()) is not None:
            step = self.fetch(rules, wanted) if isinstance(wanted, Fetch) else wanted
            if step is not None and (told := self.write(step)):
                yield told

    def ask_status(self, rules: Rules) -> None:
        """Tells the rules the heads of the server."""
        status = self.bridge.get_json("/api/sync/status")
        with reading("a status"):
            rules.status(status["epoch"], status["versions"])

    def fetch(self, rules: Rules, wanted: Fetch) -> Step | None:
        """The step that the answer makes; None when it made none, and the rules want something else."""
        try:
            with reading(f"an answer for {wanted.resource}"):
                if wanted.since is None or wanted.epoch is None:
                    return self.fetch_snapshot(rules, wanted.resource)
                return self.fetch_changes(rules, wanted.resource, wanted.since, wanted.epoch)
        except Refused as refused:
            if refused.code != "unknown_resource":
                raise
            rules.unknown(wanted.resource)
            return None

    def fetch_snapshot(self, rules: Rules, resource: str) -> Step | None:
        body = self.bridge.get_json(f"/api/sync/{resource}")
        check(body, resource)
        items = {str(item["id"]): item for item in body["items"]}
        return rules.snapshot(resource, body["epoch"], int(body["version"]), items.values())

    def fetch_changes(self, rules: Rules, resource: str, since: int, epoch: str) -> Step | None:
        asked: dict[str, str | int] = {"since": since, "epoch": epoch, "limit": DELTA_LIMIT}
        try:
            body = self.bridge.get_json(f"/api/sync/{resource}/changes", params=asked)
        except Refused as refused:
            if refused.status != 410:
                raise
            rules.gone(resource, refused.body.get("epoch"), refused.body.get("version"))
            return None
        check(body, resource)
        changes = [
            Change(resource, change["action"], str(change["id"]), int(change["version"]), change["data"])
            for change in body["changes"]
        ]
        return rules.delta(resource, body["epoch"], int(body["from"]), int(body["to"]), int(body["head"]), changes)

    def write(self, step: Step) -> list[Row]:
        """Fetches the images that the step newly names, then writes it."""
        changes, texts = self.store.effect(step)
        if step.replaced is None or self.store.count(step.replaced):  # at the very first there is nothing to spoil
            self.prefetch(changes)
        return self.store.write(step, changes, texts, now=self.bridge.now())

    def prefetch(self, changes: list[Change]) -> None:
        """So that nobody who reads the new state shows a hole. A slow image delays it for a bounded time only."""
        if self.images is None:
            return
        named = [change.data["image"] for change in changes if change.data and "image" in change.data]
        hashes = {name for name in named if is_hash(name)}
        wanted = [hash for hash in hashes if self.images.get_cached_path(hash) is None]
        if not wanted or len(wanted) > MOST_AHEAD:
            return
        thread = threading.Thread(target=self.images.prefetch_images, args=(wanted,), daemon=True)
        thread.start()
        thread.join(self.prefetch_seconds)
        if thread.is_alive():
            logger.info("%d new images take longer than %g s", len(wanted), self.prefetch_seconds)


def check(body: Mapping[str, Any], resource: str) -> None:
    """An answer for another resource is none of ours, whatever mixed them up."""
    if body["resource"] != resource:
        raise UnexpectedAnswer(f"an answer about {body['resource']} for {resource}")
