"""What capture costs a writer: tracked and untracked writes alternately, on a PostgreSQL that keeps its promises."""

import random
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import psycopg

from .shop import GRANIAN, Shop, Table, seconds

EDITS, WRITERS = 20, 5  # rounds of each; edits in many short ones: the disk's pace drifts, and is to hit both alike
ONE = "UPDATE catalog_product SET position = position + 1 WHERE id = %s"
ALL = "UPDATE catalog_product SET position = position + 1"
WRITING_SECONDS = 2.0
# What a transaction does besides its edit. The sketch of numbering at commit was measured with four writers that made
# 455 transactions a second, and 113 when each held the counter from its edit on: 4 / 455 s = 1 / 113 s = 8.8 ms each.
WORK_SECONDS = 0.008

Found = dict[tuple[str, bool], list[float]]


def measure(shop: Shop, table: Table) -> None:
    connection = shop.connect()
    ids = [row[0] for row in connection.execute("SELECT id FROM catalog_product ORDER BY id").fetchall()]
    found: Found = defaultdict(list)
    token = shop.enrol("--manage")
    with (
        shop.serving(GRANIAN, "config.wsgi:application") as (address, _),
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client,
    ):
        for tracked in in_turns(connection, EDITS):
            some_edits(connection, client, ids, found, tracked=tracked)
        for tracked in in_turns(connection, WRITERS):
            found["work", tracked].append(rate_of(4, shop.url, ids, WORK_SECONDS))
            if not tracked:
                with numbering_in_the_statement(connection):
                    found["early", True].append(rate_of(4, shop.url, ids, WORK_SECONDS))
                found["early", False].append(found["work", False][-1])
            for writers in (4, 8):
                found[str(writers), tracked].append(rate_of(writers, shop.url, ids))
            found["orm", tracked].append(rate_of_the_application(4))
    connection.execute("ALTER TABLE catalog_product ENABLE TRIGGER USER")
    products = f"{len(ids):,}"
    table.at_most("one row", found["one", True], found["one", False], 1.6)
    table.at_most("one row, as a PATCH over HTTP", found["patch", True], found["patch", False], 1.2)
    table.at_most(f"{products} rows in one statement", found["all", True], found["all", False], 1.5)
    table.at_least(
        "four writers, 8 ms of work in each transaction", found["work", True], found["work", False], 0.75, "tx/s"
    )
    for what, key in (
        ("the same, numbered in the statement", "early"),
        ("four writers that do nothing but edit", "4"),
        ("eight writers that do nothing but edit", "8"),
        ("four writers that save through the ORM", "orm"),
    ):
        ours, peer = (statistics.median(found[key, tracked]) for tracked in (True, False))
        table.add(what, f"{ours:,.0f} tx/s", f"{peer:,.0f} tx/s", ours / peer, "for comparison", reached=True)
    waited = edit_beside_a_long_transaction(shop, ids)
    table.add(
        "an edit beside a transaction of 1 s",
        f"{waited:.1f} ms",
        "",
        waited,
        "≤ 50 ms",
        reached=waited <= 50,
        unit="ms",
    )
    the_log_has_no_hole(connection)


def in_turns(connection: psycopg.Connection, rounds: int) -> Iterator[bool]:
    """With triggers and without (True, False), and the other way round, and so on."""
    for round_ in range(rounds):
        for tracked in (False, True) if round_ % 2 else (True, False):
            connection.execute(f"ALTER TABLE catalog_product {'ENABLE' if tracked else 'DISABLE'} TRIGGER USER")
            connection.execute("VACUUM ANALYZE catalog_product")
            yield tracked


def some_edits(
    connection: psycopg.Connection, client: httpx.Client, ids: list[object], found: Found, *, tracked: bool
) -> None:
    next_id = iter(random.sample(ids, 66))
    for _ in range(6):  # switching triggers has thrown all plans away
        connection.execute(ONE, [next(next_id)])
    connection.execute(ALL)
    for _ in range(40):
        found["one", tracked].append(seconds(lambda: connection.execute(ONE, [next(next_id)])) * 1000)
    for number in range(20):
        path, body = f"/api/products/{next(next_id)}", {"position": number}
        found["patch", tracked].append(seconds(lambda: client.patch(path, json=body).raise_for_status()) * 1000)  # noqa: B023 - called at once
    found["all", tracked].append(seconds(lambda: connection.execute(ALL)) * 1000)


@contextmanager
def numbering_in_the_statement(connection: psycopg.Connection) -> Iterator[None]:
    """The plainest trigger that keeps a dense counter, where ours are switched off."""
    connection.execute("CREATE TABLE bench_counter AS SELECT 0::bigint AS version")
    connection.execute("CREATE TABLE bench_change (version bigint PRIMARY KEY, id uuid)")
    connection.execute(
        "CREATE FUNCTION bench_number() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE number bigint; BEGIN"
        " UPDATE bench_counter SET version = version + 1 RETURNING version INTO number;"
        " INSERT INTO bench_change VALUES (number, NEW.id); RETURN NULL; END $$"
    )
    connection.execute(
        "CREATE TRIGGER bench_number AFTER UPDATE ON catalog_product FOR EACH ROW EXECUTE FUNCTION bench_number()"
    )
    try:
        yield
    finally:
        connection.execute("DROP FUNCTION bench_number CASCADE")
        connection.execute("DROP TABLE bench_change, bench_counter")


def rate_of(writers: int, url: str, ids: list[object], work: float = 0) -> float:
    """Transactions a second of so many connections, each on rows of its own, with so many seconds of work in each."""
    counts = [0] * writers
    ready = threading.Barrier(writers + 1)
    over = threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            mine = ids[number::writers]
            ready.wait()
            while not over.is_set():
                one = [mine[counts[number] % len(mine)]]
                if work:
                    with connection.transaction():
                        connection.execute(ONE, one)
                        time.sleep(work)
                else:
                    connection.execute(ONE, one)
                counts[number] += 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    time.sleep(WRITING_SECONDS)
    over.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def rate_of_the_application(writers: int) -> float:
    """Transactions a second of so many processes that save products as the API and the admin do."""
    words = [sys.executable, "-m", "benchmarks.sync.writer"]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [*words, str(number), str(writers), str(WRITING_SECONDS)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(writers)
        ]
        said = [process.stdout for process in processes if process.stdout]
        assert [out.readline() for out in said] == ["ready\n"] * writers
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        return sum(int(out.readline()) for out in said) / WRITING_SECONDS


def edit_beside_a_long_transaction(shop: Shop, ids: list[object]) -> float:
    """The longest of some edits, in ms, while another transaction that has edited another row stays open for 1 s."""
    waits = []
    with psycopg.connect(shop.url) as long, psycopg.connect(shop.url, autocommit=True) as other:
        long.execute(ONE, [ids[0]])
        until = time.perf_counter() + 1
        place = 1
        while time.perf_counter() < until:
            waits.append(seconds(partial(other.execute, ONE, [ids[place]])) * 1000)
            place += 1
            time.sleep(0.01)
        long.commit()
    return max(waits)


def the_log_has_no_hole(connection: psycopg.Connection) -> None:
    missing = connection.execute(
        "SELECT r.version - count(c.version) FROM syncing_resource r LEFT JOIN syncing_change c ON c.resource = r.name"
        " WHERE r.name = 'product' GROUP BY r.version"
    ).fetchone()
    assert missing == (0,), f"the log has holes: {missing}"
