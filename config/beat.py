"""The clock of periodic tasks. Nothing that it keeps can stop it: not its file, not the broker, not a wrong clock."""

import json
import logging
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from celery.beat import Scheduler, SchedulingError
from django.utils import timezone

from clocks.jumps import Watch
from clocks.rows import SKEW
from serving import heartbeats

logger = logging.getLogger(__name__)

# What comes round as seldom as this begins anew after a jump: a clock that is ahead for a minute makes everything due.
SELDOM = timedelta(minutes=10)


class Schedule(Scheduler):
    """Celery's schedule. When each task was last sent is kept in a small JSON file, for the next start.

    Celery's own keeps it in a dbm file: beat ended when the disk was full, and a time that was ahead stayed for ever. A
    file that can't be read or written only costs that a task comes earlier or later after a restart.
    """

    sync_every = 60.0  # seconds

    def __init__(self, *arguments: Any, schedule_filename: str, **options: Any) -> None:
        self.path = Path(f"{schedule_filename}.json")
        self.watch = Watch()
        self.trouble = ""  # with the file, as it was logged last
        super().__init__(*arguments, **options)

    def setup_schedule(self) -> None:
        super().setup_schedule()
        now, kept = timezone.now(), self.kept()
        for name, at in kept.items():
            if name in self.schedule:
                self.schedule[name].last_run_at = min(at, now)
        if (newest := max(kept.values(), default=now)) > now + SKEW:
            logger.warning("Noticed at the start: %s", self.watch.note((now - newest).total_seconds()))

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Sends what is due; how many seconds to sleep."""
        now = timezone.now()
        if jump := self.watch.look():
            logger.warning("Noticed: %s", jump)
            self.begin_anew(now)
        heartbeats.beat_lives(self.watch)
        seconds: float = super().tick(*arguments, **options)
        return seconds

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """A broker that fails costs a line in the log, and this time."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            logger.error("Not sent: %s", error)

    def begin_anew(self, now: datetime) -> None:
        """After a jump: what was sent in the future counts as sent now, and so does what comes round seldom."""
        for entry in self.schedule.values():
            if entry.last_run_at > now or entry.schedule.run_every >= SELDOM:
                entry.last_run_at = now
        self._heap = None  # it has the old times

    def kept(self) -> dict[str, datetime]:
        """The times in the file; none when it can't be read."""
        try:
            found = json.loads(self.path.read_text())
            return {str(name): datetime.fromisoformat(at).astimezone() for name, at in found.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
            logger.warning("The times of periodic tasks can't be read, so they begin anew: %s", error)
        return {}

    def sync(self) -> None:
        times = {name: entry.last_run_at.isoformat() for name, entry in self.schedule.items()}
        draft = self.path.with_suffix(".draft")
        try:
            draft.write_text(json.dumps(times, indent=1))
            os.replace(draft, self.path)
        except OSError as error:
            if (trouble := str(error)) != self.trouble:
                logger.warning("The times of periodic tasks can't be kept; they are still sent: %s", trouble)
            self.trouble = trouble
        else:
            self.trouble = ""

    @property
    def info(self) -> str:
        return f"    . file -> {self.path}"
