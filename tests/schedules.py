"""Schedules that Hypothesis makes up for a state machine."""

import hypothesis
from django.db import connection
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

# Each database sees schedules of its own, so that a run of the suite on both has seen twice as many.
SEEDS = {"sqlite": 1, "postgresql": 2}


def run_schedules(machine: type[RuleBasedStateMachine], schedules: int, *, steps: int, repeatable: bool) -> None:
    """Runs so many of ``steps`` rules. Repeatable ones are the same in every run: a red one is about a change."""
    if repeatable:
        hypothesis.seed(SEEDS[connection.vendor])(machine)
    settings = hypothesis.settings(
        max_examples=schedules,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(machine, settings=settings)
