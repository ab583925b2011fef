"""A storage that doesn't answer holds up nobody who asks /readyz, and no other part of it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from images.blobs import StorageUnavailable
from images.blobs.folder import LocalBlobs
from images.trial import asking
from images.trial.asking import Question, verdict
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

MOMENT = 2 * asking.WAIT_SECONDS + 5.0  # seconds; a busy machine keeps it, boto's time-outs of minutes don't


@pytest.fixture
def silent(settings: LazySettings) -> Iterator[Bucket]:
    """A bucket that takes connections and never says anything."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        bucket = Bucket(f"http://127.0.0.1:{listener.getsockname()[1]}", "nowhere")
        use_bucket(settings, bucket)
        yield bucket


def test_readyz_names_a_silent_bucket_within_a_moment_and_asks_the_rest(silent: Bucket) -> None:
    lines = {}
    began = time.monotonic()
    for _ in range(2):
        answer = Client().get("/readyz")
        lines = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    took = time.monotonic() - began

    assert lines["storage"].startswith("failed: storage_unavailable: ")
    assert "no answer within 2 s" in lines["storage"]
    assert lines["disk"].startswith("ok")
    assert took < MOMENT


class SlowToWrite(LocalBlobs):
    """A folder whose trial of a write waits for ``gate``."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.gate = threading.Event()

    def put(self, key: str, *arguments: Any, **options: Any) -> bool:
        if key.startswith("probes/"):
            self.gate.wait(60)
        return super().put(key, *arguments, **options)


def test_a_write_that_takes_its_time_delays_no_readiness(tmp_path: Path) -> None:
    store = SlowToWrite(tmp_path)
    began = time.monotonic()
    try:
        said = [verdict(store) for _ in range(3)]
        took = time.monotonic() - began
    finally:
        store.gate.set()

    assert said == ["a write is being tried"] * 3
    assert took < MOMENT
    wait_until(lambda: verdict(store) == "", seconds=30, what="the verdict")


def test_the_last_answer_holds_while_it_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WAIT_SECONDS", 0.05)
    gate, asked = threading.Event(), []

    def ask() -> int:
        asked.append(1)
        if len(asked) > 1:
            gate.wait(60)
        return len(asked)

    question = Question(ask, good=0.01)
    wait_until(lambda: question.answer() == 1, seconds=30, what="the first answer")
    wait_until(lambda: question.answer() == 1 and len(asked) == 2, seconds=30, what="the second question")
    assert question.answer() == 1
    gate.set()
    wait_until(lambda: question.answer() != 1, seconds=30, what="the second answer")


def test_a_refusal_is_raised_to_all_who_ask_and_holds_for_a_while() -> None:
    asked = []

    def ask() -> None:
        asked.append(1)
        raise StorageUnavailable("no")

    question = Question(ask, bad=600.0)
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            question.answer()
    assert asked == [1]
