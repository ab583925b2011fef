"""How long after a commit terminals have it, beside a bare server, and what an idle stream weighs."""

import statistics
import time
from collections import defaultdict
from pathlib import Path
from uuid import UUID

import psycopg
import uvloop

from .load import Audience
from .shop import UVICORN, Shop, Table

SIZES = (1, 500, 2000)
CHANGES = 20
BARE = "-m benchmarks.sync.bare_streams {port}"


def measure(shop: Shop, table: Table) -> None:
    from catalog.models import Zone

    uvloop.run(_measure(shop, table, Zone.objects.create(name="Bar").pk))


async def _measure(shop: Shop, table: Table, zone: UUID) -> None:
    token, weights = shop.enrol(), list[float]()
    delays: dict[tuple[int, bool], list[float]] = defaultdict(list)
    with psycopg.connect(shop.url, autocommit=True) as writer:

        def change() -> float:
            began = time.perf_counter()
            writer.execute("UPDATE catalog_zone SET position = position + 1 WHERE id = %s", [zone])
            return began

        # One server at a time: another would hear the same bell, and work on the same cores.
        for is_bare in (False, True, True, False):
            server = (BARE, shop.url) if is_bare else (UVICORN, "config.asgi:application")
            with shop.serving(*server) as (address, pid):
                audience = Audience(f"{address}/api/sync/events", token)
                await audience.grow(1)
                await audience.hear(change)
                before = resident_kb(pid)
                for size in SIZES:
                    await audience.grow(size)
                    if size == SIZES[-1] and not is_bare:
                        weights.append((resident_kb(pid) - before) / (size - 1))
                    await audience.hear(change)  # what is cold is warmed
                    for _ in range(CHANGES):
                        delays[size, is_bare] += await audience.hear(change)
                audience.leave()
    for size in SIZES:
        report(table, size, delays[size, False], delays[size, True])
    weight = statistics.median(weights)
    table.add("memory of an idle stream", f"{weight:.1f} kB", "", weight, "≤ 25 kB", reached=weight <= 25, unit="kB")


def report(table: Table, size: int, ours: list[float], bare: list[float]) -> None:
    for name, percent in (("p50", 50), ("p99", 99)):
        mine, other = (statistics.quantiles(delays, n=100)[percent - 1] * 1000 for delays in (ours, bare))
        target = (name, size) == ("p99", SIZES[-1])
        table.add(
            f"commit → client, {size:,} streams, {name}",
            f"{mine:,.1f} ms",
            f"{other:,.1f} ms",
            mine / other,
            "≤ 2" if target else "for comparison",
            reached=not target or mine / other <= 2,
        )


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
