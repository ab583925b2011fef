"""When to come back after a failure: pure, with the time passed in."""

import random
from dataclasses import dataclass, field

FIRST = 0.8  # seconds
CAP = 30.0  # seconds
GOOD = 120.0  # seconds of a connection after which the past is forgotten


@dataclass
class Backoff:
    """Full jitter: a random time up to 0.8 s, doubled each time up to 30 s. A herd comes back spread out."""

    chance: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def failed(self, *, connected_for: float, retry_after: float | None = None) -> float:
        """Seconds to wait after a connection that lived ``connected_for`` seconds (0: it never came about).

        What the server asked for in ``Retry-After`` is the least; the jitter comes on top.
        """
        if connected_for >= GOOD:
            self.failures = 0
        longest = min(CAP, FIRST * 2**self.failures)
        self.failures = min(self.failures + 1, 10)
        return (retry_after or 0.0) + self.chance.uniform(0, longest)

    def ended(self, *, connected_for: float, retry_ms: int) -> float:
        """Seconds to wait after a stream that the server ended in order."""
        if connected_for >= GOOD:
            self.failures = 0
        return min(CAP, retry_ms / 1000) * self.chance.uniform(1.0, 1.25)
