"""The library keeps every rule of docs/sync-protocol.md, as the common script has them."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.browser.library.conftest import CLIENT
from tests.contracts.scripted_server import OverHttp
from tests.contracts.sync_protocol import Scenario, State, play, scenarios
from tests.parts import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


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


def state_of(dump: dict[str, list[tuple[Any, Any]]]) -> State:
    """What a dump of the copy's two stores holds: ``[key, value]`` by the stores' names."""
    held: dict[str, Any] = dict(dump["state"]).get("held") or {"epoch": None, "versions": {}}
    versions = {name: at for name, at in held["versions"].items() if at is not None}
    objects: dict[str, dict[str, Any]] = {name: {} for name in versions}
    for (resource, id), row in dump["objects"]:
        if resource in versions:
            objects[resource][id] = row
    return State(held["epoch"], versions, objects)


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_library_keeps_the_rules_in_node(scenario: Scenario, tmp_path: Path) -> None:
    with OverHttp(InNode(tmp_path / "copy.json")) as terminal:
        play(scenario, terminal)


TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
PAGE = b"""<!doctype html><title>conformance</title><script type="module">
import { Terminal } from "/src/index.js";
const asked = new URLSearchParams(location.search);
const resources = asked.get("resources").split(",");
globalThis.terminal = await Terminal.open({ resources, world: { isPolling: asked.has("poll") } });
</script>"""
DUMP = """async () => {
  const { databases } = globalThis.terminal ?? {};
  if (!databases) return null;
  if (!databases.copy.isKept) throw new Error("nothing is kept");
  return await databases.copy.read(["state", "objects"], async (tx) => {
    const [held, keys, rows] = await Promise.all([
      tx.get("state", "held"), tx.getAllKeys("objects"), tx.getAll("objects"),
    ]);
    return { state: held ? [["held", held]] : [], objects: keys.map((key, at) => [key, rows[at]]) };
  });
}"""


def pages(path: str) -> tuple[str, bytes] | None:
    """The page, and what it imports of clients/browser."""
    name = path.partition("?")[0]
    if name == "/":
        return TYPES[".html"], PAGE
    file = CLIENT / name[1:]
    return (TYPES[".js"], file.read_bytes()) if file.suffix == ".js" and file.is_file() else None


class InChromium:
    """The library in a page that is killed by crashing it. Its disk is IndexedDB; each address has its own."""

    abilities = ("polling",)

    def __init__(self, context: "BrowserContext") -> None:
        self.context = context
        self.page: Page | None = None

    def start(self, address: str, resources: Sequence[str], *, stream: bool) -> None:
        self.page = self.context.new_page()
        asked = {"resources": ",".join(resources), **({} if stream else {"poll": "1"})}
        self.page.goto(f"{address}/?{urlencode(asked)}", wait_until="commit")

    def kill(self) -> None:
        from playwright.sync_api import Error

        if self.page is not None:
            with self.page.expect_event("crash"), suppress(Error):
                self.page.goto("chrome://crash")
            self.page.close()
            self.page = None

    def state(self) -> State:
        assert self.page is not None
        dump = self.page.evaluate(DUMP)
        return state_of(dump) if dump else State(None, {}, {})


@pytest.fixture(scope="module")
def context(chromium: "Browser") -> "BrowserContext":
    return chromium.new_context()


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_library_keeps_the_rules_in_chromium(scenario: Scenario, context: "BrowserContext") -> None:
    with OverHttp(InChromium(context), pages=pages) as terminal:
        play(scenario, terminal)
