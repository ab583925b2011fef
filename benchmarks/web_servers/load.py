"""The load generator, in a process of its own: wrk, or where that isn't installed, this module.

`python -m benchmarks.web_servers.load PORT PATH SECONDS` prints what it saw as JSON.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .applications import ANSWERS
from .servers import DEADLINE, CaseFailed, Server, Usage, fetch, read_response

CONNECTIONS = 16  # twice the pool, so that a request sometimes waits for a thread, as it does in a shop


@dataclass(frozen=True)
class Load:
    """What a loader saw. `errors` counts failed connections, time-outs and answers that aren't successes."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


_WRK_REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def loader_command(port: int, path: str, *, seconds: float, workspace: Path) -> list[str]:
    if wrk := shutil.which("wrk"):
        report = workspace / "report.lua"
        report.write_text(_WRK_REPORT)
        # wrk takes whole seconds only.
        limits = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
        return [wrk, *limits, "-s", str(report), f"http://127.0.0.1:{port}{path}"]
    return [sys.executable, "-m", "benchmarks.web_servers.load", str(port), path, str(seconds)]


async def load(server: Server, path: str, *, seconds: float, workspace: Path) -> tuple[Load, Usage]:
    """Load one path with `CONNECTIONS` connections. Returns its report and the server's peak usage."""
    if await fetch(server.port, path) != ANSWERS[path]:
        raise CaseFailed(f"{path} answered something else")
    process = await asyncio.create_subprocess_exec(
        *loader_command(server.port, path, seconds=seconds, workspace=workspace), stdout=subprocess.PIPE
    )
    report = asyncio.create_task(process.communicate())
    peak = Usage(0, 0)
    deadline = time.monotonic() + seconds + DEADLINE
    try:
        while not (await asyncio.wait({report}, timeout=0.2))[0]:
            now = server.usage()
            peak = Usage(max(peak.threads, now.threads), max(peak.rss_kb, now.rss_kb))
            if time.monotonic() > deadline:
                raise CaseFailed("the loader didn't end")
    finally:
        if process.returncode is None:
            process.kill()
    output = (await report)[0].decode()
    if process.returncode or "{" not in output:
        raise CaseFailed(f"the loader ended with {process.returncode}: {output[-300:]}")
    result = Load(**json.loads(output[output.index("{") :]))
    if not result.requests:
        raise CaseFailed("no request succeeded")
    return result, peak


async def load_here(port: int, path: str, seconds: float) -> Load:
    """The loader for machines without wrk. Slower, so it hides differences between the fastest servers."""
    latencies: list[int] = []
    errors = 0
    started = time.monotonic()
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    async def client() -> None:
        nonlocal errors
        while time.monotonic() < started + seconds:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                while (begin := time.monotonic_ns()) < (started + seconds) * 1e9:
                    writer.write(request)
                    async with asyncio.timeout(10):
                        status, _ = await read_response(reader)
                    latencies.append(time.monotonic_ns() - begin)
                    errors += status != 200
            except (OSError, EOFError, TimeoutError):
                errors += 1
            finally:
                if writer:
                    writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    elapsed = time.monotonic() - started
    return Load(len(latencies), elapsed, percentile(latencies, 50), percentile(latencies, 99), errors)


def percentile(nanoseconds: Sequence[int], percent: int) -> float:
    """In milliseconds; 0 of nothing."""
    ordered = sorted(nanoseconds)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1e6 if ordered else 0.0


if __name__ == "__main__":
    port, path, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(load_here(int(port), path, float(seconds))).__dict__))
