"""How long after a commit terminals have it, and what an idle stream weighs, beside a bare server and beside nchan."""

import sqlite3
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import uvloop

from . import nchan
from .load import Audience
from .shop import UVICORN, Shop, Table

SIZES = (1, 500, 2_000, 10_000)
CHANGES = 20
ONE_DEVICE = {"STREAMS_PER_DEVICE": "10000"}  # has all of them
SQLITE = "ours on SQLite"
BARE = "-m benchmarks.sync.bare_streams {port}"
# The most that ours may take: of whom, for how many streams, which percentile.
TARGETS = {
    ("raw asyncio", 2_000, "p99"): 2.0,
    ("nchan", 2_000, "p50"): 1.2,
    ("nchan", 2_000, "p99"): 1.2,
    ("nchan", 10_000, "p99"): 2.0,
}

EDIT = "UPDATE catalog_zone SET position = position + 1"
ZONE = "from catalog.models import Zone; Zone.objects.create(name='Bar')"

Change = Callable[[], float]  # commits one; when it began (time.perf_counter)
Server = tuple[str, int, str, Change]  # address, pid, token


def measure(shop: Shop, table: Table) -> None:
    shop.manage("shell", "-c", ZONE)
    uvloop.run(_measure(shop, table))


def timed(edit: Callable[[], object]) -> Change:
    def change() -> float:
        began = time.perf_counter()
        edit()
        return began

    return change


@contextmanager
def ours(shop: Shop, change: Change) -> Iterator[Server]:
    with shop.serving(UVICORN, "config.asgi:application", **ONE_DEVICE) as (address, pid):
        yield address, pid, shop.enrol(), change


@contextmanager
def ours_on_sqlite(shop: Shop, _change: Change) -> Iterator[Server]:
    data = shop.folder / "embedded"
    settings = {"DATABASE_URL": "", "DATA_DIR": str(data), **ONE_DEVICE}
    shop.manage("migrate", "-v0", **settings)
    shop.manage("shell", "-c", ZONE, **settings)
    with shop.serving(UVICORN, "config.asgi:application", **settings) as (address, pid):
        token = shop.enrol(**settings)
        with closing(sqlite3.connect(data / "db.sqlite3", isolation_level=None, check_same_thread=False)) as writer:
            yield address, pid, token, timed(lambda: writer.execute(EDIT))


@contextmanager
def raw_asyncio(shop: Shop, change: Change) -> Iterator[Server]:
    with shop.serving(BARE, shop.url) as (address, pid):
        yield address, pid, "", change


@contextmanager
def beside_nchan(shop: Shop, change: Change) -> Iterator[Server]:
    """Who has written publishes to nchan after the commit."""
    with nchan.serving(shop) as (address, pid, publish):

        def change_and_publish() -> float:
            began = change()
            publish()
            return began

        yield address, pid, "", change_and_publish


async def _measure(shop: Shop, table: Table) -> None:
    servers = {"ours": ours, "raw asyncio": raw_asyncio}
    if nchan.binary():
        servers["nchan"] = beside_nchan
    else:
        print(f"nchan isn't here: nothing is measured beside it. Debian's {nchan.PACKAGE} is it.", file=sys.stderr)
    delays: dict[tuple[str, int], list[float]] = defaultdict(list)
    weights: dict[str, list[float]] = defaultdict(list)
    threads: dict[int, int] = {}
    with psycopg.connect(shop.url, autocommit=True) as writer:
        change = timed(lambda: writer.execute(EDIT))
        # One server at a time: another would hear the same bell, and work on the same cores.
        for name in (*servers, *reversed(servers), SQLITE):
            serving = ours_on_sqlite if name == SQLITE else servers[name]
            with serving(shop, change) as (address, pid, token, change_it):
                audience = Audience(f"{address}/api/sync/events", token)
                for size in SIZES:
                    await audience.grow(size)
                    await audience.hear(change_it)  # what is cold is warmed
                    if size == 1:
                        before = status_of(pid, "VmRSS")
                    for _ in range(CHANGES):
                        delays[name, size] += await audience.hear(change_it)
                    if name == "ours":
                        threads[size] = status_of(pid, "Threads")
                weights[name].append((status_of(pid, "VmRSS") - before) / (SIZES[-1] - 1))
                audience.leave()
    for size in SIZES:
        for name in list(servers)[1:]:
            report(table, name, size, delays["ours", size], delays[name, size])
        report(table, SQLITE, size, delays["ours", size], delays[SQLITE, size])
    weight = statistics.median(weights["ours"])
    other = f"{statistics.median(weights['nchan']):.1f} kB, nchan" if "nchan" in servers else ""
    table.add("memory of an idle stream", f"{weight:.1f} kB", other, weight, "≤ 15 kB", reached=weight <= 15, unit="kB")
    few, many = (threads[size] for size in SIZES[1::2])
    table.add("threads, 10,000 streams beside 500", f"{many}", f"{few}", many / few, "1", reached=many <= few)


def report(table: Table, name: str, size: int, ours: list[float], other: list[float]) -> None:
    for percentile, place in (("p50", 49), ("p99", 98)):
        mine, theirs = (statistics.quantiles(delays, n=100)[place] * 1000 for delays in (ours, other))
        most = TARGETS.get((name, size, percentile))
        table.add(
            f"commit → client, {size:,} streams, {percentile}, beside {name}",
            f"{mine:,.1f} ms",
            f"{theirs:,.1f} ms",
            mine / theirs,
            f"≤ {most:g}" if most else "for comparison",
            reached=not most or mine / theirs <= most,
        )


def status_of(pid: int, name: str) -> int:
    """A number of the process: kB of memory (``VmRSS``), or how many ``Threads``."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
