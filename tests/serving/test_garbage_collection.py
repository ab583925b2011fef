"""What a web process has loaded at its start is left out of garbage collections."""

import subprocess
import sys

import pytest

from serving.garbage_collection import COLLECT_AFTER
from tests.parts import ROOT, shared_environment

FOR_REQUESTS = """
import gc
from config.wsgi import application

print(gc.get_freeze_count(), len(gc.get_objects()), gc.get_threshold()[0])
"""
FOR_STREAMS_TOO = """
import asyncio, gc
from config.asgi import application

async def main():
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        return {"type": next(events)}

    async def send(message):
        if message["type"] == "lifespan.startup.complete":
            print(gc.get_freeze_count(), len(gc.get_objects()), gc.get_threshold()[0])

    await application({"type": "lifespan"}, receive, send)

asyncio.run(main())
"""


@pytest.mark.parametrize("process", [FOR_REQUESTS, FOR_STREAMS_TOO])
def test_a_started_process_leaves_what_it_has_loaded_out_of_garbage_collections(process: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", process],
        cwd=ROOT,
        env=shared_environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    frozen, collected, threshold = map(int, said.split())
    assert frozen > 50_000, "Django and all that its URLs lead to"
    assert collected < frozen / 20
    assert threshold == COLLECT_AFTER[0]
