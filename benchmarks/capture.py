"""What capture costs a writer on PostgreSQL: tracked against untracked writes, interleaved in one run.

``python -m benchmarks.capture`` starts a PostgreSQL of its own (durability off, so that the disk's fsync doesn't hide
the difference), fills 10,000 products and prints medians and ratios.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
from tqdm import tqdm

PRODUCTS = 10_000
WRITERS = 4
ONE = "UPDATE catalog_product SET position = position + 1 WHERE id = %s"
ALL = "UPDATE catalog_product SET position = position + 1"


def prepare(stack: ExitStack) -> str:
    """A migrated database with ``PRODUCTS`` products; returns its URL."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-bench-")))
    os.environ["DATA_DIR"] = str(folder / "data")
    from tests.parts import start_postgresql  # after the environment is set: it leads to the settings

    url = start_postgresql(log=folder / "postgresql.log", on=stack)
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from catalog.models import Category, Product

    category = Category.objects.create(name="All")
    rows = (
        Product(name=f"Product {n}", price=n % 50, category=category, description="x" * 200) for n in range(PRODUCTS)
    )
    Product.objects.bulk_create(rows, batch_size=2000)
    return url


def switch(connection: psycopg.Connection, *, tracked: bool) -> None:
    connection.execute(f"ALTER TABLE catalog_product {'ENABLE' if tracked else 'DISABLE'} TRIGGER USER")


def seconds_each(call: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def rate_of_writers(url: str, ids: list[object], seconds: float) -> float:
    """Transactions a second of ``WRITERS`` connections on rows of their own."""
    counts = [0] * WRITERS
    stop = time.monotonic() + seconds

    def write(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            mine = ids[number::WRITERS]
            while time.monotonic() < stop:
                connection.execute(ONE, [mine[counts[number] % len(mine)]])
                counts[number] += 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: dict[tuple[str, bool], list[float]] = {}
    with ExitStack() as stack:
        url = prepare(stack)
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        ids = [row[0] for row in connection.execute("SELECT id FROM catalog_product ORDER BY id").fetchall()]
        for _ in tqdm(range(rounds), desc="rounds"):
            for tracked in (False, True):
                switch(connection, tracked=tracked)
                connection.execute("VACUUM ANALYZE catalog_product")
                turn = iter(ids)
                one = seconds_each(lambda turn=turn: connection.execute(ONE, [next(turn)]), 300)  # type: ignore[misc]
                found.setdefault(("one row, ms", tracked), []).append(one * 1000)
                bulk = seconds_each(lambda: connection.execute(ALL), 1)
                found.setdefault((f"{PRODUCTS:,} rows at once, ms", tracked), []).append(bulk * 1000)
                rate = rate_of_writers(url, ids, 2.0)
                found.setdefault((f"{WRITERS} writers, transactions/s", tracked), []).append(rate)
        lost = connection.execute(
            "SELECT r.version - count(c.version) FROM syncing_resource r JOIN syncing_change c ON c.resource = r.name"
            " WHERE r.name = 'product' GROUP BY r.version"
        ).fetchone()
    assert lost == (0,), f"the log has holes: {lost}"
    print("| write | untracked | tracked | ratio |\n|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in found):
        plain, noted = (statistics.median(found[name, tracked]) for tracked in (False, True))
        print(f"| {name} | {plain:,.2f} | {noted:,.2f} | {noted / plain:.2f} |")


if __name__ == "__main__":
    main()
