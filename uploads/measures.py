"""What became of photos, counted for all processes together: `/metrics` shows it."""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

from . import broker

OUTCOMES = ("ready", "failed", "given_back", "put_back", "lease_lost")  # of one attempt
SCOPES = ("all", "album")  # of a pass of reconciliation
DECISIONS = ("requeued", "cleaned", "skipped", "unknown")  # about one photo in a pass
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


def attempted(outcome: str, seconds: float) -> None:
    """Counts an attempt with one photo, which ended like this after so long."""
    broker.add({f"attempts:{outcome}": 1, f"seconds:{bisect_left(BUCKETS, seconds)}": 1, "seconds:sum": seconds})


def passed(scope: str, **decisions: int) -> None:
    """Counts a pass over one album or over all photos, which ended with these ``DECISIONS``."""
    broker.add({f"passes:{scope}": 1, **{f"{scope}:{name}": count for name, count in decisions.items() if count}})


@dataclass(frozen=True)
class Measured:
    """Totals since the broker began to remember."""

    attempts: dict[str, float]  # by outcome
    seconds: list[tuple[str, float]]  # (upper bound, attempts that took at most so long)
    seconds_sum: float
    passes: dict[str, float]  # by scope
    decisions: dict[tuple[str, str], float] = field(default_factory=dict)  # by scope and decision


def measured() -> Measured:
    """Raises redis.RedisError when the broker doesn't answer."""
    found = broker.counters()
    each = [found.get(f"seconds:{bucket}", 0.0) for bucket in range(len(BUCKETS) + 1)]
    bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
    return Measured(
        attempts={name: found.get(f"attempts:{name}", 0.0) for name in OUTCOMES},
        seconds=list(zip(bounds, accumulate(each), strict=True)),
        seconds_sum=found.get("seconds:sum", 0.0),
        passes={scope: found.get(f"passes:{scope}", 0.0) for scope in SCOPES},
        decisions={(s, name): found.get(f"{s}:{name}", 0.0) for s in SCOPES for name in DECISIONS},
    )
