"""Clients that others make of /api/schema do a day's work: they enrol, read, meet a 409 and a 410, and send a photo.

``make generators`` installs what makes them: openapi-python-client into ``.venv-clients``, openapi-typescript into
made_clients/, where the day's work lies.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.images.pictures import normal_jpeg
from tests.parts import ROOT, missing
from tests.running import RunningServer
from tests.serving.conftest import NewServer

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300), pytest.mark.any_database]

HERE = Path(__file__).with_name("made_clients")
PYTHON = ROOT / ".venv-clients" / "bin"
NODE_MODULES = HERE / "node_modules"
MAKE_CODE = """
from devices.models import EnrolmentCode
from devices.services import make_code
print(make_code(row=EnrolmentCode(may_upload=True, may_manage=True)))
"""
MET = {
    "enrolled": [201, None],
    "enrolled again": [400, "invalid_code"],
    "tag": [201, None],
    "its id again": [409, "conflict"],
    "it is read": True,
    "changes": [200, None],
    "of another epoch": [410, "resync_required"],
    "sent": 200,
    "process": [202, None],
    "photo": "ready",
}


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> Iterator[RunningServer]:
    with new_server() as running:
        yield running.until_ready()


@pytest.fixture(scope="module")
def schema(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "schema.yaml"
    file.write_bytes(httpx.get(f"{server.url}/api/schema", timeout=60).raise_for_status().content)
    return file


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What it prints, and fails with what it complains of."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def day_of(server: RunningServer, folder: Path, *command: str | Path, **environment: str) -> dict[str, Any]:
    (folder / "photo.jpg").write_bytes(normal_jpeg())
    code = server.manage("shell", "-c", MAKE_CODE).split()[-1]
    return dict(json.loads(run(*command, server.url, code, folder / "photo.jpg", folder=folder, **environment)))


def test_a_client_in_python(server: RunningServer, schema: Path, tmp_path: Path) -> None:
    if not (PYTHON / "openapi-python-client").exists():
        missing(".venv-clients (make generators)")
    made: list[str | Path] = ["--path", schema, "--output-path", tmp_path / "made_client", "--meta", "none"]
    path = f"{PYTHON}:{os.environ['PATH']}"  # it calls ruff
    run(PYTHON / "openapi-python-client", "generate", *made, folder=tmp_path, PATH=path)

    assert day_of(server, tmp_path, PYTHON / "python", HERE / "day.py", PYTHONPATH=str(tmp_path)) == MET


def test_a_client_in_typescript(server: RunningServer, schema: Path, tmp_path: Path) -> None:
    if not NODE_MODULES.exists() or shutil.which("node") is None:
        missing("node_modules of tests/serving/made_clients (make generators)")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    for name in ("day.ts", "package.json", "tsconfig.json"):
        shutil.copy(HERE / name, tmp_path)
    tools = NODE_MODULES / ".bin"
    optional = "--default-non-nullable=false"  # what has a default may be left out of a request
    run(tools / "openapi-typescript", schema, "--output", tmp_path / "schema.d.ts", optional, folder=tmp_path)
    run(tools / "tsc", "--project", ".", folder=tmp_path)

    assert day_of(server, tmp_path, "node", "day.js") == MET
