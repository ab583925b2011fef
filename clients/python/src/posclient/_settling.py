"""Between the rules and the world: asks the server what the rules want, and writes their steps."""

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ._bridge import Bridge, json_of
from ._errors import Refused, UnexpectedAnswer
from ._files import HASH
from ._images import ImageCache
from ._rules import Change, Fetch, Rules, Step
from ._store import Row, Store

log = logging.getLogger("posclient")

DELTA_LIMIT = 2000  # changes in one answer
MOST_AHEAD = 200  # new pictures of one step that are waited for; more are an import, and come when they are shown


class Settling:
    def __init__(self, bridge: Bridge, store: Store, images: ImageCache | None, prefetch_seconds: float) -> None:
        self.bridge, self.store = bridge, store
        self.images, self.prefetch_seconds = images, prefetch_seconds

    def settle(self, rules: Rules, stopping: threading.Event) -> Iterator[list[Row]]:
        """Does what the rules want until they want nothing; yields what each step has changed.

        Raises ServerUnavailable, Refused, StorageFull and OutOfStep; what was written until then stays.
        """
        while not stopping.is_set() and (wanted := rules.next()) is not None:
            step = self.fetch(rules, wanted) if isinstance(wanted, Fetch) else wanted
            if step is not None:
                yield from self.write(step)

    def fetch(self, rules: Rules, wanted: Fetch) -> Step | None:
        try:
            if wanted.since is None or wanted.epoch is None:
                return self.fetch_snapshot(rules, wanted.resource)
            return self.fetch_changes(rules, wanted.resource, wanted.since, wanted.epoch)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnexpectedAnswer(f"an answer for {wanted.resource} without what it needs: {error!r}") from error

    def fetch_snapshot(self, rules: Rules, resource: str) -> Step | None:
        try:
            body = self.bridge.get_json(f"/api/sync/{resource}")
        except Refused as refused:
            if refused.code != "unknown_resource":
                raise
            rules.unknown(resource)
            return None
        check(body, resource)
        items = {str(item["id"]): item for item in body["items"]}
        return rules.snapshot(resource, body["epoch"], int(body["version"]), items.values())

    def fetch_changes(self, rules: Rules, resource: str, since: int, epoch: str) -> Step | None:
        asked: dict[str, str | int] = {"since": since, "epoch": epoch, "limit": DELTA_LIMIT}
        try:
            body = json_of(self.bridge.request("GET", f"/api/sync/{resource}/changes", params=asked))
        except Refused as refused:
            if refused.status == 410:
                rules.gone(resource, refused.body.get("epoch"), refused.body.get("version"))
                return None
            if refused.code != "unknown_resource":
                raise
            rules.unknown(resource)
            return None
        check(body, resource)
        changes = [
            Change(resource, change["action"], str(change["id"]), int(change["version"]), change["data"])
            for change in body["changes"]
        ]
        return rules.delta(resource, body["epoch"], int(body["from"]), int(body["to"]), int(body["head"]), changes)

    def hear_status(self, rules: Rules, status: Any) -> None:
        try:
            rules.status(status["epoch"], status["versions"])
        except (KeyError, TypeError, AttributeError) as error:
            raise UnexpectedAnswer("a status without what it needs") from error

    def write(self, step: Step) -> list[list[Row]]:
        """Fetches the pictures that the step newly names, then writes it."""
        changes, texts = self.store.effect(step)
        if step.replaced is None or self.store.count(step.replaced):  # at the very first there is nothing to spoil
            self.prefetch(changes)
        return self.store.write(step, changes, texts, now=self.bridge.now())

    def prefetch(self, changes: list[Change]) -> None:
        """So that nobody who reads the new state shows a hole; a slow picture delays it for a bounded time only."""
        if self.images is None:
            return
        names = [change.data["image"] for change in changes if change.data and "image" in change.data]
        hashes = {name for name in names if isinstance(name, str) and HASH.fullmatch(name)}
        wanted = [hash for hash in hashes if self.images.get_cached_path(hash) is None]
        if not wanted or len(wanted) > MOST_AHEAD:
            return
        thread = threading.Thread(target=self.images.prefetch_images, args=(wanted,), daemon=True)
        thread.start()
        thread.join(self.prefetch_seconds)
        if thread.is_alive():
            log.info("%d new pictures take longer than %g s", len(wanted), self.prefetch_seconds)


def check(body: Mapping[str, Any], resource: str) -> None:
    """An answer for another resource is none of ours, whatever mixed them up."""
    if body["resource"] != resource:
        raise UnexpectedAnswer(f"an answer about {body['resource']} for {resource}")
