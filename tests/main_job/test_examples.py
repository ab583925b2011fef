"""The examples of the documents work as they are printed, against a server as ``make run`` starts it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from normalform import is_normal_form
from tests.parts import ROOT, wait_until
from tests.running import RunningServer

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(300)]  # a whole server starts

PHOTO = ROOT / "catalog" / "demo" / "photos" / "espresso.jpg"
# What can't run here: how its lines begin, and why not. Bash reads it all the same.
CANT_RUN = {
    "python3 -m venv": "an environment of its own would lack all packages",
    "pip install": "it asks PyPI; tests/tools/test_setup.py installs what is there",
    "aws s3api": "Amazon's tool; tests/contracts/test_presigned.py gives the same rules to a bucket",
    "make ": "the suite itself, for an hour",
    ".ci/run": "the suite itself, as root",
}
# Who runs the examples of a page in a language.
HERE = "tests/main_job/test_examples.py"
SETTINGS_FILE = "tests/config/test_settings_file.py"
RUN_BY = {
    ("CONTRIBUTING.md", "sh"): HERE,
    ("docs/api.md", "sh"): HERE,
    ("docs/first-steps.md", "console"): HERE,
    ("docs/first-steps.md", "js"): "tests/browser/terminal/test_readme.py",
    ("docs/first-steps.md", "python"): HERE,
    ("docs/first-steps.md", "sh"): HERE,
    ("docs/images.md", "python"): HERE,
    ("docs/production.md", "sh"): f"{HERE}, {SETTINGS_FILE}",
    ("docs/settings.md", "console"): HERE,
    ("docs/sheets.md", "sh"): HERE,
    ("docs/sync-protocol.md", "python"): HERE,
    ("docs/uploads.md", "sh"): HERE,
    ("clients/browser/README.md", "html"): "tests/browser/terminal/test_readme.py",
    ("clients/browser/README.md", "js"): "tests/browser/terminal/test_readme.py",
    ("clients/browser/README.md", "jsx"): "tests/browser/terminal/test_readme.py",
    ("clients/python/README.md", "python"): "tests/posclient/test_readme.py",
    ("clients/python/README.md", "sh"): "tests/posclient/test_readme.py",
    ("normalform/README.md", "python"): HERE,
}
DRAWN = {"", "json", "mermaid"}  # what is looked at, not run
PAGES = (
    *("README.md", "CONTRIBUTING.md", "normalform/README.md", "clients/python/README.md", "clients/browser/README.md"),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
)


@pytest.fixture(scope="module")
def shown_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("examples") / "data") as running:
        yield running.until_ready()


def all_blocks(page: str) -> list[tuple[str, str]]:
    """The language and text of each block of a page; those of a list stand further to the right."""
    text = (ROOT / page).read_text()
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [(language, re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)) for indent, language, block in found]


def blocks(page: str, language: str) -> list[str]:
    return [block for name, block in all_blocks(page) if name == language]


def runnable(program: str) -> str:
    """Without the lines that can't run here."""
    return "".join(line for line in program.splitlines(keepends=True) if not line.startswith(tuple(CANT_RUN)))


@dataclass
class Shell:
    """Bash in the project's folder, with a home of its own, where the words of the pages mean what is here."""

    server: RunningServer
    home: Path
    words: dict[str, str] = field(default_factory=dict)

    def run(self, program: str, *, strict: str = "set -euo pipefail") -> str:
        printed = {
            "/tmp/": f"{self.home}/",  # noqa: S108 - what the pages say; first, as the checkout may lie there too
            "http://localhost:8000": self.server.url,
            **self.words,
            ".venv/bin/python": sys.executable,
        }
        for word, real in printed.items():
            program = program.replace(word, real)
        posclient = f'posclient() {{ "{sys.executable}" -m posclient "$@"; }}'
        ended = subprocess.run(
            ["bash", "-c", f"{strict}\n{posclient}\n{program}"],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    @property
    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
        folders = {f"POSCLIENT_{name.upper()}": str(self.home / name) for name in ("config", "data")}
        sources = ROOT / "clients" / "python" / "src"
        return {**self.server.environment, **own, **folders, "PYTHONPATH": str(sources)}


@pytest.fixture
def shell(shown_server: RunningServer, tmp_path: Path) -> Shell:
    return Shell(shown_server, tmp_path)


def a_code(server: RunningServer) -> str:
    """An enrolment code, as the admin makes one."""
    made = "from devices.models import *; from django.utils import timezone; code = new_code()"
    values = "code_hash=code_digest(code), may_upload=True, expires_at=timezone.now() + CODE_LIFETIME"
    return server.manage("shell", "-c", f"{made}; EnrolmentCode.objects.create({values}); print(code)").split()[-1]


def test_each_block_is_run_by_a_test() -> None:
    found = {(page, language) for page in PAGES for language, _text in all_blocks(page)}
    assert {one for one in found if one[1] not in DRAWN} == RUN_BY.keys()
    for runner in {part for runners in RUN_BY.values() for part in runners.split(", ")}:
        assert (ROOT / runner).exists(), runner


@pytest.mark.parametrize("page", PAGES)
def test_what_is_for_a_shell_says_so_and_bash_can_read_it(page: str) -> None:
    commands = re.compile(r"^(\.venv/|posclient |pip |make |curl |\$ |sudo |systemctl )", re.MULTILINE)
    assert [text for language, text in all_blocks(page) if language == "" and commands.search(text)] == []
    for text in blocks(page, "sh"):
        read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), text


def test_what_cant_run_stands_in_a_page() -> None:
    printed = "\n".join(text for page in PAGES for language, text in all_blocks(page) if language in ("sh", "console"))
    for beginning in CANT_RUN:
        assert re.search(rf"^(\$ )?{re.escape(beginning)}", printed, re.MULTILINE), beginning


def test_make_has_the_targets_that_are_named() -> None:
    named = {
        word for page in PAGES for word in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", (ROOT / page).read_text(), re.M)
    }
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("page", ["docs/first-steps.md", "docs/api.md"])
def test_the_examples_of_a_shell_run_from_top_to_bottom(shell: Shell, page: str) -> None:
    said = shell.run("\n".join(blocks(page, "sh")))

    assert '"status":"ready"' in said
    refused = set(re.findall(r'"status":\d+,"code":"(\w+)"', said))
    assert refused <= {"precondition_failed", "in_use", "invalid_code"}, said  # those that the pages announce


def test_the_first_steps_of_python(shell: Shell) -> None:
    (console,) = blocks("docs/first-steps.md", "console")
    (program,) = blocks("docs/first-steps.md", "python")
    commands = "\n".join(line[2:] for line in console.splitlines() if line.startswith("$ "))
    ended_soon = "timeout -s INT 5 .venv/bin/python -m posclient watch || [ $? = 124 ]"
    shell.words = {"ABCD-EFGH": a_code(shell.server), "posclient watch": ended_soon}
    shell.run(runnable(commands))

    (shell.home / "terminal.py").write_text(program)
    manager = shell.server.device("Office", "--manage")
    product = manager.get("/api/products", params={"limit": 1}).json()["results"][0]
    log = shell.home / "log"
    with ExitStack() as stack, log.open("wb") as output:
        terminal = subprocess.Popen(
            [sys.executable, "-u", "terminal.py"],
            cwd=shell.home,
            env={**os.environ, **shell.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        stack.callback(terminal.wait)
        stack.callback(terminal.kill)
        wait_until(lambda: "Ctrl-C ends it" in log.read_text(), seconds=60, what="the terminal is live")
        manager.patch(f"/api/products/{product['id']}", json={"name": "Renamed for Python"}).raise_for_status()
        wait_until(lambda: "updated Renamed for Python" in log.read_text(), seconds=60, what="the change")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait(30) == 0
    assert "Traceback" not in log.read_text()


def test_a_folder_of_photos_is_sent_as_the_page_says(shell: Shell) -> None:
    photos = shell.home / "photos"
    photos.mkdir()
    shutil.copy(PHOTO, photos / "espresso.jpg")
    shell.words = {"ABCD-EFGH": a_code(shell.server)}
    said = shell.run(runnable("\n".join(blocks("docs/uploads.md", "sh"))).replace("--match sku", "--match name"))
    assert "1 sent, 0 wait, 0 failed" in said


def test_a_sheet_goes_out_and_comes_in_again(shell: Shell) -> None:
    (commands,) = blocks("docs/sheets.md", "sh")
    shell.words = {"menu.xlsx": str(shell.home / "menu.xlsx")}
    assert "0 new, 0 changed" in shell.run(commands)


def test_the_settings_say_what_is_wrong_with_them(shell: Shell) -> None:
    (console,) = blocks("docs/settings.md", "console")
    command, *printed = console.splitlines()
    said = shell.run(f"{command.removeprefix('$ ')} || true")
    assert [line.strip() for line in printed] == [line.strip() for line in said.splitlines()]


def test_an_operator_s_commands_work(shell: Shell) -> None:
    """Those of docs/production.md that aren't settings; the last ones, of a restore, change the epoch."""
    commands = [text for text in blocks("docs/production.md", "sh") if "manage.py" in text]
    assert len(commands) == 4
    (shell.home / "redcoral.env").write_text("")
    pictures = shell.home / "pictures"
    pictures.mkdir()
    shutil.copy(PHOTO, pictures / "old name.jpg")
    (shell.home / "map.csv").write_text("product,image\nBRK-01,old name.jpg\n")
    shell.words = {
        "/opt/redcoral": str(ROOT),
        "/etc/redcoral.env": str(shell.home / "redcoral.env"),
        "createsuperuser": "createsuperuser --noinput",  # a terminal would be asked
        "http://127.0.0.1:8001": shell.server.url,
        "pos.example.com": "localhost",
        "/path/to/pictures": str(pictures),
        "map.csv": str(shell.home / "map.csv"),
    }
    owner = {"USERNAME": "owner", "EMAIL": "owner@example.com", "PASSWORD": "a-Long-one-9"}
    known = "\n".join(f"export DJANGO_SUPERUSER_{name}={value}" for name, value in owner.items())
    said = shell.run("\n".join([known, *commands]))
    for expected in ("Superuser created", "Every change is captured", "certificate", "1 products got theirs"):
        assert expected in said


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


def test_a_picture_is_in_normal_form_after_the_lines_of_the_page() -> None:
    (program,) = blocks("docs/images.md", "python")
    made = BytesIO()
    exec(program, {"Image": Image, "ImageOps": ImageOps, "path": PHOTO, "file": made})  # noqa: S102 - our own page
    assert is_normal_form(made.getvalue())


def test_the_example_of_normalform_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks("normalform/README.md", "python")
    monkeypatch.chdir(tmp_path)
    Image.open(PHOTO).save(tmp_path / "espresso.heic", "PNG")  # its bytes say what it is
    exec(program, {})  # noqa: S102 - our own page
    assert is_normal_form((tmp_path / "espresso.jpg").read_bytes())
