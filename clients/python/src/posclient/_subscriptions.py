"""Who is told of changes, and who waits for one."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

logger = logging.getLogger("posclient")


@dataclass(frozen=True, slots=True)
class Update:
    """What a subscriber is told of one object. ``data`` is the object as it is now, None when it is gone.

    ``reloaded`` with id None stands for very many changes of the resource at once: read it again.
    """

    resource: str
    action: Literal["created", "updated", "deleted", "reloaded"]
    id: str | None
    version: int
    data: dict[str, Any] | None


Subscriber = Callable[[list[Update]], None]


class Subscriptions:
    """Threads may share it. Subscribers are called one after the other, in the thread of whoever tells."""

    def __init__(self) -> None:
        self._subscribers: list[tuple[str | None, Subscriber]] = []
        self._changed = threading.Condition()

    def add(self, callback: Subscriber, resource: str | None) -> Callable[[], None]:
        """Calls ``callback`` with the updates of one resource, or of all; the result ends that."""
        entry = (resource, callback)
        self._subscribers.append(entry)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._subscribers.remove(entry)

        return unsubscribe

    def tell(self, updates: list[Update]) -> None:
        """What a subscriber raises is logged."""
        for resource, callback in list(self._subscribers):
            wanted = [update for update in updates if resource in (None, update.resource)]
            if wanted:
                try:
                    callback(wanted)
                except Exception:
                    logger.exception("a subscriber failed")
        self.wake()

    def wake(self) -> None:
        """Whoever waits looks again."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, true: Callable[[], object], *, seconds: float) -> bool:
        """Whether ``true()`` came about in time; looked at whenever somebody was told or woken, and twice a second."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not true():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.5))
        return True
