"""The examples of the documents work as they are printed, against a server as ``make run`` starts it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.parts import ROOT, wait_until
from tests.running import RunningServer

pytestmark = pytest.mark.timeout(300)  # a whole server starts


@pytest.fixture(scope="module")
def shown_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("examples") / "data") as running:
        yield running.until_ready()


def blocks(page: str, language: str) -> list[str]:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return found


@pytest.mark.parametrize("page", ["docs/first-steps.md", "docs/api.md"])
def test_the_examples_of_a_shell_run_from_top_to_bottom(shown_server: RunningServer, page: str, tmp_path: Path) -> None:
    program = "set -euo pipefail\n" + "\n".join(blocks(page, "sh"))
    printed = {
        "/tmp/": f"{tmp_path}/",  # noqa: S108 - what the page says; first, as the checkout may lie there too
        "http://localhost:8000": shown_server.url,
        ".venv/bin/python": sys.executable,
    }
    for word, real in printed.items():
        assert word in program
        program = program.replace(word, real)

    ended = subprocess.run(
        ["bash", "-c", program],
        cwd=ROOT,
        env=shown_server.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"status":"ready"' in ended.stdout
    refused = set(re.findall(r'"status":\d+,"code":"(\w+)"', ended.stdout))
    assert refused <= {"precondition_failed", "in_use", "invalid_code"}, ended.stdout  # those that the pages announce


def test_a_terminal_in_forty_lines_hears_of_a_change(shown_server: RunningServer, tmp_path: Path) -> None:
    (program,) = [block for block in blocks("docs/sync-protocol.md", "python") if "terminal.py" in block]
    (tmp_path / "terminal.py").write_text(program)
    manager = shown_server.device("Office", "--manage")
    product = manager.get("/api/products", params={"limit": 1}).json()["results"][0]
    (tmp_path / "terminal.token").write_text(shown_server.manage("enroll_device", "Terminal").split()[-1])
    log = tmp_path / "log"

    with ExitStack() as stack, log.open("wb") as output:
        terminal = subprocess.Popen(
            [sys.executable, "-u", "terminal.py", shown_server.url, "ABCD-EFGH"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        stack.callback(terminal.wait)
        stack.callback(terminal.kill)
        wait_until(lambda: "products at version" in log.read_text(), what="the first snapshot")
        manager.patch(f"/api/products/{product['id']}", json={"name": "Renamed meanwhile"}).raise_for_status()
        wait_until(lambda: "updated Renamed meanwhile" in log.read_text(), what="the change")
