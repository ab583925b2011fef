"""`make setup` installs what the requirements say now, also after going back to older ones."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.parts import ROOT

PYTHON = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/../../asked"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What make looks at, with an environment whose Python only notes what it is asked."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "normalform/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "clients/browser").mkdir(parents=True)
    (tmp_path / "clients/browser/package-lock.json").write_text("{}")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def installed(checkout: Path) -> int:
    """How often pip was asked by now, after one more `make setup`."""
    subprocess.run(["make", "--silent", "setup"], cwd=checkout, check=True, capture_output=True)
    return (checkout / "asked").read_text().count("pip install")


def test_what_is_installed_is_not_looked_at_again_and_a_rollback_is_installed(checkout: Path) -> None:
    requirements = checkout / "requirements.txt"
    older = requirements.read_text()

    assert [installed(checkout), installed(checkout)] == [1, 1]
    requirements.write_text(f"{older}one-more==1.0\n")
    assert [installed(checkout), installed(checkout)] == [2, 2]
    requirements.write_text(older)
    assert [installed(checkout), installed(checkout)] == [3, 3]
