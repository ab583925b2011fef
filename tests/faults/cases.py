"""What may go wrong at once while one photo is on its way, and the selections of it that tests run."""

from dataclasses import astuple, dataclass, fields
from itertools import combinations, product

NOBODY = "nobody"
# Where whoever is at work is killed; in the order in which a photo passes.
TERMINAL_STEPS = (
    "after the row",
    "after presign",
    "during PUT",
    "after PUT",
    "before enqueue",
    "after enqueue",
)
WORKER_STEPS = (
    "before claim",
    "after claim",
    "after normalise",
    "after store",
    "before the final commit",
    "after the final commit",
    "after the drop",
    "before ack",
)
STEPS = (NOBODY, *TERMINAL_STEPS, *WORKER_STEPS)

FINE = "fine"
STORAGE = (FINE, "500", "time-out", "403", "lost response")

# The requests of a photo's way to the storage: method and beginning of the key.
PUT = ("PUT", "originals/")
LOOK_UP = ("HEAD", "originals/")
FETCH = ("GET", "originals/")
STORE = ("PUT", "images/")
DROP = ("DELETE", "originals/")
# Which of them fails: the one before the kill where there is one, so that the kill comes in spite of it, else the next.
NEXT_TO = {
    "after the row": LOOK_UP,
    "after presign": LOOK_UP,
    "during PUT": LOOK_UP,
    "after PUT": PUT,
    "before enqueue": LOOK_UP,
    "after enqueue": LOOK_UP,
    "before claim": FETCH,
    "after claim": FETCH,
    "after normalise": FETCH,
    "after store": STORE,
    "before the final commit": STORE,
    "after the final commit": STORE,
    "after the drop": DROP,
    "before ack": DROP,
}
EVERY_REQUEST = (PUT, LOOK_UP, FETCH, STORE, DROP)


@dataclass(frozen=True)
class Case:
    """One combination of faults; the default is none."""

    killed: str = NOBODY
    storage: str = FINE
    broker: str = FINE  # or "lost", with all messages in it: before the photo is queued, or at the worker's step
    delivery: str = "once"  # or "twice": each message comes double
    workers: str = "one"  # or "two"
    request: tuple[str, str] = LOOK_UP  # the one that fails

    def __str__(self) -> str:
        method, prefix = self.request
        storage = self.storage if self.storage == FINE else f"{self.storage} at {method} {prefix}"
        return f"{self.killed}, storage {storage}, broker {self.broker}, {self.delivery}, {self.workers}"


DEFAULT = Case()
FACTORS = {
    "killed": STEPS,
    "storage": STORAGE,
    "broker": (FINE, "lost"),
    "delivery": ("once", "twice"),
    "workers": ("one", "two"),
}
assert [*FACTORS, "request"] == [field.name for field in fields(Case)]


def all_cases() -> list[Case]:
    """The full product; where nobody is killed, each request of the way fails once."""
    return [
        Case(killed, storage, broker, delivery, workers, request)
        for killed, storage, broker, delivery, workers in product(*FACTORS.values())
        for request in failing(killed, storage)
    ]


def failing(killed: str, storage: str) -> tuple[tuple[str, str], ...]:
    if storage == FINE:
        return (DEFAULT.request,)
    return (NEXT_TO[killed],) if killed in NEXT_TO else EVERY_REQUEST


def each_step_with_each_fault() -> list[Case]:
    """Every step alone, and with every other fault alone: whatever pairs with a step is in here."""
    return [one for one in all_cases() if faults_beside_the_kill(one) <= 1]


def faults_beside_the_kill(one: Case) -> int:
    values = astuple(one)[1 : len(FACTORS)]
    return sum(value != usual for value, usual in zip(values, astuple(DEFAULT)[1 : len(FACTORS)], strict=True))


def pairs(one: Case) -> set[tuple[tuple[str, str], ...]]:
    """The pairs of (factor, value) that a case covers."""
    return set(combinations([(name, getattr(one, name)) for name in FACTORS], 2))


def selection() -> list[Case]:
    """Each step with each fault, and as many more that every two values of two factors meet."""
    chosen = each_step_with_each_fault()
    covered = set().union(*map(pairs, chosen))
    candidates = all_cases()
    while missing := set().union(*map(pairs, candidates)) - covered:
        # Greedy; where several cover as much, the next step is preferred, so that the combinations spread over the way.
        next_step = len(chosen)
        order = sorted(candidates, key=lambda one: (STEPS.index(one.killed) - next_step) % len(STEPS))
        best = max(order, key=lambda one: len(pairs(one) & missing))
        chosen.append(best)
        covered |= pairs(best)
    return chosen
