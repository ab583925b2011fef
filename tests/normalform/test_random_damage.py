"""Files of all formats, damaged at random: a picture in normal form or a refusal, in bounded time and memory."""

import json
import os
import subprocess
import sys
from time import time

import pytest

from tests.parts import ROOT

PARTS = ("taken", "broken_image", "unsupported_image")


def damage(seed: int, seconds: float) -> dict[str, int]:
    """How often each outcome came, in a process of its own: a decoder that dies takes the process with it."""
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1", "PYTHONPATH": f"{ROOT / 'normalform/src'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.images.damage", str(seed), str(seconds)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return outcomes


@pytest.mark.timeout(120)
def test_ten_seconds_of_random_damage() -> None:
    outcomes = damage(1, 10)

    assert all(outcomes.get(part) for part in PARTS), outcomes


@pytest.mark.soak
@pytest.mark.timeout(4500)
def test_an_hour_of_random_damage() -> None:
    """Other files in each run."""
    outcomes = damage(int(time()) * 1_000_000, 3600)

    assert sum(outcomes.values()) > 100_000
