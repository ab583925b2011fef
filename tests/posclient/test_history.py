"""``posclient history sync``: originals and history.json of a whole server, verified, resumable, tidy."""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from posclient._locks import Lock
from tests.parts import wait_until
from tests.posclient.conftest import CommandLine, Shop

pytestmark = pytest.mark.any_database

MAKE = """
import uuid
from django.contrib.auth.models import User
from django.utils import timezone
from devices.services import enroll
from studio.services import Wish, ask_for
manager = User.objects.create(username=f"manager {uuid.uuid4().hex[:8]}", is_staff=True)
for name in ("Soup", "Salad", "Bread"):
    ask_for(owner=manager, item_id=uuid.uuid4(), wish=Wish(prompt=name), now=timezone.now())
print(manager.pk, enroll(name="Archive", history_of=manager).token)
"""
CHANGE = """
from studio.models import Item
from studio.services import favour, forget
mine = Item.objects.filter(owner_id={owner})
favour(owner_id={owner}, item_id=mine.get(prompt="Salad").pk, is_favorite=True)
forget(owner_id={owner}, item_id=mine.get(prompt="Soup").pk)
"""


@dataclass
class Manager:
    """One with three stored pictures, and the token of a device that reads her history."""

    shop: Shop
    pk: str
    token: str

    def names(self) -> set[str]:
        """Of the originals, by what the server says."""
        headers = {"Authorization": f"Bearer {self.token}"}
        found = httpx.get(f"{self.shop.url}/api/history", headers=headers, timeout=30).raise_for_status().json()
        return {item["r2_key"].rsplit("/")[-1] for item in found["results"] if item["r2_key"]}

    def change(self) -> None:
        """Forgets one, and makes another a favourite."""
        self.shop.server.manage("shell", "-c", CHANGE.format(owner=self.pk))

    @cached_property
    def is_ready(self) -> bool:
        wait_until(lambda: len(self.names()) == 3, seconds=60)
        return True


@pytest.fixture
def manager(shop: Shop, posclient: CommandLine) -> Manager:
    pk, token = shop.server.manage("shell", "-c", MAKE).split()[-2:]
    manager = Manager(shop, pk, token)
    assert manager.is_ready
    posclient("enroll", shop.url, "-", stdin=token)
    return manager


def originals(folder: Path) -> set[str]:
    """The names of the pictures in ``folder``; each has the digits of its bytes in its name."""
    found = {path.name for path in folder.iterdir() if path.suffix in (".jpg", ".png", ".webp")}
    for name in found:
        assert sha256((folder / name).read_bytes()).hexdigest() in name
    return found


def test_originals_come_once_and_go_only_when_asked(posclient: CommandLine, manager: Manager, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    first = posclient.json("history", "sync", str(folder))
    assert (first["downloaded_count"], first["failed_count"]) == (3, 0)
    before = originals(folder)
    assert before == manager.names()
    listed = json.loads((folder / "history.json").read_text())
    assert [item["prompt"] for item in listed["items"]] == ["Bread", "Salad", "Soup"]

    # Interrupted: one isn't there, another is cut. Something of somebody else lies beside them.
    gone, cut, _ = sorted(before)
    (folder / gone).unlink()
    (folder / cut).write_bytes(b"cut")
    foreign = folder / f"1_{sha256(b'mine').hexdigest()}.jpg"
    foreign.write_bytes(b"mine")
    again = posclient.json("history", "sync", str(folder))
    assert (again["downloaded_count"], again["already_here"]) == (2, 1)

    manager.change()
    kept = posclient.json("history", "sync", str(folder))
    assert (kept["items"], kept["downloaded_count"], kept["removed_count"]) == (2, 0, 0)
    assert before <= originals(folder)
    tidy = posclient.json("history", "sync", str(folder), "--delete")
    assert tidy["removed_count"] == 1
    assert originals(folder) == manager.names() | {foreign.name}
    one = posclient.json("history", "sync", str(folder), "--delete", "--only", "favorites")
    assert (one["removed_count"], one["items"]) == (1, 2)
    changed = posclient.json("history", "sync", str(folder), "--only", "last:1")
    assert changed["downloaded_count"] == 1
    assert "2 in the history" in posclient("history", "sync", str(folder))


def test_an_original_that_the_server_lost_leaves_the_others(
    posclient: CommandLine, manager: Manager, tmp_path: Path
) -> None:
    lost = min(manager.names())
    (path,) = manager.shop.server.data.rglob(lost)
    path.unlink()
    result = posclient.json("history", "sync", str(tmp_path / "pictures"), code=1)
    assert (result["downloaded_count"], result["failed_count"]) == (2, 1)
    assert "404" in result["failed"][0]["detail"]
    assert originals(tmp_path / "pictures") == manager.names() - {lost}


def test_what_others_wrote_is_never_touched(posclient: CommandLine, manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text("mine")
    assert "history.json" in posclient.complains("history", "sync", str(tmp_path), code=1)
    assert (tmp_path / "history.json").read_text() == "mine"

    folder = tmp_path / "pictures"
    folder.mkdir()
    name = sorted(manager.names())[0]
    (folder / name).write_bytes(b"mine")
    result = posclient.json("history", "sync", str(folder), "--delete", code=1)
    assert (result["downloaded_count"], result["failed_count"]) == (2, 1)
    assert (folder / name).read_bytes() == b"mine"

    lock = Lock(folder / ".posclient-history")
    assert lock.take()
    assert "another process" in posclient.complains("history", "sync", str(folder), code=1)
    lock.release()


@pytest.mark.parametrize("only", ["all", "last", "last:0", "last:x", "favorites:1"])
def test_only_is_favorites_or_a_number(enrolled: CommandLine, tmp_path: Path, only: str) -> None:
    assert "favorites" in enrolled.complains("history", "sync", str(tmp_path / "new"), "--only", only, code=2)


def test_another_device_is_refused(enrolled: CommandLine, tmp_path: Path) -> None:
    assert "forbidden" in enrolled.complains("history", "sync", str(tmp_path / "pictures"), code=3)
