"""kill -9 at every write of a terminal: nothing that was promised is lost, nothing happens twice."""

import os
import signal
import sqlite3
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from posclient import Bridge, Terminal
from tests.posclient.conftest import NewTerminal, Shop, new_picture
from tests.posclient.processes import BRISK, begin
from tests.posclient.proxy import Proxy

# How a server keeps its data makes no difference to its terminals; what it says of it is tested on both databases.
pytestmark = pytest.mark.any_database

STATEMENTS = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE", "COMMIT", "CREATE")
PARTS = 6
CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate", "os.utime"}


def live(url: str, token: str, folder: Path, picture: bytes, product: str, shown: str, kill_at: int) -> None:
    """A terminal's day, which ends before its ``kill_at``-th write; how far it came is in ``<folder>.log``."""
    writes = 0

    def write() -> None:
        nonlocal writes
        writes += 1
        if writes == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_statement(statement: str) -> None:
        if statement.startswith(STATEMENTS):
            write()

    def on_event(event: str, arguments: tuple[object, ...]) -> None:
        creates = event == "open" and str(arguments[0]).startswith(str(folder)) and int(str(arguments[2])) & os.O_CREAT
        if creates or event in CHANGES:
            write()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect_as_always(*arguments, **options)
        connection.set_trace_callback(on_statement)
        return connection

    def note(line: str) -> None:
        with Path(f"{folder}.log").open("a") as file:
            file.write(f"{line}\n")

    connect_as_always = sqlite3.connect
    sqlite3.connect = connect  # type: ignore[assignment]
    sys.addaudithook(on_event)
    bridge = Bridge.client(url, token=token, timeouts=BRISK)
    with Terminal(bridge, folder, resources=["product", "category"]) as terminal:
        terminal.replica.catch_up()
        note("has a copy")
        terminal.images.get_image_path(shown)
        note("has a picture")
        terminal.outbox.add_image(picture, product)
        note("was given a photo")
        assert terminal.outbox.sync_image_uploads()["uploaded_count"] == 1
        note("has sent it")
        terminal.replica.catch_up()
        terminal.images.cleanup_image_cache([shown])
    note(f"writes: {writes}")


def die(shop: Shop, proxy: Proxy, folder: Path, kill_at: int) -> tuple[list[str], dict[str, str]]:
    """Lives until the ``kill_at``-th write; what it wrote into its log, and what it was about."""
    product, (shown, _data), picture = shop.product(), shop.image(), new_picture()
    shop.change(product["id"], image=shown)
    process = begin(live, proxy.url, shop.token, folder, picture, product["id"], shown, kill_at)
    process.join(60)
    assert process.exitcode == (-signal.SIGKILL if kill_at else 0), Path(f"{folder}.log").read_text()
    lines = Path(f"{folder}.log").read_text().splitlines() if Path(f"{folder}.log").exists() else []
    about = {"product": product["id"], "shown": shown, "hash": sha256(picture).hexdigest()}
    (folder.parent / f"{folder.name}.jpg").write_bytes(picture)
    return lines, about


def check_the_next_life(shop: Shop, proxy: Proxy, terminal: Terminal, lines: list[str], about: dict[str, str]) -> None:
    terminal.replica.catch_up()
    for resource in ("product", "category"):
        assert {item["id"]: item for item in terminal.replica.all(resource)} == shop.snapshot(resource)
    assert sha256(terminal.images.get_image_path(about["shown"]).read_bytes()).hexdigest() == about["shown"]
    if "was given a photo" not in lines:  # whoever gave it never heard that it was taken, and gives it again
        terminal.outbox.add_image(terminal.folder.parent / f"{terminal.folder.name}.jpg", about["product"])
    assert terminal.images.get_image_path(about["hash"])
    terminal.outbox.sync_image_uploads()
    assert terminal.outbox.waiting() == []
    assert shop.snapshot("product")[about["product"]]["image"] == about["hash"]
    processed = {asked.path for asked in proxy.asked_below("/api/photos/") if asked.path.endswith("/process")}
    assert len(processed) == 1, "the same photo was sent as two"
    terminal.images.cleanup_image_cache([about["shown"]])
    assert [path.name for path in terminal.images.folder.iterdir()] == [f"{about['shown']}.jpg"]
    assert list(terminal.outbox.store.waiting_folder.iterdir()) == []
    # What was on its way when the end came, four pictures at most, comes a second time.
    assert max(proxy.images_downloaded().values()) <= 2
    assert sum(count == 2 for count in proxy.images_downloaded().values()) <= 4


def count_writes(shop: Shop, proxy: Proxy, folder: Path) -> int:
    lines, _about = die(shop, proxy, folder, 0)
    return int(lines[-1].removeprefix("writes: "))


@pytest.fixture(scope="module")
def writes(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> int:
    with Proxy(shop.server.port) as proxy:
        return count_writes(shop, proxy, tmp_path_factory.mktemp("whole") / "till")


def test_a_life_has_many_writes(writes: int) -> None:
    assert writes > 50


@pytest.mark.parametrize("part", range(PARTS))
def test_after_a_kill_at_a_write_all_is_made_up_for(
    shop: Shop, new_terminal: NewTerminal, tmp_path: Path, writes: int, part: int
) -> None:
    kill_at = 1 + part * (writes - 1) // PARTS
    with Proxy(shop.server.port) as proxy:
        lines, about = die(shop, proxy, tmp_path / "till", kill_at)
        check_the_next_life(shop, proxy, new_terminal(via=proxy, resources=["product", "category"]), lines, about)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_after_a_kill_at_any_write_all_is_made_up_for(
    shop: Shop, new_terminal: NewTerminal, tmp_path: Path, writes: int
) -> None:
    for kill_at in range(1, writes + 1):
        folder = f"till-{kill_at}"
        with Proxy(shop.server.port) as proxy:
            lines, about = die(shop, proxy, tmp_path / folder, kill_at)
            terminal = new_terminal(via=proxy, folder=folder, resources=["product", "category"])
            check_the_next_life(shop, proxy, terminal, lines, about)
            terminal.close()
