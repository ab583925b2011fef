"""The library of clients/browser in node."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.parts import missing

CLIENT = Path(__file__).parents[3] / "clients" / "browser"


class Node:
    """A script of clients/browser/tests that answers each line of JSON with one."""

    def __init__(self, script: str) -> None:
        node = shutil.which("node")
        if node is None:
            missing("node")
        self.process = subprocess.Popen(
            [str(node), str(CLIENT / "tests" / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert self.process.wait(10) == 0

    def __call__(self, asked: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "it ended"
        return json.loads(line)


@pytest.fixture(scope="module")
def node() -> Iterator[Callable[[str], Node]]:
    """Starts a script, which ends with the module."""
    started: list[Node] = []

    def start(script: str) -> Node:
        started.append(Node(script))
        return started[-1]

    yield start
    for each in started:
        each.__exit__()
