"""Whatever order things happen in, every replica ends equal to the database: schedules that are drawn.

A schedule is a sequence of the steps below: writers that commit, roll back or hold a transaction open; a hub whose
reads are slow or fail and whose doorbell may stay silent; terminals that lag, stall, lose frames, restart; prunes, new
epochs, restored counters, and ends of the process. After each schedule everything is left to run until nothing moves.

``SCHEDULES`` in the environment is how many; `make soak` runs others, and more. The file is long as it is one machine.
"""

import datetime as dt
import os
from collections import Counter
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from syncing import epochs, feed, frames, log, readers, retention
from syncing.models import Change, SyncedResource
from tests.schedules import Machine, Steps, run_schedules
from tests.syncing.histories import History, Recorded, faults
from tests.syncing.objects import held_objects
from tests.syncing.recorder import Recorder
from tests.syncing.replica import Replica
from tests.syncing.simulation import Process, Turnstile, Wire, alone, read_through
from tests.syncing.writers import RESOURCES, Writer

pytestmark = pytest.mark.django_db(transaction=True)

LENGTH = 24
ROWS_PER_READ, QUEUE_BYTES, CHANGES_PER_ANSWER = 3, 1500, 2

Transaction = tuple[int, list[int], bool]  # who, which edits, whether it commits

seen: Counter[str] = Counter()  # what schedules did, so that a test can say that they did it


def a_transaction(random: Random) -> Transaction:
    edits = [random.randrange(200) for _ in range(random.randint(1, 4))]
    return random.randrange(3), edits, random.random() < 0.8


def nothing(random: Random) -> None:
    """What a step takes that takes nothing."""


def a_terminal(random: Random) -> int:
    return random.randrange(4)


def a_resource(random: Random) -> str:
    return random.choice(RESOURCES)


def yes_or_no(random: Random) -> bool:
    return random.random() < 0.5


# A step, what it takes, and how often it comes, relative to the others.
STEPS: Steps = {
    "write": (lambda random: [a_transaction(random) for _ in range(random.randint(1, 3))], 7),
    "hold_a_transaction_open": (a_transaction, 2),
    "finish_an_open_transaction": (yes_or_no, 4),
    "move_a_horizon": (lambda random: (a_resource(random), random.randrange(3), yes_or_no(random)), 3),
    "delete_below_a_horizon": (a_resource, 1),
    "begin_an_epoch": (yes_or_no, 1),
    "ring": (nothing, 6),
    "bookmark_the_idle": (nothing, 1),
    "end_lives": (nothing, 1),
    "restart_the_process": (yes_or_no, 1),
    "slow_reads_down": (nothing, 1),
    "speed_reads_up": (nothing, 1),
    "let_a_read_look": (nothing, 3),
    "let_an_answer_come": (nothing, 3),
    "fail_the_next_read": (nothing, 1),
    "connect": (a_terminal, 3),
    "leave": (a_terminal, 1),
    "stall_or_read_on": (a_terminal, 3),
    "poll": (a_terminal, 3),
    "lose_a_frame": (a_terminal, 2),
    "work": (lambda random: [random.randrange(7) for _ in range(4)], 7),
}


class Server:
    """What a terminal asks, answered as the views do: a snapshot is built once for each version."""

    def __init__(self) -> None:
        self.built: dict[tuple[UUID, str, int], log.Snapshot] = {}

    def status(self) -> log.Heads:
        return log.heads()

    def snapshot(self, *, name: str) -> log.Snapshot:
        heads = log.heads()
        known = (heads.epoch, name, heads.versions[name])
        if known not in self.built:
            snapshot = log.snapshot(name=name)
            self.built[snapshot.epoch, name, snapshot.version] = snapshot
        return self.built[known]

    def delta(self, *, name: str, since: int, epoch: UUID) -> log.Delta:
        try:
            return log.delta(name=name, since=since, epoch=epoch, limit=CHANGES_PER_ANSWER)
        except log.ResyncRequired as refusal:
            seen[f"refused: {refusal.members['reason']}"] += 1
            raise


def set_counters_back() -> None:
    """As from a backup: every counter falls half of the way to its horizon."""
    for resource in SyncedResource.objects.filter(name__in=RESOURCES):
        version = resource.horizon + (resource.version - resource.horizon) // 2
        Change.objects.filter(resource=resource.name, version__gt=version).delete()
        SyncedResource.objects.filter(pk=resource.pk).update(version=version)


def forget_the_schedule_before() -> None:
    """Its versions go on, in a history of our own."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("diningtable", "zone", "attributeoption", "attribute", "printdestination"):
            cursor.execute(f"DELETE FROM catalog_{table}")
        epochs.begin()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE syncing_resource SET horizon = version")
        cursor.execute("DELETE FROM syncing_change")


class Terminal:
    """A replica and its connection, if it has one."""

    def __init__(self, names: tuple[str, ...], server: Server, *, is_direct: bool) -> None:
        self.replica, self.is_direct = Replica(names, server), is_direct
        self.wire: Wire | None = None
        self.recorded: list[Recorded] = []

    def connect(self, process: Process) -> None:
        self.replica.restart()
        self.wire = process.connect(self.replica.names, self.replica.cursor, is_direct=self.is_direct)

    def leave(self, process: Process) -> None:
        if self.wire is not None:
            process.disconnect(self.wire)
            seen["handed over at once"] += self.wire.offered
            self.recorded.append(Recorded(self.wire.frames, self.wire.cursor))
        self.wire = None
        self.replica.restart()

    def work(self, steps: int = 10_000) -> None:
        """Takes so many steps, fewer when there is nothing left to do."""
        self._hear()
        while steps and self.replica.step():
            steps -= 1

    def lose_a_frame(self) -> bool:
        """The next one that came vanishes, when it is one that others tell about."""
        self._hear()
        lost = bool(self.replica.inbox) and self.replica.inbox[0].event in ("sync", "bookmark")
        if lost:
            self.replica.inbox.popleft()
        return lost

    def _hear(self) -> None:
        if self.wire is not None:
            self.replica.inbox.extend(self.wire.arrived())


NEEDS_A_WRITER = {"write", "hold_a_transaction_open", "move_a_horizon", "delete_below_a_horizon", "begin_an_epoch"}


class Shop(Machine):
    def __init__(self) -> None:
        numbers = count(1)
        self.writers = [Writer(f"writer {n}", numbers) for n in range(3)]
        forget_the_schedule_before()
        self.recorder = Recorder(RESOURCES)
        self.turnstile = Turnstile()
        readers.threads = readers.hub_thread = self.turnstile  # type: ignore[assignment]
        self.process = Process(self.turnstile)
        groups = (RESOURCES, RESOURCES, ("dining_table", "zone"), ("attribute",))
        server = Server()
        self.terminals = [Terminal(names, server, is_direct=which != 1) for which, names in enumerate(groups)]
        for terminal in self.terminals[:3]:
            terminal.connect(self.process)

    def do(self, step: str, argument: Any) -> None:
        if step not in NEEDS_A_WRITER or self.may_write():
            super().do(step, argument)
            seen[step] += 1

    # --- Writers ------------------------------------------------------------------------------------------
    def may_write(self) -> bool:
        """SQLite has one writer: while one holds its transaction open the others wait, and so would the schedule."""
        return connection.vendor == "postgresql" or not any(writer.is_writing for writer in self.writers)

    def write(self, transactions: list[Transaction]) -> None:
        for who, edits, commit in transactions:
            if not self.writers[who].is_writing:
                self.writers[who].write(edits, commit=commit)
                self.recorder.note()
                seen["commits" if commit else "rollbacks"] += 1

    def hold_a_transaction_open(self, transaction_: Transaction) -> None:
        who, edits, _ = transaction_
        if not self.writers[who].is_writing:
            self.writers[who].begin(edits)

    def finish_an_open_transaction(self, commit: bool) -> None:
        for writer in self.writers:
            if writer.is_writing:
                writer.finish(commit=commit)
                self.recorder.note()
                seen["held open"] += 1
                return

    # --- The log ------------------------------------------------------------------------------------------
    def move_a_horizon(self, how: tuple[str, int, bool]) -> None:
        """The first half of a prune; the second follows at once, or much later."""
        name, keep, rows_too = how
        retention.move_horizon(name, older_than=dt.timedelta(days=7), more_than=keep, now=timezone.now())
        if rows_too:
            self.delete_below_a_horizon(name)

    def delete_below_a_horizon(self, name: str) -> None:
        seen["rows pruned"] += retention.delete_below_horizon(name)

    def begin_an_epoch(self, restored: bool) -> None:
        with transaction.atomic():
            if restored:
                set_counters_back()
            epochs.begin()
        self.recorder.note()

    # --- The process --------------------------------------------------------------------------------------
    def ring(self, _: None) -> None:
        self.process.ring()

    def bookmark_the_idle(self, _: None) -> None:
        self.process.hub.bookmark_the_idle()
        self.process.until_idle()

    def end_lives(self, _: None) -> None:
        self.process.end_lives()

    def restart_the_process(self, gracefully: bool) -> None:
        self.process.stop(gracefully=gracefully)
        self.process = Process(self.turnstile)

    def slow_reads_down(self, _: None) -> None:
        """From now on a read looks at the database in one step, and its answer comes back in another."""
        self.turnstile.is_open = False

    def speed_reads_up(self, _: None) -> None:
        self.turnstile.is_open = True
        self.process.until_idle()

    def let_a_read_look(self, _: None) -> None:
        self.turnstile.let_one_read()

    def let_an_answer_come(self, _: None) -> None:
        self.turnstile.let_one_answer()
        self.process.until_idle()

    def fail_the_next_read(self, _: None) -> None:
        self.turnstile.failures = 1

    # --- Terminals ----------------------------------------------------------------------------------------
    def connect(self, which: int) -> None:
        self.terminals[which].leave(self.process)
        self.terminals[which].connect(self.process)

    def leave(self, which: int) -> None:
        self.terminals[which].leave(self.process)

    def stall_or_read_on(self, which: int) -> None:
        if (wire := self.terminals[which].wire) is not None:
            wire.stall(stalled=not wire.is_stalled)
            self.process.until_idle()

    def poll(self, which: int) -> None:
        """By one of those that have no stream."""
        if unconnected := [terminal for terminal in self.terminals if terminal.wire is None]:
            terminal = unconnected[which % len(unconnected)]
            terminal.replica.poll()
            terminal.work()

    def lose_a_frame(self, which: int) -> None:
        seen["frames lost"] += self.terminals[which].lose_a_frame()

    def work(self, steps: list[int]) -> None:
        for terminal, some in zip(self.terminals, steps, strict=True):
            terminal.work(some)

    # --- The end ------------------------------------------------------------------------------------------
    def everybody_catches_up(self) -> None:
        for writer in self.writers:
            if writer.is_writing:
                writer.finish(commit=True)
                self.recorder.note()
        self.turnstile.is_open, self.turnstile.failures = True, 0
        self.process.ring()
        for terminal in self.terminals:
            wire = terminal.wire
            if wire is not None:
                wire.stall(stalled=False)
                self.process.until_idle()
            if wire is None or wire.is_over:
                terminal.leave(self.process)
                terminal.connect(self.process)
        for _ in range(2):  # a group that had news says that it has everything in the second round
            self.process.hub.bookmark_the_idle()
            self.process.until_idle()
        heads = self.recorder.note()
        database = {name: held_objects(name) for name in RESOURCES}
        for terminal in self.terminals:
            replica = terminal.replica
            terminal.work()
            assert replica.epoch == heads.epoch
            assert replica.versions == {name: heads.versions[name] for name in replica.names}
            assert replica.rows == {name: database[name] for name in replica.names}
            streams = [*terminal.recorded, Recorded(terminal.wire.frames, terminal.wire.cursor)]  # type: ignore[union-attr]
            history = History(streams, self.recorder.truth, until=replica.versions)
            assert faults(history) == {}
            seen["frames"] += sum(frame.event == "sync" for stream in streams for frame in stream.frames)
            seen["cuts"] += sum(bool(frame.data.get("cut")) for stream in streams for frame in stream.frames)

    def end(self) -> None:
        try:
            self.everybody_catches_up()
            seen["schedules"] += 1
        finally:
            self.process.stop(gracefully=False)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows a read, few bytes a queue: a handful of edits then meets what takes thousands elsewhere."""
    read_through(Turnstile(), monkeypatch)  # each schedule brings its own
    monkeypatch.setattr(feed, "QUEUE_BYTES", QUEUE_BYTES)
    monkeypatch.setattr(feed, "RETRY_SECONDS", 0)
    # A read gives its connection back; the schedules' one thread needs it again at once.
    monkeypatch.setattr(readers, "connection", SimpleNamespace(vendor=connection.vendor, close=lambda: None))
    monkeypatch.setattr(frames, "ROWS_PER_READ", ROWS_PER_READ)


@alone
def run(schedules: int, *, repeatable: bool) -> None:
    seen.clear()
    run_schedules(Shop, STEPS, schedules, length=LENGTH, repeatable=repeatable)


def they_did_what_they_are_for(schedules: int) -> None:
    assert seen["schedules"] >= schedules
    assert set(STEPS) <= set(seen)
    for what in ("commits", "rollbacks", "held open", "rows pruned", "begin_an_epoch", "restart_the_process", "cuts"):
        assert seen[what] >= schedules / 20, (what, seen)
    rare = {what: seen[what] for what in ("frames lost", "refused: horizon", "handed over at once")}
    assert min(rare.values()) > 0, rare


@pytest.mark.timeout(1800)  # half a minute of work, on a machine that may be busy
def test_every_replica_ends_equal_to_the_database_whatever_the_schedule(small_steps: None) -> None:
    schedules = int(os.environ.get("SCHEDULES", "250"))
    run(schedules, repeatable=True)
    they_did_what_they_are_for(schedules)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_every_replica_ends_equal_to_the_database_in_many_more_schedules(small_steps: None) -> None:
    schedules = int(os.environ.get("SCHEDULES", "10000"))
    run(schedules, repeatable=False)
    they_did_what_they_are_for(schedules)
