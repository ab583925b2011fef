"""Real file systems that are small enough to be filled, for tests that run as root."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.parts import missing


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Mounts file systems of a size such as "256k"; they go with the module's tests."""
    with ExitStack() as stack:

        def mount(size: str) -> Path:
            folder = tmp_path_factory.mktemp("disk")
            made = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}", "tests", folder], capture_output=True, check=False
            )
            if made.returncode:
                missing(f"the right to mount a file system ({made.stderr.decode(errors='replace').strip()})")
            stack.callback(lambda: subprocess.run(["umount", "--lazy", folder], check=True))
            return folder

        yield mount


@contextmanager
def kept_full(disk: Path) -> Iterator[None]:
    """Takes every byte that becomes free on ``disk``, until the block ends."""
    over = threading.Event()

    def take() -> None:
        with (disk / "more ballast").open("ab", buffering=0) as ballast:
            while not over.wait(0.02):
                with suppress(OSError):
                    while True:
                        ballast.write(bytes(4096))

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        (disk / "more ballast").unlink()


def fill(disk: Path) -> Path:
    """Leaves ``disk`` without a free byte; the file that has them all."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (64 * 1024, 4096, 1):  # a file system gives whole pages, or bytes of the last one
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
    return ballast
