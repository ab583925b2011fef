"""A local copy of the server's resources that follows every change, and works without the server."""

import threading
from typing import Any

import pytest

from posclient import NotEnrolled, State, Terminal, Update
from tests.parts import wait_until
from tests.posclient.conftest import NewTerminal, Shop, follows
from tests.posclient.proxy import Proxy


class Told:
    """A subscriber that keeps what it was told, with what it saw in the replica at that moment."""

    def __init__(self, terminal: Terminal, resource: str | None = None) -> None:
        self.updates: list[Update] = []
        self.terminal = terminal
        terminal.replica.subscribe(self.updates.extend, resource)

    def of(self, id: str) -> list[tuple[str, Any]]:
        return [(update.action, update.data) for update in list(self.updates) if update.id == id]


def test_a_new_terminal_fetches_everything_and_then_follows_every_change(shop: Shop, terminal: Terminal) -> None:
    product = shop.product(name="Espresso")
    told = Told(terminal)

    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    assert terminal.replica.get("product", product["id"]) == product
    changed = shop.change(product["id"], name="Ristretto")
    assert terminal.replica.wait_for(lambda: ("updated", changed) in told.of(product["id"]), seconds=20)
    shop.delete(product["id"])
    assert terminal.replica.wait_for(lambda: ("deleted", None) in told.of(product["id"]), seconds=20)

    assert terminal.replica.get("product", product["id"]) is None
    assert {**terminal.replica.versions} == shop.versions()
    assert follows(terminal, shop)
    assert follows(terminal, shop, "category")


def test_a_terminal_that_was_away_asks_for_no_snapshot(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    first = new_terminal(via=proxy)
    first.replica.start()
    assert first.replica.wait_until_live()
    first.close()
    products = [shop.product() for _number in range(10)]
    before = len(proxy.passed)

    again = new_terminal(via=proxy)
    assert again.replica.last_sync_time is not None  # what it knew is there before it connects
    again.replica.start()

    assert again.replica.wait_for(lambda: again.replica.get("product", products[-1]["id"]), seconds=20)
    assert follows(again, shop)
    again.close()
    assert not [passed for passed in proxy.passed[before:] if passed.path == "/api/sync/product"]


def test_a_terminal_starts_offline_with_yesterdays_data(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    product = shop.product()
    with new_terminal(via=proxy) as yesterday:
        yesterday.replica.catch_up()
    proxy.cut_network()

    today = new_terminal(via=proxy)
    today.replica.start()

    wait_until(lambda: today.replica.last_error is not None, what="the failure to connect")
    assert today.replica.state is State.OFFLINE
    assert today.replica.get("product", product["id"]) == product
    proxy.restore_network()
    changed = shop.change(product["id"], name="Tomorrow's")
    assert today.replica.wait_for(lambda: today.replica.get("product", product["id"]) == changed, seconds=60)


def test_catching_up_without_a_stream_makes_one_copy_and_then_only_deltas(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    terminal = new_terminal(via=proxy)
    terminal.replica.catch_up()
    product = shop.product()
    before = len(proxy.passed)

    terminal.replica.catch_up()

    assert terminal.replica.get("product", product["id"]) == product
    paths = [passed.path for passed in proxy.passed[before:]]
    assert paths[0] == "/api/sync/status"
    assert set(paths[1:]) <= {"/api/sync/product/changes", "/api/sync/category/changes"}


def test_only_the_resources_that_were_asked_for_are_kept(shop: Shop, new_terminal: NewTerminal) -> None:
    shop.product()
    terminal = new_terminal(resources=["category"])
    terminal.replica.start()
    assert terminal.replica.wait_until_live()

    assert set(terminal.replica.versions) == {"category"}
    assert terminal.replica.all("product") == []
    assert follows(terminal, shop, "category")


def test_a_new_picture_is_on_the_disk_before_the_product_shows_it(shop: Shop, new_terminal: NewTerminal) -> None:
    product = shop.product()
    terminal = new_terminal()
    holes: list[str] = []

    def look(updates: list[Update]) -> None:
        holes.extend(
            update.data["image"]
            for update in updates
            if update.data and update.data["image"] and terminal.images.get_cached_path(update.data["image"]) is None
        )

    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    terminal.replica.subscribe(look, "product")
    told = Told(terminal)
    hash, data = shop.image()

    changed = shop.change(product["id"], image=hash)

    assert terminal.replica.wait_for(lambda: ("updated", changed) in told.of(product["id"]), seconds=20)
    assert holes == []
    path = terminal.images.get_cached_path(hash)
    assert path is not None
    assert path.read_bytes() == data


def test_a_picture_that_does_not_come_delays_the_news_for_a_bounded_time_only(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    product = shop.product()
    hash, _data = shop.image()
    terminal = new_terminal(via=proxy, prefetch_seconds=0.5)
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    proxy.once("stall", path="/api/image/", times=9)

    changed = shop.change(product["id"], image=hash)

    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]) == changed, seconds=25)
    assert proxy.fired["stall"] >= 1
    proxy.hang_up()


def test_a_subscriber_that_fails_disturbs_nobody(
    shop: Shop, terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(updates: list[Update]) -> None:
        raise RuntimeError("no")

    terminal.replica.subscribe(fail)
    told = Told(terminal)
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    product = shop.product()

    assert terminal.replica.wait_for(lambda: told.of(product["id"]), seconds=20)
    assert "a subscriber failed" in caplog.text


def test_two_processes_in_one_folder_share_one_stream_and_one_takes_over(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    """Two replicas in this process exclude each other as those of two processes do: each opens its own lock."""
    one, other = new_terminal(via=proxy), new_terminal(via=proxy)
    one.replica.start()
    assert one.replica.wait_until_live()
    other.replica.start()
    assert other.replica.wait_until_live()
    assert other.replica.state is State.FOLLOWING
    told = Told(other)
    product = shop.product()
    assert other.replica.wait_for(lambda: ("created", product) in told.of(product["id"]), seconds=20)

    one.close()

    assert other.replica.wait_for(lambda: other.replica.state is State.LIVE, seconds=20)
    changed = shop.change(product["id"], name="After the succession")
    assert other.replica.wait_for(lambda: ("updated", changed) in told.of(product["id"]), seconds=20)
    assert follows(other, shop)


def test_everything_read_at_once_is_of_one_moment(shop: Shop, terminal: Terminal) -> None:
    """However many steps are written meanwhile: two looks within ``reading`` see the same."""
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    product = shop.product()
    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]), seconds=20)
    over, torn = threading.Event(), []

    def look() -> None:
        while not over.is_set():
            with terminal.replica.reading():
                one, other = (
                    terminal.replica.get("product", product["id"]),
                    terminal.replica.get("product", product["id"]),
                )
            if one != other:
                torn.append((one, other))

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(20):
        last = shop.change(product["id"], position=number)
    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]) == last, seconds=20)
    over.set()
    looking.join()

    assert torn == []


@pytest.mark.any_database  # that a server ends the stream is tested on both
def test_a_revoked_terminal_stops_and_asks_nothing_more(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    token = shop.new_token()
    terminal = new_terminal(via=proxy, token=token)
    terminal.replica.start()
    assert terminal.replica.wait_until_live()
    product = shop.product()
    assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]), seconds=20)

    shop.server.manage("shell", "-c", REVOKE.format(token=token))

    assert terminal.replica.wait_for(lambda: terminal.replica.state is State.REFUSED, seconds=60)
    assert isinstance(terminal.replica.last_error, NotEnrolled)
    asked = len(proxy.asked_below("/api/"))
    assert not terminal.replica.wait_for(lambda: len(proxy.passed) > asked, seconds=3)
    assert terminal.replica.get("product", product["id"]) == product  # what it has it keeps


REVOKE = """
from django.utils import timezone
from devices.models import Device, token_digest
assert Device.objects.filter(token_hash=token_digest("{token}")).update(revoked_at=timezone.now()) == 1
"""
