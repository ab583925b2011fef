"""What is measured: requests, open streams, and both in one process, each case once a round."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .applications import BARE, KEPT, QUERY
from .load import Load, load, percentile
from .servers import MIXED_SERVERS, REQUEST_SERVERS, STREAM_SERVERS, CaseFailed, Usage, running
from .streams import Audience

VIEWS = {"bare": BARE, "query": QUERY, "query, kept connection": KEPT}
MIXED_STREAMS = 200
MIXED_BROADCAST_EVERY = 0.5  # seconds; an "idle" stream in a shop still hears about an edit now and then


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    warm_up: float
    streams: tuple[int, ...]
    broadcasts: int
    workspace: Path


Sample = dict[str, float]


class Results:
    """Samples by table and row, in the order in which they first came, and what went wrong."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[tuple[str, ...], list[Sample]]] = {}
        self.failures: list[str] = []

    def add(self, table: str, row: tuple[str, ...], sample: Sample, *, progress: str) -> None:
        self.samples.setdefault(table, {}).setdefault(row, []).append(sample)
        print(f"{progress}  {', '.join(row)}: " + ", ".join(f"{k} {v:,.4g}" for k, v in sample.items()), flush=True)
        if sample.get("errors"):
            self.failures.append(f"{table}, {', '.join(row)}: {sample['errors']:.0f} errors")


def load_sample(result: Load, peak: Usage) -> Sample:
    return {
        "r/s": result.rate,
        "p50 ms": result.p50_ms,
        "p99 ms": result.p99_ms,
        "threads": peak.threads,
        "RSS MB": peak.rss_kb / 1024,
        "errors": result.errors,
    }


async def measure_requests(name: str, plan: Plan, results: Results, progress: str) -> None:
    """One server under load, on each view."""
    async with running(REQUEST_SERVERS[name], workspace=plan.workspace, ready=BARE) as server:
        for view, path in VIEWS.items():
            await load(server, path, seconds=plan.warm_up, workspace=plan.workspace)
            result, peak = await load(server, path, seconds=plan.seconds, workspace=plan.workspace)
            results.add("requests", (view, name), load_sample(result, peak), progress=progress)


async def measure_streams(name: str, size: int, plan: Plan, results: Results, progress: str) -> None:
    """What `size` idle streams cost a server, and how long an event takes to reach them."""
    async with running(STREAM_SERVERS[name], workspace=plan.workspace, ready="/streams") as server:
        audience = Audience(server)
        await audience.grow(min(size, 20))
        await audience.broadcast()
        await audience.leave()
        before = server.usage()
        await audience.grow(size)
        after = server.usage()
        await audience.broadcast()  # the first one finds cold paths; terminals hear thousands
        delays = [delay for _ in range(plan.broadcasts) for delay in await audience.broadcast()]
        await audience.leave()
        sample = {
            "p50 ms": percentile(delays, 50),
            "p99 ms": percentile(delays, 99),
            "threads": float(after.threads),
            "RSS MB": after.rss_kb / 1024,
            "kB/stream": (after.rss_kb - before.rss_kb) / size,
        }
        results.add("streams", (str(size), name), sample, progress=progress)


async def measure_mixed(name: str, plan: Plan, results: Results, progress: str) -> None:
    """Requests beside open streams in one process, and how long an event takes meanwhile."""
    async with running(MIXED_SERVERS[name], workspace=plan.workspace, ready=BARE) as server:
        audience = Audience(server)
        await audience.grow(MIXED_STREAMS)
        for view, path in VIEWS.items():
            await load(server, path, seconds=plan.warm_up, workspace=plan.workspace)
            loading = asyncio.create_task(load(server, path, seconds=plan.seconds, workspace=plan.workspace))
            delays: list[int] = []
            try:
                while not (await asyncio.wait({loading}, timeout=MIXED_BROADCAST_EVERY))[0]:
                    delays += await audience.broadcast()
            finally:
                loading.cancel()  # nothing, unless a broadcast failed
            sample = load_sample(*await loading)
            sample |= {"event p50 ms": percentile(delays, 50), "event p99 ms": percentile(delays, 99)}
            results.add("mixed", (view, name), sample, progress=progress)
        await audience.leave()


async def measure(plan: Plan) -> Results:
    """Run every case once per round, so that a busy minute of the machine touches all of them."""
    results = Results()
    cases: list[tuple[str, Callable[[str], Awaitable[None]]]] = [
        *((f"requests, {n}", partial(measure_requests, n, plan, results)) for n in REQUEST_SERVERS),
        *(
            (f"{size} streams, {n}", partial(measure_streams, n, size, plan, results))
            for size in plan.streams
            for n in STREAM_SERVERS
        ),
        *((f"mixed, {n}", partial(measure_mixed, n, plan, results)) for n in MIXED_SERVERS),
    ]
    for number in range(1, plan.rounds + 1):
        for name, case in cases:
            try:
                await case(f"{number}/{plan.rounds}")
            except (CaseFailed, OSError, TimeoutError, EOFError) as error:
                results.failures.append(f"round {number}, {name}: {error!r}")
                print(f"{number}/{plan.rounds}  {name}: FAILED, {error!r}", flush=True)
    return results
