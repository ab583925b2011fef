"""The build: all that a browser needs to show the terminal, read and compressed once.

The files are those of clients/browser as they are written, but for the comments of our modules, which nobody's terminal
needs: types and reasons are a quarter of what would be sent. ``build`` names them all together: it stands in their
addresses, so a browser may keep each for ever, and never mixes two versions.
"""

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath

import orjson
from django.conf import settings

FOLDERS = ("app", "src", "vendor")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".md": "text/plain; charset=utf-8",  # as browsers show it
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
COMPRESSED = {".png"}
# Pages of their own addresses: the build has their text, and they have the build in it.
PAGES = ("app/index.html", "app/reset.html")
ENTRY = "app/main.js"
GUIDE = "docs/terminal.md"  # the page links to it
# What a module loads at once, as all of ours write it: the address is the last word of the statement.
IMPORTS = re.compile(r"""^(?:import|export)\b[^;"'()]*?["'](\.{1,2}/[^"']+)["'];?$""", re.MULTILINE)
# What a module loads when it needs it.
LATER = re.compile(r"""\bimport\(["'](\.{1,2}/[^"']+)["']\)""")
# Comments at the beginning of lines, and the lines that are nothing else. None of ours stands inside a text.
COMMENTS = re.compile(r"^[ \t]*(?://.*\n|/\*(?:[^*]|\*(?!/))*\*/[ \t]*\n?)", re.MULTILINE)


@dataclass(frozen=True)
class File:
    """One answer: its bytes, plain and compressed, and the hexadecimal SHA-256 of the plain ones."""

    type: str
    body: bytes
    packed: bytes | None
    digest: str

    @classmethod
    def of(cls, body: bytes, type: str, *, compressed: bool = False) -> "File":
        return cls(type, body, None if compressed else gzip.compress(body, 9, mtime=0), sha256(body).hexdigest())


@dataclass(frozen=True)
class Shell:
    """``files`` by their path below the build's address."""

    build: str
    files: Mapping[str, File]
    page: File
    reset: File
    worker: File
    manifest: File


@cache
def shell() -> Shell:
    """The build of this server. Raises OSError when clients/browser isn't there."""
    return made(settings.BASE_DIR / "clients" / "browser", name=settings.SHOP_NAME)


def made(root: Path, *, name: str) -> Shell:
    """The build of the files below ``root``, and of the guide; ``name`` is the shop's."""
    files = {path: read(root / path) for path in paths(root)} | {GUIDE: read(settings.BASE_DIR / GUIDE)}
    page, reset = ((root / path).read_text() for path in PAGES)
    worker = (root / "sw.js").read_text()
    everything = [*(f"{path} {file.digest}" for path, file in files.items()), page, reset, worker, name]
    build = sha256("\n".join(everything).encode()).hexdigest()[:16]

    html = "text/html; charset=utf-8"
    preloads = "\n    ".join(
        f'<link rel="modulepreload" href="app/{build}/{path}">' for path in modules(files, ENTRY) if path != ENTRY
    )
    shown = File.of(page.replace("{{build}}", build).replace("{{modulepreload}}", preloads).encode(), html)
    return Shell(
        build=build,
        files=files,
        page=shown,
        reset=File.of(reset.replace("{{build}}", build).encode(), html),
        worker=worker_of(worker, build=build, page=shown.digest, files=files, caches="redcoral-build-"),
        manifest=File.of(manifest(build, name), "application/manifest+json"),
    )


def paths(root: Path) -> Iterator[str]:
    """The files that are served, in order, relative to ``root``."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in TYPES and path.suffix != ".md" and path.is_file() and not path.name.startswith("."):
                yield path.relative_to(root).as_posix()


def read(path: Path) -> File:
    body = path.read_bytes()
    if path.suffix == ".js" and path.parent.name != "vendor":  # licences stay
        body = COMMENTS.sub("", body.decode()).encode()
    return File.of(body, TYPES[path.suffix], compressed=path.suffix in COMPRESSED)


def worker_of(source: str, *, build: str, page: str | None, files: Mapping[str, File], caches: str) -> File:
    """The service worker of a page: ``source`` behind the list of what it keeps, in caches whose names begin so.

    A browser sees a new build by a worker of other bytes. ``page``: the page's digest; None: each person has another.
    """
    digests = {path: file.digest for path, file in files.items()}
    listed = {"build": build, "page": page, "files": digests, "caches": caches}
    return File.of(f"self.SHELL = {orjson.dumps(listed).decode()};\n{source}".encode(), TYPES[".js"])


def modules(files: Mapping[str, File], entry: str, *, later: bool = False) -> list[str]:
    """The modules that ``entry`` needs before it runs, itself among them, each after the one that asks for it.

    ``later``: also those that are loaded when they are needed.
    """
    found = [entry]
    for path in found:
        source = files[path].body.decode()
        for address in [*IMPORTS.findall(source), *(LATER.findall(source) if later else ())]:
            wanted = resolved(path, address)
            if wanted not in found:
                found.append(wanted)
    return found


def resolved(path: str, address: str) -> str:
    """The path that a relative ``address`` in the file ``path`` means."""
    parts: list[str] = list(PurePosixPath(path).parent.parts)
    for part in address.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def manifest(build: str, name: str) -> bytes:
    """What a browser needs to know to install the page; addresses are relative to the manifest's."""
    icon = f"app/{build}/app/icons/terminal"
    return orjson.dumps(
        {
            "id": "./",
            "name": name or "RedCoral",
            "short_name": name or "RedCoral",
            "start_url": "./",
            "scope": "./",
            "display": "standalone",
            "background_color": "#ffffff",
            "theme_color": "#cc3331",
            "icons": [
                {"src": f"{icon}-192.png", "sizes": "192x192", "type": "image/png"},
                {"src": f"{icon}-512.png", "sizes": "512x512", "type": "image/png"},
                {"src": f"{icon}-maskable-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
            ],
        }
    )
