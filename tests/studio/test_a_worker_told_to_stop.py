"""A worker of the studio that is told to stop lets the call end that is under way and may be paid for."""

import secrets
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery import current_app
from django.conf import LazySettings

from studio.models import Call, Item, Status
from studio.queueing import GENERATE
from tests.parts import ROOT, shared_environment, start, wait_until
from tests.studio.provider import Running

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

GIVEN = ("STUDIO_PROVIDER", "STUDIO_MODEL", "STUDIO_BASE_URL", "STUDIO_API_KEY")


def test_the_answer_that_it_waits_for_is_kept(paid: Running, settings: LazySettings, ask: Ask, tmp_path: Path) -> None:
    settings.STUDIO_TIMEOUT_SECONDS = 60
    queue, log = (
        f"studio-{secrets.token_hex(4)}",
        tmp_path / "worker.log",
    )  # other workers of these tests take none of it
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue, "-P", "threads", "-c", "4"]
    env = {**shared_environment(), **{name: str(getattr(settings, name)) for name in GIVEN}}
    item = ask("[waits-60]")
    with ExitStack() as stack:
        worker = start(
            [*command, "-n", f"{queue}@tests", "--loglevel=INFO"],
            ready=lambda: b" ready." in log.read_bytes(),
            log=log,
            on=stack,
            cwd=ROOT,
            env={**env, "STUDIO_TIMEOUT_SECONDS": "60", "PGAPPNAME": "studio worker"},
        )
        current_app.send_task(GENERATE, [str(item.pk)], queue=queue)
        wait_until(lambda: paid.count() == 1, what="the request")
        worker.send_signal(signal.SIGTERM)
        wait_until(lambda: b"Warm shutdown" in log.read_bytes(), what="the worker that was told to stop")
        assert Item.objects.get(pk=item.pk).status == Status.GENERATING
        paid.release()
        assert worker.wait(30) == 0

    item.refresh_from_db()
    assert (item.status, item.stored_at is not None) == (Status.READY, True)
    assert ([call.status for call in Call.objects.all()], paid.count()) == (["answered"], 1)
