"""Upkeep by hand, by the worker, and what it leaves to look at."""

import os
from datetime import timedelta
from hashlib import sha256
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from images import tasks
from images.blobs import blobs, image_key
from images.models import Image, Pass
from images.services import add_image
from images.upkeep.passes import Budget, passing
from images.upkeep.scrub import scrub
from images.upkeep.sweep import sweep
from tests.images.pictures import normal_jpeg
from tests.parts import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def upkeep(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command("image_upkeep", *words, stdout=out, **options)
    return out.getvalue()


def restoring(*words: str) -> tuple[str, str]:
    out, error = StringIO(), StringIO()
    call_command("restore_images", *words, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def orphans(number: int) -> list[str]:
    """Files that no row names, and that have lain there for years; their hashes."""
    names = []
    for seed in range(1, number + 1):
        data = normal_jpeg(seed)
        names.append(sha256(data).hexdigest())
        key = image_key(names[-1])
        blobs().put(key, data, content_type="image/jpeg")
        path = blobs().path(key)
        assert path is not None
        os.utime(path, (0, 0))
    return names


def test_a_pass_says_what_it_did() -> None:
    add_image(data=normal_jpeg(1))

    assert upkeep("sweep") == "marked: 1\nsweep: done\n"
    assert upkeep("scrub", "--everything") == "checked: 1\nscrub: done\n"
    assert upkeep("orphans", "--dry-run") == "checked: 1\norphans (dry run): done\n"


def test_a_pass_that_would_touch_too_much_fails_until_it_is_told_to() -> None:
    names = orphans(12)

    with pytest.raises(CommandError, match="too much"):
        upkeep("orphans")
    assert "quarantined: 12" in upkeep("orphans", "--max-percent=100")
    assert restoring("--list")[0].split() == sorted(names)
    assert restoring(names[0]) == ("1 restored.\n", "")
    with pytest.raises(CommandError, match="1 could not"):
        restoring(names[0])
    assert restoring("--all") == ("11 restored.\n", "")
    assert Image.objects.usable().count() == 12
    with pytest.raises(CommandError, match="Name hashes"):
        restoring()


def test_only_a_scrub_does_everything() -> None:
    with pytest.raises(CommandError):
        upkeep("sweep", "--everything")


def test_a_pass_that_fails_says_so_in_its_row() -> None:
    def work() -> None:
        with passing(Pass.Kind.SCRUB, Budget()) as running:
            running.counts["checked"] += 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()

    row = Pass.objects.get()
    assert (row.outcome, row.counts) == (Pass.Outcome.FAILED, {"checked": 3})
    assert row.ended_at is not None


def test_old_passes_are_forgotten() -> None:
    for _ in range(2):
        sweep()
    Pass.objects.update(started_at=timezone.now() - timedelta(days=91))
    scrub()
    assert Pass.objects.count() == 3  # the last of each kind, and so of this one, is only forgotten for a newer

    sweep()

    assert sorted(Pass.objects.values_list("kind", flat=True)) == ["scrub", "sweep"]


def test_metrics_tell_of_the_last_pass_and_of_what_is_damaged() -> None:
    name = add_image(data=normal_jpeg(1)).image.hash
    blobs().delete(image_key(name))
    sweep(budget=Budget(dry_run=True))
    scrub()

    lines = Client().get("/metrics").content.decode().splitlines()

    assert "redcoral_images_damaged 1.0" in lines
    assert 'redcoral_image_upkeep{count="lost",kind="scrub"} 1.0' in lines
    assert 'redcoral_image_upkeep_ok{kind="scrub"} 1.0' in lines
    assert any(line.startswith('redcoral_image_upkeep_age_seconds{kind="scrub"}') for line in lines)
    assert not any('kind="sweep"' in line for line in lines)  # only a dry run


def test_a_real_worker_does_every_pass(celery_worker_process: object) -> None:
    for task in (tasks.sweep_images, tasks.scrub_images, tasks.quarantine_orphaned_images):
        task.delay()

    wait_until(lambda: Pass.objects.filter(outcome=Pass.Outcome.DONE).count() == 3, seconds=60, what="three passes")
    assert set(Pass.objects.values_list("kind", flat=True)) == {"sweep", "scrub", "orphans"}
