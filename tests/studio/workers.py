"""Workers of the studio, each a process of its own, which are killed with SIGKILL after a step when told to.

    python -m tests.studio.workers

loads Django once, and forks a worker for each `Order` that comes as a line of JSON; its answer is how they ended.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.parts import ROOT, SETTINGS, Bucket, shared_environment

STEPS = ("claim", "ask", "hold", "fetch", "look", "store", "finish")
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Order:
    """Workers at once, one for each of ``steps``: after it that worker is killed; an empty one is left alive.

    Each works on the item so many times, ``later`` seconds ahead of the clock, and before with a pass of its own if it
    ``reconciles``.
    """

    item: str
    steps: Sequence[str]
    times: int = 1
    later: float = 0
    reconciles: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    bucket: dict[str, str] | None = None


class Workers:
    """The process that forks, as a test sees it."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process, self.log = process, log

    def run(self, item: Any, steps: Sequence[str], **more: Any) -> list[int]:
        """The exit codes of the workers, who have the settings of this moment."""
        from django.conf import settings

        ours = {name: getattr(settings, name) for name in SETTINGS if name.startswith("STUDIO_")}
        names = {"endpoint_url": "S3_ENDPOINT_URL", "name": "S3_BUCKET"}
        bucket = {name: getattr(settings, setting) for name, setting in names.items()} if settings.S3_BUCKET else None
        order = Order(str(item.pk), list(steps), settings=ours, bucket=bucket, **more)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asdict(order)) + "\n")
        self.process.stdin.flush()
        ends: list[int] = json.loads(self.process.stdout.readline())
        assert set(ends) <= {0, KILLED}, self.log.read_text()[-4000:]
        return ends


@contextmanager
def running(folder: Path) -> Iterator[Workers]:
    log = folder / "workers.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.studio.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=shared_environment(),
        )
    with process:  # it ends with its input
        yield Workers(process, log)


# --- In the process that forks --------------------------------------------------------------------------------
def serve() -> None:
    for line in sys.stdin:
        order = Order(**json.loads(line))
        workers = [forked(order, step) for step in order.steps]
        ends = [os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers]
        sys.stdout.write(json.dumps(ends) + "\n")
        sys.stdout.flush()


def forked(order: Order, step: str) -> int:
    """The number of a process that does the order and is killed after ``step``."""
    if worker := os.fork():
        return worker
    status = 1
    try:
        work(order, step)
        status = 0
    except BaseException:  # noqa: BLE001 - the process ends here, and says why
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def work(order: Order, step: str) -> None:
    from django.conf import settings
    from django.utils import timezone

    from studio import pipeline, queueing, reconciliation
    from tests.contracts.conftest import use_bucket

    for name, value in order.settings.items():
        setattr(settings, name, value)
    if order.bucket:
        use_bucket(settings, Bucket(**order.bucket))
    queueing.send = lambda items, until: None  # nobody else works on it
    hasten_buckets(setattr)
    if step:
        arm(step)
    item = UUID(order.item)
    for _ in range(order.times):
        if order.reconciles:
            reconciliation.scan(now=timezone.now() + timedelta(seconds=order.later))
        pipeline.generate(item_id=item, clock=lambda: timezone.now() + timedelta(seconds=order.later))


def hasten_buckets(set_to: Callable[[Any, str, Any], None]) -> None:
    """Has clients of a bucket pause for a moment only between their tries: not how long it takes is asked here."""
    from botocore.retries.standard import ExponentialBackoff

    from images.blobs import bucket

    set_to(bucket, "PAUSES", (0.01,))
    set_to(ExponentialBackoff, "delay_amount", lambda self, context: 0.01)


def arm(step: str) -> None:
    """From now on this process is killed when it did that step, or failed to."""
    from studio import pipeline, storing
    from studio.choice import by_name

    places: dict[str, list[tuple[Any, str]]] = {
        "claim": [(pipeline, "claim")],
        "ask": [(type(by_name("openai")), "ask")],
        "hold": [(pipeline, "hold")],
        "fetch": [(storing, "bytes_of"), (pipeline, "fetch")],
        "look": [(storing, "look")],
        "store": [(storing, "store")],
        "finish": [(storing, "finish"), (storing, "keep")],
    }
    for owner, name in places[step]:
        setattr(owner, name, killed_after(getattr(owner, name)))


def killed_after(call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        nothing = call.__name__ in ("claim", "bytes_of")  # then another worker has it, or there is an address to read
        try:
            done = call(*arguments, **options)
        except Exception:  # noqa: BLE001 - that it failed is a step as well
            done = True
        if done is None and nothing:
            return None
        os.kill(os.getpid(), signal.SIGKILL)

    return run


if __name__ == "__main__":
    import django

    django.setup()
    from studio import tasks  # noqa: F401 - what workers need is loaded once
    from tests.contracts import conftest  # noqa: F401
    from tests.parts import boto3_client

    boto3_client(Bucket("http://127.0.0.1:9", ""))
    serve()
