"""Counters of all processes together, in the broker. Counting costs memory only: a thread writes every few seconds.

They begin at 0 when the broker forgets. A process that is killed loses what it counted in the last seconds.
"""

import json
import threading
from collections import defaultdict
from functools import cache, lru_cache
from multiprocessing.util import Finalize

import redis
from django.conf import settings

KEY = "redcoral:counted"
SECONDS = 2.0
MOST = 5000  # different counters that wait while the broker is away

_lock = threading.Lock()
_counted: defaultdict[str, float] = defaultdict(float)
_timer: threading.Timer | None = None


def add(name: str, amount: float = 1, **labels: str) -> None:
    """Counts ``amount`` under ``name`` and ``labels``, of which there must be few."""
    global _timer
    field = _field(name, *sorted(labels.items()))
    with _lock:
        if field in _counted or len(_counted) < MOST:
            _counted[field] += amount
        if _timer is None or not _timer.is_alive():
            _timer = threading.Timer(SECONDS, write)
            _timer.name, _timer.daemon = "counters", True
            _timer.start()


@lru_cache(maxsize=MOST)
def _field(name: str, *labels: tuple[str, str]) -> str:
    return json.dumps([name, dict(labels)])


def write() -> None:
    """Writes what was counted; while the broker is away it waits for the next time."""
    global _timer
    with _lock:
        due, _timer = dict(_counted), None
        _counted.clear()
    if not due:
        return
    try:
        with broker().pipeline() as pipe:
            for field, amount in due.items():
                pipe.hincrbyfloat(KEY, field, amount)
            pipe.execute()
    except redis.RedisError:
        with _lock:
            for field, amount in due.items():
                _counted[field] += amount


def counted() -> dict[str, list[tuple[dict[str, str], float]]]:
    """By name: the labels of each counter, and its sum. Raises redis.RedisError."""
    write()
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for field, amount in broker().hgetall(KEY).items():
        name, labels = json.loads(field)
        found.setdefault(name, []).append((labels, float(amount)))
    return found


def broker() -> redis.Redis:
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


Finalize(None, write, exitpriority=0)  # also where atexit doesn't run: in the processes of a pool
