"""How fast, and with how many threads, can Django be served? Requests, open streams, and both in one process.

Starts each server as a child on a free loopback port, loads it from another process, and prints Markdown
tables of medians. `benchmarks/README.md` says how to run and read it; the findings are in
`docs/adr/0004-two-kinds-of-web-process.md`.
"""

import argparse
import asyncio
import contextlib
import resource
import signal
import sqlite3
import sys
import tempfile
from pathlib import Path

import uvloop

from .cases import Plan, measure
from .report import report


def stream_count(text: str) -> int:
    if not 1 <= (number := int(text)) <= 2000:
        raise argparse.ArgumentTypeError("between 1 and 2000")
    return number


def make_database(file: Path) -> sqlite3.Connection:
    """2,000 products in a WAL database. Keep the connection open while measuring.

    Django closes its connection after each request. If that is the last one, SQLite checkpoints and deletes
    the WAL; the edge server never sees that, because its hub keeps a connection.
    """
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    with connection:
        connection.execute("CREATE TABLE product (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL)")
        products = ((n, f"Product {n}") for n in range(1, 2001))
        connection.executemany("INSERT INTO product VALUES (?, ?)", products)
    return connection


async def benchmark(arguments: argparse.Namespace) -> int:
    # The runner turns SIGINT into a cancellation; SIGTERM must be one too, or the child would outlive us.
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="web-servers-") as folder:
        plan = Plan(
            rounds=arguments.rounds or (1 if arguments.quick else 5),
            seconds=1 if arguments.quick else 3,
            warm_up=1,
            streams=tuple(arguments.streams or ([50] if arguments.quick else [500])),
            broadcasts=5 if arguments.quick else 20,
            workspace=Path(folder),
        )
        with contextlib.closing(make_database(plan.workspace / "benchmark.sqlite3")):
            results = await measure(plan)
    print("\n" + report(results, plan))
    for failure in results.failures:
        print(f"FAILED  {failure}")
    return 1 if results.failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.web_servers", description="Ways to serve Django, side by side."
    )
    parser.add_argument("--quick", action="store_true", help="one short round, 50 streams")
    parser.add_argument("--rounds", type=int, help="how often each case runs (5)")
    parser.add_argument("--streams", type=stream_count, nargs="+", metavar="N", help="up to 2000 (500)")
    arguments = parser.parse_args()
    # Streams are file descriptors, here and in the children, which inherit the limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return int(uvloop.run(benchmark(arguments)))


if __name__ == "__main__":
    sys.exit(main())
