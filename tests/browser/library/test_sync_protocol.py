"""The library keeps every rule of docs/sync-protocol.md, as the common script has them."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.browser.library.conftest import CLIENT
from tests.contracts.scripted_server import OverHttp
from tests.contracts.sync_protocol import Scenario, State, play, scenarios
from tests.parts import missing


class InNode:
    """The library in a process, with a disk that is a file, written at each commit."""

    abilities = ("polling",)

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.process: subprocess.Popen[str] | None = None

    def start(self, address: str, resources: Sequence[str], *, stream: bool) -> None:
        node = shutil.which("node")
        if node is None:
            missing("node")
        script = [str(node), str(CLIENT / "tests" / "terminal_process.js")]
        mode = [] if stream else ["--poll"]
        self.process = subprocess.Popen([*script, address, str(self.disk), ",".join(resources), *mode], text=True)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def state(self) -> State:
        assert self.process is not None
        assert self.process.poll() is None, "it ended by itself"
        try:
            return state_of(json.loads(self.disk.read_text()))
        except FileNotFoundError:
            return State(None, {}, {})


def state_of(dump: dict[str, list[list[object]]]) -> State:
    """What a dump of the copy's two stores holds."""
    held: dict[str, object] = dict(dump["state"]).get("held") or {"epoch": None, "versions": {}}  # type: ignore[arg-type]
    versions = {name: at for name, at in held["versions"].items() if at is not None}  # type: ignore[attr-defined]
    objects: dict[str, dict[str, object]] = {name: {} for name in versions}
    for (resource, id), row in dump["objects"]:  # type: ignore[misc]
        if resource in versions:
            objects[resource][id] = row
    return State(held["epoch"], versions, objects)  # type: ignore[arg-type]


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_library_keeps_the_rules_in_node(scenario: Scenario, tmp_path: Path) -> None:
    with OverHttp(InNode(tmp_path / "copy.json")) as terminal:
        play(scenario, terminal)
