"""Notices when the clock is set: it is compared with one that nobody sets."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOTICED_SECONDS = 60.0  # less is what time services do all day


def steady_time() -> float:
    """Seconds since the machine started; on Linux also those in which it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True)
class Jump:
    """The clock was set by ``seconds`` (below 0: back), and showed ``at`` afterwards."""

    seconds: float
    at: datetime

    def __str__(self) -> str:
        which, by = "forward" if self.seconds > 0 else "back", timedelta(seconds=round(abs(self.seconds)))
        return f"the clock was set {which} by {by}, to {self.at:%Y-%m-%d %H:%M:%S} UTC"


class Watch:
    """Looks at both clocks. ``jump`` is the last that was noticed, and ``age`` the seconds since then."""

    def __init__(self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady_time) -> None:
        self._wall, self._steady = wall, steady
        self._between = wall() - steady()
        self._noticed_at = 0.0
        self.jump: Jump | None = None

    def look(self) -> Jump | None:
        """The jump since the last look, if there was one."""
        between = self._wall() - self._steady()
        seconds, self._between = between - self._between, between
        return self.note(seconds) if abs(seconds) >= NOTICED_SECONDS else None

    def note(self, seconds: float) -> Jump:
        """A jump by so much that was noticed just now, here or elsewhere."""
        self._noticed_at = self._steady()
        self.jump = Jump(seconds, datetime.fromtimestamp(self._wall(), UTC))
        return self.jump

    @property
    def age(self) -> float:
        return self._steady() - self._noticed_at
