"""The report: Markdown tables of medians over the rounds."""

import os
import platform
import shutil
import statistics
from collections.abc import Sequence
from importlib.metadata import version

from .applications import THREADS
from .cases import MIXED_BROADCAST_EVERY, MIXED_STREAMS, Plan, Results, Sample
from .load import CONNECTIONS
from .servers import BASELINE


def medians(samples: Sequence[Sample]) -> Sample:
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, aligned to be read as plain text too."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def tenths(samples: Sequence[Sample], *keys: str) -> list[str]:
    middle = medians(samples)
    return [f"{middle[key]:.1f}" for key in keys]


def load_cells(samples: Sequence[Sample], baseline: float | None) -> list[str]:
    middle = medians(samples)
    rates = [sample["r/s"] for sample in samples]
    return [
        f"{middle['r/s']:,.0f}",
        f"{min(rates):,.0f}-{max(rates):,.0f}",
        f"{middle['r/s'] / baseline:.2f}" if baseline else "?",
        *tenths(samples, "p50 ms", "p99 ms"),
        f"{middle['threads']:.0f}",
        f"{middle['RSS MB']:.0f}",
    ]


def report(results: Results, plan: Plan) -> str:
    loads = ["r/s", "range", "ratio", "p50 ms", "p99 ms", "threads", "RSS MB"]
    events = ["event p50 ms", "event p99 ms"]
    requests = results.samples.get("requests", {})
    mixed = results.samples.get("mixed", {})
    baselines = {v: medians(s)["r/s"] for (v, name), s in requests.items() if name == BASELINE}
    request_rows = [
        [view, name, *load_cells(samples, baselines.get(view))]
        # By view first; the rounds brought them by server.
        for (view, name), samples in sorted(requests.items(), key=lambda item: item[0][0])
    ]
    stream_rows = [
        [size, name, f"{medians(samples)['threads']:.0f}", *tenths(samples, "kB/stream", "p50 ms", "p99 ms")]
        for (size, name), samples in results.samples.get("streams", {}).items()
    ]
    mixed_rows = [
        [view, name, *load_cells(samples, baselines.get(view)), *tenths(samples, *events)]
        for (view, name), samples in sorted(mixed.items(), key=lambda item: item[0][0])
    ]
    packages = ("Django", "gunicorn", "granian", "uvicorn", "uvloop", "httptools", "a2wsgi")
    return "\n\n".join(
        [
            f"Python {platform.python_version()}, {', '.join(f'{p} {version(p)}' for p in packages)}.",
            (
                f"{os.cpu_count()} CPUs; loader {'wrk' if shutil.which('wrk') else 'asyncio'}, "
                f"{CONNECTIONS} connections, {THREADS} threads in every pool; "
                f"medians of {plan.rounds} rounds of {plan.seconds:g} s."
            ),
            f"Requests; ratio to {BASELINE}.",
            table(["view", "server", *loads], request_rows),
            f"Streams, open and idle; then {plan.broadcasts} broadcasts, latency over all streams.",
            table(["streams", "endpoint", "threads", "kB/stream", "p50 ms", "p99 ms"], stream_rows),
            f"Requests beside {MIXED_STREAMS} streams that get an event every {MIXED_BROADCAST_EVERY:g} s.",
            table(["view", "server", *loads, *events], mixed_rows),
        ]
    )
