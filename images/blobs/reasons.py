"""Why the storage failed: each kind of reason is logged once a minute, and every failure is counted."""

import errno
import logging
import threading
import time

from telemetry import counters

logger = logging.getLogger("redcoral.storage")

AGAIN_SECONDS = 60.0
COUNTER = "storage_failures"  # with the label ``reason``
KINDS = {
    errno.EROFS: "read_only",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EIO: "broken",
    errno.EMFILE: "descriptors",
    errno.ENFILE: "descriptors",
}

_lock = threading.Lock()
_told: dict[str, tuple[float, int]] = {}  # by kind: when it was logged (time.monotonic), and how many came since


def kind_of(error: BaseException) -> str:
    """Of an error of the local disk, or of a connection."""
    if isinstance(error, OSError) and error.errno in KINDS:
        return KINDS[error.errno]
    name = type(error).__name__.lower()
    if "timeout" in name:
        return "timeout"
    return "unreachable" if "connect" in name or "endpoint" in name else "other"


def kind_of_status(status: int) -> str:
    """Of an answer of a bucket."""
    if status in (401, 403):
        return "forbidden"
    if status == 429:
        return "throttled"
    if status == 404:
        return "no_bucket"
    return "server_error" if status >= 500 else "refused"


def tell(kind: str, reason: str) -> None:
    """The storage failed for ``reason``, which is of a ``kind``."""
    counters.add(COUNTER, reason=kind)
    now = time.monotonic()
    with _lock:
        at, others = _told.get(kind, (-AGAIN_SECONDS, 0))
        if now - at < AGAIN_SECONDS:
            _told[kind] = at, others + 1
            return
        _told[kind] = now, 0
    logger.error("The storage failed (%s): %s%s", kind, reason, f"; {others} more before" if others else "")


def forget() -> None:
    """Between tests."""
    with _lock:
        _told.clear()
