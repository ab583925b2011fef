"""The files of the page at /studio/: its own, below ``page/``, and the modules of clients/browser that they import.

They are served as the terminal's are (``terminal.shell``), in a build of their own: a terminal needs none of this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from terminal.shell import File, modules, paths, read, worker_of

OWN = Path(__file__).parent / "page"
ENTRY = "page/studio.js"


@dataclass(frozen=True)
class Build:
    """``name`` stands in the addresses of ``files``; ``first``: the modules that the page loads at once."""

    name: str
    files: Mapping[str, File]
    first: list[str]
    worker: File


@cache
def build() -> Build:
    """The build of this server. Raises OSError when clients/browser isn't there."""
    client = settings.BASE_DIR / "clients" / "browser"
    own = {f"page/{path.name}": read(path) for path in sorted(OWN.iterdir()) if path.suffix in (".js", ".css")}
    everything = {path: read(client / path) for path in paths(client)} | own
    needed = modules(everything, ENTRY, later=True)
    files = own | {path: everything[path] for path in sorted(needed)}
    source = (client / "sw.js").read_text()
    listed = [*(f"{path} {file.digest}" for path, file in files.items()), source]
    name = sha256("\n".join(listed).encode()).hexdigest()[:16]
    worker = worker_of(source, build=name, page=None, files=files, caches="studio-build-")
    return Build(name, files, modules(files, ENTRY), worker)
