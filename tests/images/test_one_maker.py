"""A derivative is made once, also when two processes are asked for it at the same moment."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import LazySettings

from images.blobs import blobs, image_key
from tests.images.pictures import normal_jpeg
from tests.parts import ROOT, wait_until

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
# Asks for the copy; says in a file that it makes it, and doesn't go on before it may.
MAKE = """
import sys, time
from pathlib import Path
import django
django.setup()
from images import delivery
from images.models import Image
made, go = Path(sys.argv[1]), Path(sys.argv[2])
derive = delivery.derive
def slowly(*arguments, **options):
    with made.open("a") as file:
        file.write("made\\n")
    while not go.exists():
        time.sleep(0.01)
    return derive(*arguments, **options)
delivery.derive = slowly
image = Image(hash=sys.argv[3], width=400, height=300, size=1)
print(delivery.derivative_size(image, delivery.Derivative(160)))
"""


class Askers:
    """Processes that ask for one derivative, with a server's data of their own."""

    def __init__(self, folder: Path) -> None:
        self.made, self.go = folder / "made", folder / "go"
        self.files = folder / "data" / "uploads"
        self.environment = {
            **os.environ,
            "DATA_DIR": str(folder / "data"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    @contextmanager
    def ask(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-c", MAKE, str(self.made), str(self.go), HASH]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def times(self) -> int:
        """How often a process began to make the derivative."""
        return len(self.made.read_text().splitlines()) if self.made.exists() else 0


@pytest.fixture
def askers(settings: LazySettings, tmp_path: Path) -> Askers:
    askers = Askers(tmp_path)
    settings.FILES_DIR = askers.files
    blobs().put(image_key(HASH), DATA, content_type="image/jpeg")
    return askers


def is_waiting(process: int) -> bool:
    """Whether the kernel has the process wait for another's lock of a file."""
    return re.search(rf"-> FLOCK .* {process} ", Path("/proc/locks").read_text()) is not None


def test_two_processes_make_a_copy_once(askers: Askers) -> None:
    with askers.ask() as first:
        wait_until(lambda: askers.times == 1, seconds=60, what="the first maker")
        with askers.ask() as second:
            wait_until(lambda: is_waiting(second.pid) or askers.times > 1, seconds=60, what="the second one")
            askers.go.touch()
            sizes = {process.communicate(timeout=60)[0] for process in (first, second)}

    copy = askers.files / "images" / "derived" / f"{HASH}_160.jpg"
    assert askers.times == 1
    assert sizes == {f"{copy.stat().st_size}\n"}


def test_a_maker_that_dies_holds_nobody_up(askers: Askers) -> None:
    with askers.ask() as dying:
        wait_until(lambda: askers.times == 1, seconds=60, what="the maker")
        dying.kill()
        dying.communicate()
    askers.go.touch()

    with askers.ask() as next_one:
        assert next_one.communicate(timeout=60)[0] != ""
    assert (next_one.returncode, askers.times) == (0, 2)
