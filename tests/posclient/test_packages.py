"""Two wheels in a folder are all that a terminal needs of this repository. Needs a package index for the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import ROOT

pytestmark = [pytest.mark.any_database, pytest.mark.soak, pytest.mark.timeout(600)]

NORMALIZE = """
from io import BytesIO
from PIL import Image
import normalform, posclient
from posclient._normalize import normalize
file = BytesIO()
Image.new("RGB", (3000, 20), "teal").save(file, "PNG")
assert normalform.is_normal_form(normalize(file.getvalue()))
print(normalform.__file__, posclient.__file__, sep="\\n")
"""


def run(*command: str | Path, cwd: Path) -> str:
    # Not SSL_CERT_FILE of the tests: pip has authorities of its own. Not PYTHONPATH: it may name our sources.
    kept = {name: value for name, value in os.environ.items() if name not in ("SSL_CERT_FILE", "PYTHONPATH")}
    ended = subprocess.run([*map(str, command)], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_machine_with_our_two_wheels_normalises_photos(tmp_path: Path) -> None:
    wheels, machine = tmp_path / "wheels", tmp_path / "machine"
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", wheels)
    run(*pip, ROOT / "normalform", ROOT / "clients" / "python", cwd=tmp_path)
    run(sys.executable, "-m", "venv", machine, cwd=tmp_path)

    run(machine / "bin" / "pip", "install", "--find-links", wheels, "posclient[cli,images]", cwd=tmp_path)

    paths = run(machine / "bin" / "python", "-c", NORMALIZE, cwd=tmp_path).split()
    assert all(Path(path).is_relative_to(machine) for path in paths)
    assert "posclient" in run(machine / "bin" / "posclient", "--help", cwd=tmp_path)
    assert len(list(wheels.iterdir())) == 2
