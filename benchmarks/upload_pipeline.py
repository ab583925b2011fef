"""What the upload pipeline adds to the normaliser, and what a scan costs beside a million photos.

``python -m benchmarks.upload_pipeline`` prints two tables and ends non-zero when a target is missed:

- photos a second of two Celery workers as they are deployed (SQLite and local files, as a shop has them), and of one,
  beside two processes that only normalise the same files: the two at least 0.85 of it;
- a scan with 50 pending photos among 1,000,000, beside one among 1,000, on PostgreSQL and on SQLite: at most twice the
  time, by indexes alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

from tqdm import tqdm

PHOTOS = 200
PROCESSES = 2
ROUNDS = 5  # each with as many photos, all different: an image that is stored already would cost less
WORKERS = 2
TARGET = 0.85
WORKER = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=2"]  # as `deploy/` has it
PENDING = 50
FEW, MANY = 1_000, 1_000_000
SCANS = 21
FOLDER = Path(os.environ.get("BENCHMARK_FOLDER") or tempfile.gettempdir())


def begin(stack: ExitStack, database: str) -> Path:
    """A migrated database and a data directory of this run's own."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-bench-", dir=FOLDER)))
    os.environ["DATA_DIR"] = str(folder / "data")
    os.environ["LOG_LEVEL"] = "WARNING"
    from tests.parts import start_postgresql, start_valkey  # after the environment is set: it leads to the settings

    if database == "postgresql":
        os.environ["DATABASE_URL"] = start_postgresql(log=folder / "postgresql.log", on=stack)
    os.environ["REDIS_URL"] = start_valkey(folder / "valkey")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return folder


# --- Throughput -------------------------------------------------------------------------------------------------
def photographs(round_: int) -> list[bytes]:
    """Pictures of 12 megapixels, all different: one scan, read with other tables, is another picture."""
    from tests.main_job.photograph import photograph

    one = photograph()
    table = one.index(b"\xff\xdb") + 5
    made = []
    for number in range(PHOTOS * round_, PHOTOS * (round_ + 1)):
        other = bytearray(one)
        other[table + 1] += number % 20
        other[table + 2] += number // 20
        made.append(bytes(other))
    return made


def normalize_file(path: Path) -> int:
    from images.normalize import normalize

    return len(normalize(path.read_bytes(), quality=85).data)


def seconds_of_normalizer(pool: Pool, paths: list[Path], pictures: list[bytes]) -> float:
    for path, data in zip(paths, pictures, strict=True):
        path.write_bytes(data)
    os.sync()  # what was written before is not what is measured
    began = time.monotonic()
    pool.map(normalize_file, paths, chunksize=1)
    return time.monotonic() - began


def seconds_of_pipeline(pictures: list[bytes]) -> float:
    """From the first message to the last ready photo; the originals are in storage already."""
    from django.db import connection
    from django.utils import timezone

    from images.blobs import blobs
    from uploads.models import Album, Photo
    from uploads.queueing import queue

    now = timezone.now()
    album = Album.objects.create(name="Benchmark")
    common = {"album": album, "filename": "dish.jpg", "content_type": "image/jpeg", "created_at": now}
    closes = now + timedelta(minutes=15)
    photos = Photo.objects.bulk_create(Photo(**common, size=len(data), upload_expires_at=closes) for data in pictures)
    for photo, data in zip(photos, pictures, strict=True):
        blobs().put(photo.key, data, content_type="image/jpeg")
    os.sync()
    left = album.photos.exclude(status="ready").order_by()
    sql, values = left.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        began = time.monotonic()
        queue(photos=photos, now=now)
        # Watching must not weigh: by plain SQL, and seldom as long as many are left (no photo takes less than 20 ms).
        while rows := cursor.execute(sql, values).fetchall():
            assert time.monotonic() - began < 120, list(left.values_list("status", "error_detail"))
            time.sleep(0.02 * max(1, len(rows) // 2))
        return time.monotonic() - began


def throughput() -> bool:
    """In rounds, and now one first and now the other, so that whatever else the machine does hits both alike."""
    with ExitStack() as stack:
        folder = begin(stack, "sqlite")
        from config.celery import app
        from tests.parts import ROOT, start

        def are_up(number: int) -> bool:
            return len(app.control.ping(timeout=1.0)) == number

        pool = stack.enter_context(get_context("forkserver").Pool(PROCESSES))
        paths = [folder / f"{number}.jpg" for number in range(PHOTOS)]
        lines = []
        for workers in range(1, WORKERS + 1):
            start(
                [*WORKER, "--loglevel=WARNING", f"--hostname={workers}@%h"],
                ready=partial(are_up, workers),
                log=folder / f"worker-{workers}.log",
                on=stack,
                cwd=ROOT,
                seconds=60,
            )
            alone, whole = [], []
            for round_ in tqdm(range(-1, ROUNDS), desc=f"{workers} of {WORKERS} workers"):
                pictures = photographs(round_ + 1 + (workers - 1) * (ROUNDS + 1))
                if round_ % 2:
                    whole.append(seconds_of_pipeline(pictures))
                alone.append(seconds_of_normalizer(pool, paths, pictures))
                if not round_ % 2:
                    whole.append(seconds_of_pipeline(pictures))
            del alone[0], whole[0]  # in the first round everything wakes up
            ratio = sum(alone) / sum(whole)
            ratios = sorted(one / other for one, other in zip(alone, whole, strict=True))
            rates = f"{PHOTOS * ROUNDS / sum(alone):.2f} | {PHOTOS * ROUNDS / sum(whole):.2f}"
            lines.append(f"| {workers} | {rates} | {ratio:.3f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |")
    print(f"\n{PHOTOS} photos of 12 MP and {len(pictures[0]) / 1e6:.1f} MB at once, {ROUNDS} rounds, photos a second;")
    print(f"target for {WORKERS} workers: {TARGET} of what {PROCESSES} processes do that only normalise.\n")
    print("| workers | normaliser alone | pipeline | ratio | of the rounds |\n|---|---|---|---|---|")
    print("\n".join(lines), flush=True)
    return ratio >= TARGET


# --- Scans ------------------------------------------------------------------------------------------------------
def fill(number: int) -> None:
    """So many ready photos in full albums, and 50 pending ones whose bytes haven't come."""
    from django.db import connection, transaction
    from django.utils import timezone

    from images.models import Image
    from uploads.models import ALBUM_HOLDS, Album, Photo

    now = timezone.now()
    Album.objects.all().delete()
    albums = Album.objects.bulk_create(Album(name=f"Album {n}") for n in range(max(1, number // ALBUM_HOLDS)))
    image, _ = Image.objects.get_or_create(
        hash="0" * 64, defaults={"status": "stored", "width": 1, "height": 1, "size": 1, "wanted_at": now}
    )
    common = {"album": albums[0], "filename": "dish.jpg", "content_type": "image/jpeg", "size": 1}
    common |= {"upload_expires_at": now + timedelta(hours=1), "created_at": now - timedelta(minutes=1)}
    like = Photo.objects.create(**common, image=image, status="ready", attempts=1, processing_at=now, ready_at=now)
    postgresql = connection.vendor == "postgresql"
    older = "created_at - n * interval '1 s'" if postgresql else "datetime(created_at, '-' || n || ' seconds')"
    different = {
        "id": "gen_random_uuid()" if postgresql else "lower(hex(randomblob(16)))",
        "album_id": "%s",
        "created_at": older,
        "checked_at": older,
    }
    columns = [str(field.column) for field in Photo._meta.concrete_fields]
    values = ", ".join(different.get(column, connection.ops.quote_name(column)) for column in columns)
    insert = (
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number // len(albums)})"
        f" INSERT INTO uploads_photo ({', '.join(map(connection.ops.quote_name, columns))})"
        f" SELECT {values} FROM uploads_photo, numbers WHERE id = %s"
    )
    with connection.cursor() as cursor:
        with transaction.atomic():
            for album in tqdm(albums, desc=f"{number:,} photos", leave=False):
                cursor.execute(insert, [key if postgresql else key.hex for key in (album.pk, like.pk)])
        Photo.objects.bulk_create([Photo(**common) for _ in range(PENDING)])
        cursor.execute("VACUUM ANALYZE uploads_photo" if postgresql else "ANALYZE")


def seconds_of_a_scan() -> float:
    from django.utils import timezone

    from uploads.reconciliation import scan

    spent = []
    for _ in range(SCANS):
        began = time.perf_counter()
        counts = scan(now=timezone.now())
        spent.append(time.perf_counter() - began)
        assert (counts.checked, counts.skipped) == (PENDING, PENDING), counts
    return statistics.median(spent)


def plans_use_indexes() -> None:
    """Every query of a scan that looks for photos finds them by one of the indexes of what is under way."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from uploads.reconciliation import scan

    with CaptureQueriesContext(connection) as queries:
        scan(now=timezone.now())
    asked = [query["sql"] for query in queries if "uploads_photo" in query["sql"] and query["sql"].startswith("SELECT")]
    assert len(asked) >= 3, asked
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql)
            plan = "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
        by_index = "photo_pending_by_" in plan or "photo_processing_by_lease" in plan
        assert by_index, f"{sql}\n{plan}"
        assert "Seq Scan" not in plan, f"{sql}\n{plan}"


def scans(database: str) -> bool:
    with ExitStack() as stack:
        begin(stack, database)
        fill(FEW)
        few = seconds_of_a_scan()
        fill(MANY)
        plans_use_indexes()
        many = seconds_of_a_scan()
    print(f"| {database} | {few * 1000:.1f} | {many * 1000:.1f} | {many / few:.2f} |")
    return many <= 2 * few


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=("throughput", "postgresql", "sqlite"), help="all, when left out")
    part = parser.parse_args().part
    if part == "throughput":
        sys.exit(not throughput())
    if part:
        sys.exit(not scans(part))
    # Each in a process of its own: Django has one database in one process.
    again = [sys.executable, "-m", "benchmarks.upload_pipeline"]
    ends = [subprocess.run([*again, "throughput"], check=False).returncode]
    print(
        f"\n| a scan, {PENDING} pending, ms | among {FEW:,} | among {MANY:,} | ratio (target 2) |\n|---|---|---|---|",
        flush=True,
    )
    ends += [subprocess.run([*again, database], check=False).returncode for database in ("postgresql", "sqlite")]
    sys.exit(any(ends))


if __name__ == "__main__":
    main()
