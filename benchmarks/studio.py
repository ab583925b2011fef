"""What the studio costs, as ratios of one run: ``python -m benchmarks.studio [PART …]``, all unless told.

- *postgresql*, *sqlite*: a write to a history beside one to the catalogue, status beside 1,000 histories, a sync of 10
  changes in a history of 10,000 items beside one of 100, and how many queries a list takes;
- *pictures*: drawing and tidying beside normalising, an original beside a picture, the size of the page's code;
- *workers*: photos a second beside four calls of a provider under way, and what the pipeline adds to an answer, with
  workers as they are deployed (benchmarks/studio_workers.py).

The rest is called in this process, requests by Django's test client. It ends non-zero when a target is missed.
"""

import argparse
import gc
import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.sync.shop import Table, seconds

PARTS = ("postgresql", "sqlite", "pictures", "workers")
WRITES, ANSWERS, PICTURES = 300, 100, 7  # of each side
ROUNDS, WARMING = 5, 20
FEW, MANY, HISTORIES, CHANGES, LISTED = 100, 10_000, 1_000, 10, 100
QUERIES = 4
KILOBYTES = 30
FOLDER = Path(os.environ.get("BENCHMARK_FOLDER") or tempfile.gettempdir())
Call = Callable[[], object]


def begin(stack: ExitStack, database: str) -> None:
    """A migrated database that keeps what it commits, and a data directory, of this run's own."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-bench-", dir=FOLDER)))
    os.environ |= {"DATA_DIR": str(folder / "data"), "LOG_LEVEL": "ERROR"}
    from tests.parts import start_postgresql, start_valkey  # after the environment is set: it leads to the settings

    if database == "postgresql":
        os.environ["DATABASE_URL"] = start_postgresql(log=folder / "postgresql.log", on=stack, careless=False)
    os.environ["REDIS_URL"] = start_valkey(folder / "valkey")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.ALLOWED_HOSTS.append("testserver")
    call_command("migrate", verbosity=0)


def alternately(times: int, ours: Call, peer: Call) -> tuple[list[float], list[float]]:
    """Milliseconds of both, now one first and now the other, after a call of each that doesn't count."""
    ours(), peer()
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(times):
        for side in (0, 1) if number % 2 else (1, 0):
            found[side].append(seconds((ours, peer)[side]) * 1000)
    return found


# --- Histories --------------------------------------------------------------------------------------------------
def manager(name: str, items: int) -> tuple[Any, Any]:
    """A login with so many items, and a client that is logged in."""
    from django.contrib.auth.models import User
    from django.test import Client

    from studio.models import Item

    user = User.objects.create(username=name, is_staff=True)
    common = {"owner": user, "kind": "drawn", "provider": "label", "model": "label", "prompt": "a bowl of soup"}
    Item.objects.bulk_create([Item(**common) for _ in range(items)], batch_size=1000)
    client = Client()
    client.force_login(user)
    return user, client


def answered(client: Any, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.content)
    return answer


def writes(table: Table, database: str, user: Any) -> None:
    from catalog.models import Tag
    from studio.models import Item

    tag = Tag.objects.create(name="Vegan")
    item = Item.objects.of(user.pk).earliest("created_at", "id")
    numbers = count()

    def ours() -> None:
        Item.objects.filter(pk=item.pk).update(prompt=f"soup {next(numbers)}")

    def peer() -> None:
        Tag.objects.filter(pk=tag.pk).update(name=f"Vegan {next(numbers)}")

    table.at_most(f"{database}: a write to a history beside one to a tag", *alternately(WRITES, ours, peer), 1.6)


def syncs(table: Table, database: str, small: Any, large: Any) -> None:
    def asked(client: Any) -> Call:
        head = answered(client, "/api/history/sync?since=0").json()["head"]
        path = f"/api/history/sync?since={head - CHANGES}"
        assert len(answered(client, path).json()["items"]) == CHANGES
        return lambda: answered(client, path)

    what = f"{database}: {CHANGES} changes, of {MANY:,} items beside {FEW}"
    table.at_most(what, *alternately(ANSWERS, asked(large), asked(small)), 1.3)


def lists(table: Table, database: str, small: Any, large: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    numbers = []
    for client in (large, small):
        with CaptureQueriesContext(connection) as queries:
            assert len(answered(client, f"/api/history?limit={LISTED}").json()["results"]) == LISTED
        numbers.append(len(queries))
    ours, peer = numbers
    what = f"{database}: queries of a list of {LISTED}, of {MANY:,} items beside {FEW}"
    reached = ours <= QUERIES and ours == peer
    table.add(what, str(ours), str(peer), ours / peer, f"≤ {QUERIES} queries", reached=reached)


def status(table: Table, database: str) -> None:
    """Now with histories and now without, so that what the machine does meanwhile hits both."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    from devices.services import enroll
    from studio.models import Item

    client = Client(headers={"Authorization": f"Bearer {enroll(name='Till').token}"})

    def measured(histories: int) -> list[float]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM syncing_resource WHERE name LIKE 'history:%'")
            assert cursor.fetchone() == (histories,)
            if database == "postgresql":
                cursor.execute("VACUUM ANALYZE")  # as it does by itself within a minute: here it would do so meanwhile
                cursor.execute("CHECKPOINT")
        gc.collect()
        for _ in range(WARMING):
            answered(client, "/api/sync/status")
        return [seconds(lambda: answered(client, "/api/sync/status")) * 1000 for _ in range(ANSWERS // ROUNDS)]

    beside, without = list[float](), measured(0)
    for _ in range(ROUNDS):
        users = User.objects.bulk_create([User(username=f"manager {number}") for number in range(HISTORIES)])
        Item.objects.bulk_create([Item(owner=user, kind="drawn", provider="label") for user in users])
        del users  # what this process keeps isn't what is measured
        beside += measured(HISTORIES)
        Item.objects.all().delete()
        User.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM syncing_change WHERE resource LIKE 'history:%'")
            cursor.execute("DELETE FROM syncing_resource WHERE name LIKE 'history:%'")
        without += measured(0)
    table.at_most(f"{database}: status with {HISTORIES:,} histories beside without", beside, without, 1.1)


def histories(table: Table, database: str) -> None:
    status(table, database)
    user, small = manager("few", FEW)
    _other, large = manager("many", MANY)
    syncs(table, database, small, large)  # first: here the newest changes are each of another item
    lists(table, database, small, large)
    writes(table, database, user)


# --- Pictures ---------------------------------------------------------------------------------------------------
def pictures(table: Table) -> None:
    from benchmarks.normalizing import PHOTOS, ours, photo
    from studio.providers.base import Subject
    from studio.providers.builtin.tidy import tidied
    from studio.providers.builtin.tile import tile

    taken = photo(*PHOTOS[0])
    normal = ours(taken)
    subject = Subject("Tortilla de patatas con cebolla", "Tapas", "#b3541e")
    for what, work, most in (
        ("drawing a label", lambda: tile(subject), 3.0),
        ("tidying a photo up", lambda: tidied(normal), 1.0),
    ):
        table.at_most(f"{what} beside normalising 12 MP", *alternately(PICTURES, work, lambda: ours(taken)), most)


def originals(table: Table) -> None:
    """The same bytes by both addresses: a label is in normal form as it comes."""
    from django.utils import timezone

    from studio import pipeline, queueing
    from studio.models import Item
    from studio.services import Wish, ask_for

    queueing.send = lambda items, until: None  # nobody else works here
    user, client = manager("manager", 0)
    item, _created = ask_for(owner=user, item_id=uuid4(), wish=Wish(prompt="Tortilla"), now=timezone.now())
    pipeline.generate(item_id=item.pk)
    item = Item.objects.get(pk=item.pk)
    original, picture = f"/api/r2/image/{item.key}", f"/api/image/{item.image_id}.jpg"

    def read(path: str) -> bytes:
        answer = answered(client, path)
        return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)

    assert read(original) == read(picture)
    proxied, plain = alternately(ANSWERS * 3, lambda: read(original), lambda: read(picture))
    rates = [[1000 / ms for ms in side] for side in (proxied, plain)]
    table.at_least("an original beside the same bytes by /api/image/", rates[0], rates[1], 0.5, "/s")


def code(table: Table) -> None:
    """As it goes over the network; the modules that other pages have too aren't counted."""
    from tests.parts import ROOT

    files = [path for path in (ROOT / "studio" / "page").iterdir() if path.suffix in (".js", ".css")]
    size = sum(len(gzip.compress(path.read_bytes())) for path in files) / 1000
    reached = bool(files) and size <= KILOBYTES
    table.add("the page's own code, gzip", f"{size:.1f} kB", "", size, f"≤ {KILOBYTES} kB", reached=reached, unit="kB")


def measure(part: str) -> bool:
    """One part, in this process; whether every target was reached."""
    table = Table()
    with ExitStack() as stack:
        begin(stack, "postgresql" if part == "postgresql" else "sqlite")
        if part == "workers":
            from benchmarks.studio_workers import measure_workers

            measure_workers(table, stack)
        elif part == "pictures":
            pictures(table)
            originals(table)
            code(table)
        else:
            histories(table, part)
        from django.db import connections

        connections.close_all()
    table.print()
    return not table.missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all unless told", default=list(PARTS))
    parts = parser.parse_args().parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if len(parts) == 1:
        sys.exit(not measure(parts[0]))
    # Each in a process of its own: Django has one database in one process.
    again = [sys.executable, "-m", "benchmarks.studio"]
    ends = [subprocess.run([*again, part], check=False).returncode for part in parts]
    sys.exit(any(ends))


if __name__ == "__main__":
    main()
