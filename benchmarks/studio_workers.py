"""What a provider that is waited for costs the others, and what the pipeline adds to its answer: the part *workers* of
``python -m benchmarks.studio``.

Celery workers as `make run` starts them (SQLite and local files, as a shop has them), and the provider of the tests in
a process of its own. ``BENCHMARK_PHOTOS`` and ``BENCHMARK_ROUNDS`` make it shorter.
"""

import os
import statistics
import sys
import time
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from tqdm import tqdm

from benchmarks.sync.shop import Table

PHOTOS = int(os.environ.get("BENCHMARK_PHOTOS", "100"))
ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "5"))
CALLS, CALL_SECONDS = 4, 60
ANSWERS = 60
MOST_MS = 300
WORKER = [sys.executable, "-m", "celery", "-A", "config", "worker", "--loglevel=WARNING"]


def measure_workers(table: Table, stack: ExitStack) -> None:
    from django.conf import settings

    from tests.studio import provider

    scripted = stack.enter_context(provider.running())
    told = {"STUDIO_PROVIDER": "openai", "STUDIO_MODEL": "some-model-1", "STUDIO_BASE_URL": scripted.openai}
    told |= {"STUDIO_API_KEY": provider.KEY, "STUDIO_DAILY_PICTURES": "0", "STUDIO_DAILY_PICTURES_ALL": "0"}
    os.environ |= told
    for name, value in told.items():
        setattr(settings, name, int(value) if value.isdecimal() else value)
    start_workers(stack)
    answers(table)
    photos(table, scripted)


def start_workers(stack: ExitStack) -> None:
    from config.celery import app
    from studio.broker import STUDIO
    from tests.parts import ROOT, start
    from uploads.broker import IMAGES, LARGE_IMAGES

    def are_up(number: int) -> bool:
        return len(app.control.ping(timeout=1.0)) == number

    for number, (name, words) in enumerate(
        {
            "photos": ["--concurrency=2", "-Q", f"{IMAGES},{LARGE_IMAGES}"],
            "studio": ["-Q", STUDIO, "-P", "threads", "--concurrency=4"],
        }.items(),
        1,
    ):
        log = Path(os.environ["DATA_DIR"]).parent / f"{name}.log"
        start(
            [*WORKER, *words, "-n", f"{name}@%h"],
            ready=partial(are_up, number),
            log=log,
            on=stack,
            cwd=ROOT,
            seconds=60,
        )


def ask(user: Any, prompt: str) -> Any:
    from django.utils import timezone

    from catalog.transactions import run_in_transaction
    from studio.services import Wish, ask_for

    wish = partial(ask_for, owner=user, item_id=uuid4(), wish=Wish(prompt=prompt), now=timezone.now())
    return run_in_transaction(wish)[0]


def wait_for(condition: Any, seconds: float) -> None:
    over = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < over
        time.sleep(0.005)


def answers(table: Table) -> None:
    """From the request until the picture is stored and ready: the provider answers at once, so all of it is ours."""
    from django.contrib.auth.models import User

    from studio.models import Item

    user = User.objects.create(username="one by one", is_staff=True)
    found = []
    for number in tqdm(range(ANSWERS + 3), desc="answers", leave=False):
        began = time.monotonic()
        item = ask(user, f"[photo] {number}")
        stored = Item.objects.filter(pk=item.pk).exclude(stored_at=None)
        wait_for(stored.exists, 30)
        found.append((time.monotonic() - began) * 1000)
    del found[:3]  # in which everything wakes up
    middle, slow = statistics.median(found), statistics.quantiles(found, n=20)[-1]
    what = f"what the pipeline adds to an answer of a megapixel, p95 of {ANSWERS}; beside it p50"
    reached = slow <= MOST_MS
    table.add(what, f"{slow:.0f} ms", f"{middle:.0f} ms", slow, f"≤ {MOST_MS} ms", reached=reached, unit="ms")


def photos(table: Table, scripted: Any) -> None:
    """Alternately, so that whatever else the machine does hits both alike; all photos are different."""
    from django.contrib.auth.models import User

    from benchmarks.upload_pipeline import photographs, seconds_of_pipeline
    from studio.models import Item

    user = User.objects.create(username="four at once", is_staff=True)
    under_way = Item.objects.filter(owner=user, status="generating")
    numbers = count()

    def rate() -> float:
        pictures = photographs(next(numbers))[:PHOTOS]
        return len(pictures) / seconds_of_pipeline(pictures)

    def rate_beside_calls() -> float:
        scripted.reset()
        items = [ask(user, f"[waits-{CALL_SECONDS}] {number}") for number in range(CALLS)]
        wait_for(lambda: scripted.count() == CALLS, 30)
        found = rate()
        assert under_way.count() == CALLS, "they ended before the photos did: take fewer photos"
        scripted.release()
        ready = Item.objects.filter(pk__in=[item.pk for item in items], status="ready")
        wait_for(lambda: ready.count() == CALLS, 30)
        return found

    found: dict[str, list[float]] = {"beside": [], "without": []}
    for number in tqdm(range(-1, ROUNDS), desc="photos", leave=False):
        for side in ("beside", "without") if number % 2 else ("without", "beside"):
            found[side].append(rate_beside_calls() if side == "beside" else rate())
    for rates in found.values():
        del rates[0]  # in the first round everything wakes up
    what = f"photos a second, {CALLS} calls of {CALL_SECONDS} s under way beside none"
    table.at_least(what, found["beside"], found["without"], 0.95, "/s")
