"""A manager's history in a folder: the originals, and ``history.json`` that says what each is.

What is listed and what is downloaded are two facts. ``history.json`` is complete first; then the originals come, each
there whole or not at all, so an interrupted run goes on where it was.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from ._bridge import Bridge
from ._errors import ImageDamaged, PosclientError, Refused, StorageFull
from ._files import digest, room, sync_folder, write_durably
from ._locks import Lock

LIST = "history.json"
OWN = ".posclient-history"  # the names of what we wrote here, one a line, each noted before its file is written
AT_ONCE = 4
KEY = re.compile(r"images/[0-9]{1,19}/([0-9]{1,15}_([0-9a-f]{64})\.(?:jpg|png|webp))", re.ASCII)

Item = dict[str, Any]
Wanted = Callable[[list[Item]], list[Item]]
Told = Callable[[int, int], None]


class FolderInUse(PosclientError):
    """Another process brings a history into this folder."""


class NotOurs(PosclientError):
    """The folder has a file of this name that posclient didn't write."""


class Failure(TypedDict):
    id: str
    detail: str


class SyncResult(TypedDict):
    """``not_stored``: pictures whose original isn't in the server's store, or not yet."""

    version: int
    items: int
    downloaded_count: int
    already_here: int
    not_stored: int
    removed_count: int
    failed_count: int
    failed: list[Failure]


class Original(NamedTuple):
    item: str
    key: str
    name: str  # of its file
    sha256: str


def favorites(items: list[Item]) -> list[Item]:
    return [item for item in items if item["favorite"]]


def last(count: int) -> Wanted:
    return lambda items: items[:count]


def sync_history(
    bridge: Bridge,
    folder: Path,
    *,
    wanted: Wanted | None = None,
    delete: bool = False,
    progress: Told | None = None,
) -> SyncResult:
    """Brings the list and the originals of ``wanted`` (of all, without it) into ``folder``.

    ``delete`` removes the originals that aren't wanted any more: those that posclient wrote, if nobody changed them.
    Raises FolderInUse, NotOurs for somebody else's ``history.json``, StorageFull, and what ``Bridge`` raises.
    """
    with room(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder / OWN)
    if not lock.take():
        raise FolderInUse(f"another process brings a history into {folder}")
    try:
        return _sync(bridge, Folder(folder), wanted or list, delete, progress)
    finally:
        lock.release()


def _sync(bridge: Bridge, folder: "Folder", wanted: Wanted, delete: bool, progress: Told | None) -> SyncResult:
    listed = refreshed(bridge, folder.listed(), bridge.get_json("/api/devices/me")["id"])
    folder.write(LIST, json.dumps(listed, ensure_ascii=False, indent=1).encode())
    chosen = wanted(listed["items"])
    originals = list(originals_of(chosen))
    result = SyncResult(
        version=listed["version"],
        items=len(listed["items"]),
        downloaded_count=0,
        already_here=0,
        not_stored=len(chosen) - len(originals),
        removed_count=0,
        failed_count=0,
        failed=[],
    )
    missing = [original for original in originals if not folder.has(original)]
    result["already_here"] = len(originals) - len(missing)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(download, bridge, original): original for original in missing}
        try:
            for done, future in enumerate(as_completed(running), start=1):
                original = running[future]
                try:
                    folder.write(original.name, future.result())
                    result["downloaded_count"] += 1
                except StorageFull:
                    raise
                except (ImageDamaged, Refused, NotOurs) as error:
                    result["failed"].append({"id": original.item, "detail": str(error)})
                if progress is not None:
                    progress(done, len(missing))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    result["failed_count"] = len(result["failed"])
    if delete:
        result["removed_count"] = folder.remove_all_but({original.name for original in originals})
    return result


def refreshed(bridge: Bridge, listed: dict[str, Any], device: str) -> dict[str, Any]:
    """The list as it is now, newest first: by what changed since, or whole when that can't be said."""
    of = {"server": bridge.base_url, "device": device}
    if any(listed.get(name) != value for name, value in of.items()):
        listed = {}
    items: dict[str, Item] = {item["id"]: item for item in listed.get("items", [])}
    version, epoch = listed.get("version", 0), listed.get("epoch", "")
    while True:
        query: dict[str, str | int] = {"since": version, **({"epoch": epoch} if epoch else {})}
        try:
            part = bridge.get_json("/api/history/sync", query)
        except Refused as error:
            if error.code != "resync_required" or version == 0:
                raise
            version, epoch = 0, ""
            continue
        if version == 0:
            items = {}
        items.update((item["id"], item) for item in part["items"])
        for key in part["deleted"]:
            items.pop(key, None)
        version, epoch = part["version"], part["epoch"]
        if version >= part["head"]:
            break
    newest_first = sorted(items.values(), key=lambda item: (item["timestamp"], item["id"]), reverse=True)
    return {**of, "epoch": epoch, "version": version, "items": newest_first}


def originals_of(items: Sequence[Item]) -> Iterator[Original]:
    """Those that the server has stored. A key that isn't of its form never becomes a path."""
    for item in items:
        if (found := KEY.fullmatch(item.get("r2_key") or "")) is not None:
            yield Original(item["id"], found[0], found[1], found[2])


def download(bridge: Bridge, original: Original) -> bytes:
    """Raises ImageDamaged when the bytes aren't those that the key names."""
    data = bridge.request("GET", f"/api/r2/image/{original.key}", params={"through": "app"}).content
    if digest(data) != original.sha256:
        raise ImageDamaged(f"what came isn't the original {original.name}")
    return data


class Folder:
    """The files of one history, and which of the files in their folder we wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        noted = (path / OWN).read_bytes().decode(errors="replace").split("\n")
        self.own = {name for name in noted if name == LIST or KEY.fullmatch(f"images/0/{name}")}

    def listed(self) -> dict[str, Any]:
        """What ``history.json`` says; nothing when it isn't there or was spoiled."""
        with suppress(FileNotFoundError, ValueError):
            found = json.loads((self.path / LIST).read_bytes())
            if isinstance(found, dict) and LIST in self.own:
                return found
        return {}

    def has(self, original: Original) -> bool:
        with suppress(FileNotFoundError):
            return digest((self.path / original.name).read_bytes()) == original.sha256
        return False

    def write(self, name: str, data: bytes) -> None:
        """Raises NotOurs when somebody else's file is there, and StorageFull."""
        path = self.path / name
        if name not in self.own:
            if path.exists():
                raise NotOurs(f"{path} is there, and posclient didn't write it")
            self._note(name)
        write_durably(path, data)

    def remove_all_but(self, names: set[str]) -> int:
        """Removes our originals of other names, unless they were changed; how many that were."""
        removed = 0
        for name in sorted(self.own - names - {LIST}):
            found = KEY.fullmatch(f"images/0/{name}")
            path = self.path / name
            if found and path.is_file() and digest(path.read_bytes()) == found[2]:
                path.unlink()
                removed += 1
        sync_folder(self.path)
        return removed

    def _note(self, name: str) -> None:
        with room(self.path), (self.path / OWN).open("ab") as file:
            file.write(f"{name}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        self.own.add(name)
