"""Every example of clients/python/README.md works as it is printed."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from tests.parts import ROOT
from tests.posclient.conftest import SOURCE, Shop, new_picture

pytestmark = pytest.mark.any_database

README = (ROOT / "clients" / "python" / "README.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(sh|python)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_examples_run_one_after_the_other(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSCLIENT_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("POSCLIENT_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "espresso.jpg").write_bytes(new_picture())
    hash, _data = shop.image()
    sku = f"README-{uuid4().hex[:8]}"
    shop.product(name="Espresso of the README", image=hash, sku=sku)
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    (home / "photos" / f"{sku}.jpg").write_bytes(new_picture())
    monkeypatch.setenv("HOME", str(home))
    code = shop.server.manage("shell", "-c", MAKE_CODE).split()[-1]
    names = {"http://localhost:8000": shop.url, "ABCD-EFGH": code, "/srv/redcoral/var": str(shop.server.data)}
    space: dict[str, object] = {}

    def run_all() -> None:
        for language, text in BLOCKS:
            for printed, real in names.items():
                text = text.replace(printed, real)
            if language == "sh":
                run_in_bash("".join(line for line in text.splitlines(True) if not line.startswith(NO_NETWORK)))
            else:
                exec(compile(text, "README.md", "exec"), space)  # noqa: S102 - our own page

    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop in ours
        thread.submit(run_all).result()
    said = capsys.readouterr().out
    assert f"Espresso of the README {tmp_path}" in said
    till = space["till"]
    till.close()  # type: ignore[attr-defined]
    assert [language for language, _text in BLOCKS].count("python") >= 5


# It may send photos, and read the history of the manager who made it.
MAKE_CODE = """
from django.contrib.auth.models import User
from django.utils import timezone
from devices.models import CODE_LIFETIME, EnrolmentCode, code_digest, new_code
code = new_code()
manager, _ = User.objects.get_or_create(username="readme", is_staff=True, is_superuser=True)
EnrolmentCode.objects.create(
    code_hash=code_digest(code), may_upload=True, may_read_history=True, created_by=manager,
    expires_at=timezone.now() + CODE_LIFETIME,
)
print(code)
"""
NO_NETWORK = ("python3 -m venv", "pip install")  # as in tests/main_job/test_examples.py


def run_in_bash(text: str) -> None:
    program = f'set -euo pipefail\nposclient() {{ "{sys.executable}" -m posclient "$@"; }}\n{text}'
    ended = subprocess.run(
        ["bash", "-c", program],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_tree_of_errors_is_the_one_of_the_code() -> None:
    import posclient

    drawn = set(re.findall(r"[├└]── (\w+)", README))
    errors = {
        name
        for name in posclient.__all__
        if isinstance(getattr(posclient, name), type) and issubclass(getattr(posclient, name), Exception)
    }

    assert drawn == errors - {"PosclientError"}
    assert set(re.findall(r"[├└]── (\w+)", posclient.__doc__ or "")) == drawn
