"""The files of a build: those of clients/browser and no others, for ever under one prefix."""

import gzip
import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest
from django.test import Client

from terminal import shell as shells
from terminal.shell import ENTRY, Shell, made, modules, shell
from tests.parts import ROOT, missing

BROWSER = ROOT / "clients" / "browser"
MOST_MODULES = 45


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files of clients/browser, to be changed."""
    for folder in shells.FOLDERS:
        copytree(BROWSER / folder, tmp_path / folder)
    (tmp_path / "sw.js").write_bytes((BROWSER / "sw.js").read_bytes())
    return tmp_path


def source(path: str) -> Path:
    return (ROOT if path == "docs/terminal.md" else BROWSER) / path


def address(path: str, *, build: str = "") -> str:
    return f"/terminal/app/{build or shell().build}/{path}"


def served(path: str) -> bytes:
    """The bytes of a file without the comments of our modules; ``test_modules_mean_the_same`` says which may go."""
    body = source(path).read_bytes()
    return shells.COMMENTS.sub("", body.decode()).encode() if is_ours(path) else body


def is_ours(path: str) -> bool:
    return path.endswith(".js") and not path.startswith("vendor/")


def test_every_file_comes_as_it_is_written_and_may_be_kept_for_ever(client: Client) -> None:
    assert {"app/main.js", "app/theme.css", "src/index.js", "vendor/lit.js", "app/texts/es.json"} <= set(shell().files)
    for path in shell().files:
        response = client.get(address(path))
        assert response.status_code == 200, path
        assert response.content == served(path), path
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_modules_mean_the_same_without_their_comments(tmp_path: Path) -> None:
    """As a tool sees it that reads JavaScript: a comment inside a text would be a difference."""
    esbuild = BROWSER / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        missing("clients/browser/node_modules")
    ours = [path for path in shell().files if is_ours(path)]

    def read_again(name: str, bodies: dict[str, bytes]) -> dict[str, str]:
        for path, body in bodies.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(body)
        how = ["--minify-whitespace", "--outdir=made", "--outbase=."]
        subprocess.run([esbuild, *bodies, *how], cwd=tmp_path / name, check=True, capture_output=True)
        return {path: (tmp_path / name / "made" / path).read_text() for path in bodies}

    assert len(ours) > MOST_MODULES
    written = read_again("written", {path: source(path).read_bytes() for path in ours})
    assert read_again("served", {path: shell().files[path].body for path in ours}) == written


def test_a_first_load_is_small() -> None:
    """Bytes on the wire: our modules, those of others, and all with the page, its look and a language."""
    files = shell().files
    first = modules(files, ENTRY)

    def packed(paths: list[str]) -> int:
        return sum(len(files[path].packed or b"") for path in paths)

    vendored = packed([path for path in first if path.startswith("vendor/")])
    ours = packed(first) - vendored
    everything = packed([*first, "app/theme.css", "app/texts/es.json"]) + len(shell().page.packed or b"")
    assert ours <= 70_000
    assert vendored <= 16_000
    assert everything <= 120_000


def test_modules_have_the_type_without_which_no_browser_runs_them(client: Client) -> None:
    types = {path: client.head(address(path))["Content-Type"] for path in shell().files}

    assert {types[path] for path in types if path.endswith(".js")} == {"text/javascript; charset=utf-8"}
    assert {types[path] for path in types if path.endswith(".css")} == {"text/css; charset=utf-8"}


def test_files_are_compressed_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    known = shell()
    monkeypatch.delattr(gzip, "compress")

    for path, file in known.files.items():
        response = client.get(address(path), headers={"Accept-Encoding": "gzip"})
        if path.endswith(".png"):
            assert "Content-Encoding" not in response
            assert response.content == file.body
        else:
            assert response["Content-Encoding"] == "gzip"
            assert gzip.decompress(response.content) == file.body
            assert response["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path",
    [
        "package.json",
        "sw.js",
        "app/index.html",
        "app/globals.d.ts",
        "vendor/lit.d.ts",
        "app/../package.json",
        "app/%2e%2e/package.json",
        "../../../manage.py",
        "/etc/passwd",
        "app/main.js/",
        "app/MAIN.js",
        "app",
        "tests/vendor.test.js",
        "node_modules/lit/index.js",
        "",
    ],
)
def test_what_is_not_on_the_list_does_not_exist(client: Client, path: str) -> None:
    assert client.get(address(path)).status_code == 404


def test_a_file_of_another_build_does_not_exist(client: Client) -> None:
    assert client.get(address("app/main.js", build="0" * 16)).status_code == 404


def test_a_file_can_only_be_read(client: Client) -> None:
    assert client.post(address("app/main.js")).status_code == 405
    assert client.head(address("app/main.js")).status_code == 200


def test_a_file_that_is_there_is_not_sent_again(client: Client) -> None:
    first = client.get(address("app/main.js"), headers={"Accept-Encoding": "gzip"})

    again = client.get(address("app/main.js"), headers={"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]})

    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["app/main.js", "src/index.js", "vendor/lit.js", "app/texts/es.json", "app/index.html", "sw.js"]
)
def test_a_change_of_any_file_is_another_build(copy: Path, path: str) -> None:
    before = made(copy, name="")
    (copy / path).write_text((copy / path).read_text() + "\n")

    after = made(copy, name="")

    assert after.build != before.build
    assert after.worker.digest != before.worker.digest
    assert before.build == made(BROWSER, name="").build


def test_what_tools_leave_behind_changes_no_build(copy: Path) -> None:
    before = made(copy, name="")
    (copy / "node_modules").mkdir()
    (copy / "node_modules" / "one.js").write_text("1;")
    (copy / "app" / ".main.js.swp").write_text("2;")
    (copy / "app" / "notes.md").write_text("3;")

    assert made(copy, name="") == before


def listed(known: Shell) -> dict[str, object]:
    """The list of a worker."""
    first, _, _rest = known.worker.body.decode().partition("\n")
    found = re.fullmatch(r"self\.SHELL = (.*);", first)
    assert found is not None
    return dict(json.loads(found[1]))


def test_the_worker_knows_every_file_by_its_digest(client: Client) -> None:
    found = listed(shell())

    assert client.get("/terminal/sw.js").content == shell().worker.body
    assert found["build"] == shell().build
    assert found["page"] == sha256(client.get("/terminal/").content).hexdigest()
    assert found["files"] == {path: sha256(served(path)).hexdigest() for path in shell().files}


def test_the_page_preloads_every_module_that_its_first_one_needs(client: Client) -> None:
    html = client.get("/terminal/").content.decode()
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)
    prefix = f"app/{shell().build}/"
    modules = {prefix + path for path in reached("app/main.js")} - {f"{prefix}app/main.js"}

    assert set(preloaded) == modules
    assert len(preloaded) == len(modules)
    assert f"{prefix}vendor/lit.js" in modules


def test_the_page_starts_with_few_modules() -> None:
    assert len(reached("app/main.js")) <= MOST_MODULES


def reached(entry: str) -> set[str]:
    """What ``entry`` imports at once, by another reading than the server's: any text after ``from`` or ``import``."""
    found, waiting = set[str](), [BROWSER / entry]
    while waiting:
        path = waiting.pop()
        if (name := path.relative_to(BROWSER).as_posix()) in found:
            continue
        found.add(name)
        code = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        addresses = re.findall(r"""(?:\bfrom|^import)\s*["'](\.[^"']+)["']""", code, re.MULTILINE)
        waiting += [(path.parent / address).resolve() for address in addresses]
    return found


def test_every_address_that_a_page_names_is_there(client: Client) -> None:
    for page in ("/terminal/", "/terminal/reset"):
        for target in re.findall(r'(?:src|href)="([^"#]+)"', client.get(page).content.decode()):
            if target != "./":
                assert client.get(f"/terminal/{target}").status_code == 200, target


def test_no_file_names_a_host() -> None:
    """Nothing in the page or the library is from elsewhere; namespaces and comments may look like an address."""
    pattern = re.compile(r"""["'`](?:https?:|wss?:)?//(?!www\.w3\.org/)[\w.-]+""")
    found = {
        path: hosts
        for path, file in shell().files.items()
        if path.endswith((".js", ".css"))
        if (hosts := pattern.findall(file.body.decode()))
    }

    assert found == {}
