"""Schedules: steps that are drawn at random, done one after the other by a machine that checks its promises.

They are drawn evenly. Hypothesis, which looks for what is near to what it has tried, came to a tenth of the events.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from django.db import connection

Step = tuple[str, Any]  # a method of the machine, and its argument
Steps = Mapping[str, tuple[Callable[[Random], Any], int]]  # what each takes, and how often it comes beside the others

# Each database sees schedules of its own, so that a run of the suite on both has seen twice as many.
SEEDS = {"sqlite": 1, "postgresql": 2}


class Machine:
    """Made anew for each schedule. Its steps are methods with one argument."""

    def do(self, step: str, argument: Any) -> None:
        """One step; fails when a promise is broken after it."""
        getattr(self, step)(argument)

    def end(self) -> None:
        """Lets everything come to rest, looks at what came of it, and clears up; also after a step that failed."""


def run_schedules(
    machine: type[Machine], steps: Steps, schedules: int, *, length: int, first: Sequence[str] = (), repeatable: bool
) -> None:
    """Runs so many of ``length`` steps, behind those that come ``first``. Repeatable ones are the same in every run.

    A failure names the steps that are needed for it: `run` repeats them.
    """
    seed = SEEDS[connection.vendor] if repeatable else secrets.randbits(32)
    often = [often for _, often in steps.values()]
    for number in range(schedules):
        random = Random(f"{seed} {number}")  # noqa: S311 - a schedule, no secret
        names = [*first, *random.choices(list(steps), often, k=length)]
        schedule = [(name, steps[name][0](random)) for name in names]
        try:
            run(machine, schedule)
        except Exception as failure:
            needed = "\n".join(f"    {step!r}," for step in shortened(machine, schedule))
            failure.add_note(f"Schedule {number} of seed {seed} fails, and needs for it:\n{needed}")
            raise


def run(machine: type[Machine], schedule: Sequence[Step]) -> None:
    running = machine()
    try:
        for step, argument in schedule:
            running.do(step, argument)
    finally:
        running.end()


def shortened(machine: type[Machine], schedule: Sequence[Step]) -> list[Step]:
    """What is left of a schedule that fails when each step is left out without which it still does."""
    left = list(schedule)
    for at in reversed(range(len(left))):
        without = left[:at] + left[at + 1 :]
        try:
            run(machine, without)
        except Exception:  # noqa: BLE001 - whatever fails
            left = without
    return left
