"""A process that stores pictures, or sweeps them, and is killed with SIGKILL at the step that it is told.

``python -m tests.faults.killed_process`` reads a line of JSON for each run and answers with a line: the name of the
step at which the run was killed, or "finished". Each run is a fork, so that only the first pays for starting Django.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from importlib import import_module
from io import BufferedWriter, FileIO
from typing import Any, Self

from tests.parts import ROOT


class KilledProcess:
    """The other end: starts the process and tells it what to do, until the block ends."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killed_process"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def run(self, action: str, *, seed: int, die_at: int | None = None, times: int = 1) -> str:
        """What became of it: the step at which it was killed, or "finished"; for several at once, their exit codes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"action": action, "seed": seed, "die_at": die_at, "times": times}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the process ended"
        return answer.strip()


def run_step_by_step(die_at: int, say: Callable[[str], object]) -> None:
    """Has this process killed after the so-manieth step from now on.

    A step is whatever can be left half done: each commit that changes an image's row, each call that changes the
    folder, and each request to the bucket.
    """
    from django.conf import settings
    from django.db import connection

    passed = 0

    def reached(name: str) -> None:
        nonlocal passed
        if passed == die_at:
            say(name)
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    connection.execute_wrappers.append(partial(watched, reached))
    if settings.S3_BUCKET:
        from images.blobs.bucket import bucket_blobs

        events = bucket_blobs().client.meta.events
        events.register("after-call.s3", lambda model, **_: reached(f"after {model.name}"))
    else:
        watch_files(reached)


def watched(reached: Callable[[str], None], execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """After each commit that changes an image's row there is a step, named by the row's status then."""
    from django.db import transaction

    from images.models import Image

    result = execute(sql, params, many, context)
    verb = sql.split(maxsplit=1)[0]
    if "images_image" in sql and verb in ("INSERT", "UPDATE", "DELETE") and context["cursor"].rowcount > 0:
        status = "gone" if verb == "DELETE" else next(value for value in params if value in Image.Status.values)
        transaction.on_commit(partial(reached, f"a row is {status}"))
    return result


def watch_files(reached: Callable[[str], None]) -> None:
    """Makes a step of each call by which a folder is changed, and one of the middle of the bytes."""

    def and_then(step: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            answer = call(*arguments, **options)
            reached(step)
            return answer

        return run

    class InHalves(BufferedWriter):
        def write(self, data: Any, /) -> int:
            written = super().write(data[: len(data) // 2])
            self.flush()
            reached("half way through the bytes")
            return written + super().write(data[written:])

    files: Any = os
    for call in (os.open, os.fchmod, os.fsync, os.link, os.unlink):
        setattr(files, call.__name__, and_then(f"after {call.__name__}", call))
    files.fdopen = lambda descriptor, mode: InHalves(FileIO(descriptor, mode))


def small(seed: int) -> Any:
    """A picture that is stored in no time."""
    from normalform import normalize
    from tests.images.pictures import normal_jpeg

    return normalize(normal_jpeg(seed, 48, 32), quality=85)


def act(action: str, seed: int) -> int:
    """Does it; the exit code says what happened: 10 created, 11 known already, 12 swept."""
    from images.store import store
    from images.upkeep.sweep import sweep

    if action == "store":
        return 10 if store(small(seed))[1] else 11
    assert action == "sweep"
    sweep(grace=timedelta(0), stale=timedelta(hours=1))
    return 12


def child(order: dict[str, Any], gate: int, answer: int) -> None:
    """In the fork: waits for the gate, works, and never comes back."""
    code = 1
    with suppress(BaseException):
        os.read(gate, 1)
        if order["die_at"] is not None:
            run_step_by_step(order["die_at"], lambda name: os.write(answer, name.encode()))
        code = act(order["action"], order["seed"])
    os._exit(code)


def main() -> None:
    import django

    django.setup()
    from django.conf import settings

    # What a fork needs is loaded before.
    import_module("images.blobs.folder")
    import_module("images.upkeep.sweep")
    if settings.S3_BUCKET:
        import_module("images.blobs.bucket")
    for line in sys.stdin:
        order = json.loads(line)
        small(order["seed"])  # drawn before the gate opens
        gate, opened = os.pipe()
        answer, said = os.pipe()
        pids = []
        for _ in range(order["times"]):
            pid = os.fork()
            if not pid:
                os.close(opened)
                child(order, gate, said)
            pids.append(pid)
        os.write(opened, b"x" * len(pids))
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        os.close(said)
        with os.fdopen(answer) as steps:
            name = steps.read()
        os.close(gate)
        os.close(opened)
        if len(codes) > 1:
            outcome = " ".join(map(str, sorted(codes)))
        else:
            outcome = name if codes == [-signal.SIGKILL] else "finished" if codes[0] >= 10 else f"failed {codes[0]}"
        sys.stdout.write(outcome + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
