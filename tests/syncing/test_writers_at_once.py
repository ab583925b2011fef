"""Eight writer processes on PostgreSQL, some of which hold transactions open: nothing is lost, nobody deadlocks."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import pytest
from django.db import connection

from catalog.models import Attribute, Category, Product, Zone
from syncing import log
from syncing.models import Change
from tests.parts import ROOT, shared_environment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer"),
]

WRITERS = 8
TABLES = {
    "attribute": "catalog_attribute",
    "category": "catalog_category",
    "product": "catalog_product",
    "zone": "catalog_zone",
}


@pytest.fixture(autouse=True)
def numbered_by_a_sequence(transactional_db: None) -> Iterator[None]:
    """What one would write without this room: a log that a sequence numbers. Each transaction writes a row into it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE numbered_by_a_sequence (number bigserial PRIMARY KEY, who text NOT NULL)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE numbered_by_a_sequence")


@pytest.fixture(autouse=True)
def rows_of_each_writer(transactional_db: None) -> None:
    for who in range(WRITERS):
        name = f"of {who}"
        category = Category.objects.create(name=name)
        Product.objects.create(name=name, price="1", category=category)
        Zone.objects.create(name=name)
        Attribute.objects.create(name=name)


@contextmanager
def writing(
    rows: Callable[[int], list[str]], *, transactions: Callable[[int], int], open_ms: Callable[[int], int]
) -> Iterator[list["subprocess.Popen[str]"]]:
    """Eight processes that began together; each says at its end what came of it."""
    with ExitStack() as stack:
        processes = []
        for who in range(WRITERS):
            words = [
                shared_environment()["DATABASE_URL"],
                str(who),
                str(transactions(who)),
                str(open_ms(who)),
                *rows(who),
            ]
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.syncing.writer_process", *words],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield processes


def its_own(*resources: str) -> Callable[[int], list[str]]:
    """The rows of these resources that are the writer's alone."""
    return lambda who: [f"{TABLES[name]}=of {who}" for name in resources]


def results(processes: list["subprocess.Popen[str]"]) -> list[dict[str, int]]:
    """What each said, when all have ended."""
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * WRITERS
    return [json.loads(line) for line in said]


class BySequence:
    """A reader whose cursor is the largest number that it has seen."""

    def __init__(self) -> None:
        self.cursor, self.seen = 0, list[int]()

    def read(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM numbered_by_a_sequence WHERE number > %s ORDER BY number", [self.cursor])
            new = [number for (number,) in cursor.fetchall()]
        self.seen += new
        self.cursor = max([self.cursor, *new])

    def lost(self) -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM numbered_by_a_sequence")
            return {number for (number,) in cursor.fetchall()} - set(self.seen)


class ByVersion:
    """A reader of our log from where it stands."""

    def __init__(self) -> None:
        self.at = {name: log.heads().versions[name] for name in TABLES}
        self.seen: list[tuple[str, int, str]] = []

    def read(self) -> None:
        batch = log.read(since=self.at, limit=10_000)
        assert not batch.lost
        self.seen += [(entry.resource, entry.version, entry.id) for entry in batch.entries]
        self.at = batch.to


def test_a_sequence_loses_what_commits_late_and_a_version_does_not() -> None:
    first = {name: log.heads().versions[name] for name in TABLES}
    by_sequence, by_version = BySequence(), ByVersion()

    def held_open(who: int) -> int:
        return 40 if who < WRITERS // 2 else 0

    def transactions(who: int) -> int:
        return 15 if who < WRITERS // 2 else 150

    with writing(its_own("zone"), transactions=transactions, open_ms=held_open) as processes:
        while any(process.poll() is None for process in processes):
            by_sequence.read()
            by_version.read()
        results(processes)
    by_sequence.read()
    by_version.read()

    assert by_sequence.lost(), "this schedule is one in which a sequence loses rows"
    committed = sum(map(transactions, range(WRITERS)))
    assert [version for _, version, _ in by_version.seen] == list(
        range(first["zone"] + 1, first["zone"] + committed + 1)
    )
    rows = Change.objects.filter(resource="zone", version__gt=first["zone"]).values_list("version", "object_id")
    assert {(version, UUID(key)) for _, version, key in by_version.seen} == set(rows)
    assert by_version.at == {name: log.heads().versions[name] for name in TABLES}


def test_writers_of_several_resources_in_every_order_meet_no_deadlock(logged: Callable[[log.Versions], object]) -> None:
    first, before, each = log.heads().versions, deadlocks(), 40

    with writing(its_own(*TABLES), transactions=lambda _: each, open_ms=lambda _: 0) as processes:
        said = results(processes)

    assert said == [{"committed": each, "deadlocks": 0}] * WRITERS
    assert deadlocks() == before
    now = log.heads().versions
    assert {name: now[name] - first[name] for name in TABLES} == dict.fromkeys(TABLES, WRITERS * each)
    assert logged(first)  # which asserts that it is dense


def test_one_that_saves_a_whole_list_and_those_who_edit_single_rows_of_it_meet_no_deadlock() -> None:
    """As a changelist save does, while others edit the same rows one by one."""
    first, before, each, shared = log.heads().versions, deadlocks(), 60, 4
    whole_list = [f"catalog_zone=of {n}" for n in range(shared)]

    def rows(who: int) -> list[str]:
        return whole_list if who == 0 else [whole_list[who % shared]]

    with writing(rows, transactions=lambda _: each, open_ms=lambda _: 0) as processes:
        said = results(processes)

    assert said == [{"committed": each, "deadlocks": 0}] * WRITERS
    assert deadlocks() == before
    assert log.heads().versions["zone"] - first["zone"] == each * (shared + WRITERS - 1)


def deadlocks() -> int:
    """Those that PostgreSQL has counted in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
