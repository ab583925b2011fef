"""Whatever happens between a terminal and its server, the terminal ends up equal to it."""

import sqlite3
from pathlib import Path

import pytest

from posclient import State, Terminal, Timeouts
from tests.parts import wait_until
from tests.posclient.conftest import BRISK, NewTerminal, Shop, follows
from tests.posclient.proxy import Fault, Kind, Proxy

# How a server keeps its data makes no difference to its terminals; what it says of it is tested on both databases.
pytestmark = pytest.mark.any_database


def edits(shop: Shop, number: int = 6) -> None:
    """Products come, change and go."""
    products = [shop.product()["id"] for _number in range(number)]
    for product in products[::2]:
        shop.change(product, is_sold_out=True)
    for product in products[::3]:
        shop.delete(product)


@pytest.mark.parametrize(
    ("kind", "after"), [("cut", 60), ("cut", 700), ("reset", 0), ("reset", 900), ("double frames", 0), ("refuse", 0)]
)
def test_a_stream_that_breaks_anywhere_costs_nothing(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal, kind: Kind, after: int
) -> None:
    terminal = new_terminal(via=proxy)
    proxy.once(kind, path="/api/sync/events", after=after, times=1 if kind == "double frames" else 3)
    terminal.replica.start()
    edits(shop)
    # A stream that opened behind all edits hasn't said as many bytes as the fault waits for.
    while not proxy.fired[kind]:
        edits(shop)

    assert follows(terminal, shop, seconds=60)


@pytest.mark.parametrize("kind", ["cut", "reset", "refuse", "stale"])
def test_answers_that_break_or_come_in_another_order_cost_nothing(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal, kind: Kind
) -> None:
    """``stale``: every other answer is the one before, as if two had changed places."""
    terminal = new_terminal(via=proxy, poll_seconds=0.2)
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    asked = [0]

    def choose(path: str) -> Fault | None:
        if kind == "stale" and path.startswith("/api/sync/"):
            return Fault("stale")
        if path.startswith("/api/sync/product"):
            asked[0] += 1
            return Fault(kind, after=150) if asked[0] % 2 else None
        return None

    proxy.choose = choose
    for _round in range(3):
        before = proxy.fired[kind]
        edits(shop, 3)
        wait_until(lambda before=before: proxy.fired[kind] > before, seconds=60, what="a fault")  # type: ignore[misc]
    proxy.choose = lambda path: None

    assert follows(terminal, shop, seconds=60)


def test_a_stream_that_stalls_is_given_up_and_resumed(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    terminal = new_terminal(via=proxy, timeouts=Timeouts(silence=1.0))
    proxy.once("stall", path="/api/sync/events", after=900)
    terminal.replica.start()
    edits(shop)

    assert follows(terminal, shop, seconds=60)
    assert proxy.fired["stall"] == 1


def test_a_network_that_comes_and_goes(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    terminal = new_terminal(via=proxy)
    terminal.replica.start()
    for _time in range(3):
        assert terminal.replica.wait_until_live(60)
        proxy.cut_network()
        edits(shop, 3)
        assert terminal.replica.wait_for(lambda: terminal.replica.state is State.OFFLINE, seconds=30)
        proxy.restore_network()

    assert follows(terminal, shop, seconds=60)
    assert proxy.fired["cut network"] == 3
    assert len(proxy.asked("/api/sync/product")) == 1  # the copy of the beginning


def test_a_new_epoch_refetches_everything_once(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    terminal = new_terminal(via=proxy, resources=["product", "category"])
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    product = shop.product()
    assert follows(terminal, shop)
    before, asked = terminal.replica.epoch, len(proxy.asked("/api/sync/product"))
    told: list[str] = []
    terminal.replica.subscribe(lambda updates: told.extend(str(update.id) for update in updates))

    shop.server.manage("new_epoch")

    assert terminal.replica.wait_for(lambda: terminal.replica.epoch != before, seconds=30)
    changed = shop.change(product["id"], name="In the new epoch")
    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]) == changed, seconds=30)
    assert follows(terminal, shop)
    assert len(proxy.asked("/api/sync/product")) == asked + 1
    assert set(told) == {product["id"]}  # what is as it was is no news


def damage_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 512):
        data[at : at + 256] = b"\xa5" * 256
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no database at all" * 100),
        lambda path: path.write_bytes(b""),
        damage_in_the_middle,
    ],
    ids=["another file", "emptied", "damaged"],
)
def test_a_damaged_copy_begins_anew(shop: Shop, new_terminal: NewTerminal, damage: object) -> None:
    edits(shop)
    with new_terminal() as terminal:
        terminal.replica.catch_up()
        path = terminal.replica.store.path
    assert callable(damage)
    damage(path)

    again = new_terminal()
    again.replica.start()

    assert follows(again, shop, seconds=60)
    again.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_server_that_grows_new_fields_and_resources_breaks_nothing(shop: Shop, terminal: Terminal) -> None:
    """What lies here from an older server: fewer fields, a resource that is gone."""
    product = shop.product()
    terminal.replica.catch_up()
    store = terminal.replica.store
    with store._writing() as connection:
        connection.execute("INSERT INTO resource VALUES ('robot', 12)")
        connection.execute("INSERT INTO object VALUES ('robot', '1', '{\"id\":\"1\"}')")
        connection.execute('UPDATE object SET data = \'{"id":"x"}\' WHERE id = ?', (product["id"],))

    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    changed = shop.change(product["id"], name="With all its fields")

    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]) == changed, seconds=20)


def test_a_restart_of_the_server_is_survived(shop: Shop, new_terminal: NewTerminal) -> None:
    """The server of all these tests itself: it begins a new epoch, as ``make run`` does."""
    terminal = new_terminal(timeouts=BRISK)
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    before = terminal.replica.epoch

    shop.server.stop()
    assert terminal.replica.wait_for(lambda: terminal.replica.state is State.OFFLINE, seconds=30)
    shop.server.start().until_ready()

    assert terminal.replica.wait_for(lambda: terminal.replica.epoch not in (None, before), seconds=90)
    product = shop.product()
    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]) == product, seconds=60)
    assert follows(terminal, shop, seconds=60)
