"""Terminals that live in processes of their own, so that they can be killed as a power cut kills them."""

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from posclient import Bridge, Replica, Timeouts
from posclient._replica_store import ReplicaStore
from tests.contracts.sync_protocol import State
from tests.parts import ROOT

# Forked from a process that has imported everything already: a life begins within milliseconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.posclient.processes", "tests.posclient.conftest"])
BRISK = Timeouts(connect=5, read=30, write=30, pool=30, silence=60, whole=60, probe=5)


def begin(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = FORKS.Process(target=work, args=arguments, daemon=True)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'clients/python/src'}"  # or the process that forks imports nothing
    try:
        process.start()
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    return process


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join(20)
    assert process.exitcode is not None


def follow(address: str, folder: Path, resources: Sequence[str], poll_seconds: float | None) -> None:
    """What such a process does: keeps a replica current until it is killed."""
    bridge = Bridge.client(address, token="a token", timeouts=BRISK)
    Replica(bridge, folder, resources=resources, poll_seconds=poll_seconds).start()
    while True:
        time.sleep(60)


class ReplicaInAProcess:
    """posclient's replica as a ``Client`` of tests/contracts/scripted_server.py."""

    abilities = ("polling",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: BaseProcess | None = None
        self.resources: Sequence[str] = ()

    def start(self, address: str, resources: Sequence[str], *, stream: bool) -> None:
        self.resources = resources
        self.process = begin(follow, address, self.folder, resources, None if stream else 600.0)

    def kill(self) -> None:
        if self.process is not None:
            kill(self.process)

    def state(self) -> State:
        """What lies on the disk, read beside the process that writes it."""
        store = ReplicaStore(self.folder / "replica.sqlite3")
        try:
            with store.reading():
                epoch, versions, *_more = store.held()
                known = {name: at for name, at in versions.items() if at is not None}
                objects = {name: {row["id"]: row for row in store.all(name)} for name in known}
        finally:
            store.close()
        return State(epoch, known, objects)
