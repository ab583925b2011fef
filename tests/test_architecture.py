"""The layout of the house is kept by machine: who may import whom, what a room holds, how long a file may be."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "adminpages",
    "backoffice",
    "catalog",
    "config",
    "devices",
    "images",
    "refusals",
    "clocks",
    "telemetry",
    "serving",
    "studio",
    "syncing",
    "terminal",
    "uploads",
)
APPS = tuple(
    room
    for room in ROOMS
    if room
    not in {"adminpages", "backoffice", "clocks", "config", "refusals", "serving", "studio", "telemetry", "terminal"}
)
OWN = (*ROOMS, "normalform", "benchmarks", "clients", "tests", "tools")
LONGEST = 400  # lines; a file that needs more holds more than one idea


def sources(*folders: str, suffix: str = ".py") -> Iterator[Path]:
    """The files of ``folders`` that people wrote, in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
            if not {"migrations", "node_modules", "build", "vendor"} & set(path.parts):
                yield path


def imported(path: Path) -> set[str]:
    """The top-level packages that ``path`` imports by their names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
    return names


def test_imports_go_through_the_doors_only() -> None:
    lint = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "clients/python/src"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert lint.returncode == 0, lint.stdout


def test_clients_and_the_normal_form_import_nothing_of_the_server() -> None:
    of_the_server = {*ROOMS, "django", "rest_framework", "celery"}

    trespassers = {
        str(path.relative_to(ROOT)): found
        for path in sources("clients", "normalform")
        if (found := imported(path) & of_the_server) and "tests" not in path.parts
    }

    assert trespassers == {}


def test_no_room_imports_the_tests() -> None:
    assert [path for path in sources(*ROOMS) if "tests" in imported(path)] == []


@pytest.mark.parametrize("name", ["utils", "core", "common", "helpers", "signals"])
def test_no_module_has_a_name_that_says_nothing(name: str) -> None:
    assert [path for path in sources(*OWN) if path.stem == name or path.parent.name == name] == []


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("module", ["apps", "models", "services", "views", "urls", "admin", "migrations"])
def test_a_room_has_its_furniture(app: str, module: str) -> None:
    if (app, module) == ("syncing", "services"):
        return  # its verbs are the database's triggers

    assert (ROOT / app / f"{module}.py").is_file() or (ROOT / app / module / "__init__.py").is_file()


@pytest.mark.parametrize("suffix", [".py", ".js"])
def test_no_file_is_too_long(suffix: str) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources(*OWN, suffix=suffix)}

    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONGEST} == {}


@pytest.mark.parametrize("app", APPS)
def test_a_task_is_one_call(app: str) -> None:
    path = ROOT / app / "tasks.py"
    functions = ast.parse(path.read_text()).body if path.exists() else []
    tasks = [node for node in functions if isinstance(node, ast.FunctionDef) and node.decorator_list]

    long_ones = [task.name for task in tasks if len([line for line in task.body if not is_docstring(line)]) != 1]

    assert long_ones == []


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
