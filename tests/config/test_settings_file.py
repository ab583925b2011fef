"""A settings file means the same to a shell and to systemd, in deploy/ and in each document."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.config.test_settings import load
from tests.parts import ROOT, SETTINGS

EXAMPLE = ROOT / "deploy" / "redcoral.env.example"
LINE = re.compile(r"[A-Z][A-Z0-9_]*=.*")
KEY = "k" * 50


def is_settings(block: str) -> bool:
    lines = [line for line in block.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return len(lines) > 1 and all(LINE.fullmatch(line) for line in lines)


def blocks() -> dict[str, str]:
    """Each settings file that somebody may copy, by where it stands."""
    found = {EXAMPLE.name: EXAMPLE.read_text()}
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        for match in re.finditer(r"^( *)```\w*\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL):
            text = re.sub(rf"^{match.group(1)}", "", match.group(2), flags=re.MULTILINE)
            if is_settings(text):
                found[f"{page.name}:{page.read_text()[: match.start()].count(chr(10)) + 1}"] = text
    return found


def by_systemd(text: str) -> dict[str, str]:
    """As systemd.exec(5) says of ``EnvironmentFile=``: what single quotes enclose is taken as it is."""
    return {name: value[1:-1] if value[:1] == value[-1:] == "'" else value for name, value in lines_of(text).items()}


def lines_of(text: str) -> dict[str, str]:
    lines = (line.strip() for line in text.splitlines())
    read = (line.partition("=") for line in lines if line and line[0] not in "#;")
    return {name.strip(): value.strip() for name, _, value in read}


def by_shell(text: str, folder: Path) -> dict[str, str]:
    (folder / "redcoral.env").write_text(text)
    command = ["sh", "-euc", "set -a; . ./redcoral.env; set +a; exec env -0"]
    said = subprocess.run(command, cwd=folder, env={}, check=True, capture_output=True, text=True).stdout
    pairs = (pair.partition("=") for pair in said.split("\0") if pair)
    return {name: value for name, _, value in pairs if name not in ("PWD", "OLDPWD", "SHLVL", "_", "PATH")}


def test_there_are_such_blocks() -> None:
    assert len(blocks()) >= 3


@pytest.mark.parametrize("where", sorted(blocks()))
def test_a_shell_and_systemd_read_the_same(where: str, tmp_path: Path) -> None:
    text = blocks()[where]

    assert by_shell(text, tmp_path) == by_systemd(text)
    plain = [value for value in lines_of(text).values() if not re.fullmatch(r"'[^']*'", value)]
    assert not [value for value in plain if re.search(r"[\s#'\"\\$]", value)]
    assert set(by_systemd(text)) <= set(SETTINGS)


def test_the_example_filled_in_is_one_that_the_server_takes(tmp_path: Path) -> None:
    settings = by_systemd(EXAMPLE.read_text())
    filled = {**settings, "SECRET_KEY": KEY, "DATABASE_URL": "postgresql://a:b@127.0.0.1/c", "REDIS_URL": "redis://x"}
    done = load(tmp_path, **{**filled, "DATA_DIR": str(tmp_path)})

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", f"{KEY}                 # python3 -c …"),
        ("SECRET_KEY", f"{KEY}#comment"),
        ("DATABASE_URL", "postgresql://a:b@127.0.0.1/c   # ours"),
        ("REDIS_URL", "redis://127.0.0.1 "),
        ("S3_BUCKET", "pos images"),
        ("S3_ENDPOINT_URL", "https://account.example    # empty for AWS"),
        ("S3_PUBLIC_ENDPOINT_URL", "https://account.example#a"),
        ("S3_REGION", "auto                 # the real region for AWS"),
        ("AWS_ACCESS_KEY_ID", "abc # key"),
        ("AWS_SECRET_ACCESS_KEY", "abc\tkey"),
        ("METRICS_TOKEN", "token # ours"),
    ],
)
def test_a_comment_behind_a_value_stops_the_start_and_says_why(tmp_path: Path, name: str, value: str) -> None:
    done = load(tmp_path, **{name: value})

    assert done.returncode != 0
    assert f"{name}: Holds a blank or a '#'" in done.stderr
    assert KEY not in done.stderr
