"""The server goes away and comes back: the page says so, works on, and is live again by itself within 5 seconds."""

import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.browser.terminal.conftest import House, OpenTerminal, Watch
from tests.browser.terminal.looking import BROKEN_NETWORK, rows, snapshots, until, until_shown, until_state
from tests.parts import wait_until
from tests.posclient.proxy import Fault, Proxy

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOON = 5 + 3  # seconds: those that it may take, and a busy machine


def until_live_again(page: "Page") -> float:
    began = time.monotonic()
    until_state(page, "live", seconds=SOON)
    return time.monotonic() - began


def test_what_changed_while_the_network_was_away_is_there_soon_after_it_is_back(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK)
    product = house.product(price="1.00")
    page = open_terminal()
    until_shown(page, product["id"], price="1.00")
    first = snapshots(proxy)

    proxy.cut_network()
    until_state(page, "waiting", seconds=SOON)
    said = page.evaluate("redcoral.connection.getSnapshot()")
    assert said["asOf"] <= time.time() * 1000
    assert said["reason"]["code"] == "not_reached"
    house.change(product["id"], price="2.00")
    time.sleep(6)  # the back-off grows meanwhile
    assert rows(page)[product["id"]]["price"] == "1.00"

    proxy.restore_network()
    until_live_again(page)

    until_shown(page, product["id"], price="2.00")
    assert snapshots(proxy) == first


def test_a_page_that_was_opened_without_a_server_is_live_when_there_is_one(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK)
    product = house.product()
    page = open_terminal()
    until_shown(page, product["id"])
    # The page itself comes from the worker, when it has installed it.
    until(page, "() => navigator.serviceWorker.ready.then((worker) => Boolean(worker.active))")

    proxy.cut_network()
    page.reload()
    until_shown(page, product["id"])
    until_state(page, "waiting")
    proxy.restore_network()

    until_live_again(page)


@pytest.mark.parametrize("kind", ["reset", "stall"])
def test_a_stream_that_breaks_or_stalls_is_made_anew(
    kind: str, house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK)
    product = house.product(price="1.00")
    page = open_terminal()
    until_shown(page, product["id"], price="1.00")

    faults = [Fault(kind, after=300)] * 2  # type: ignore[arg-type]
    proxy.choose = lambda path: faults.pop() if faults and path == "/api/sync/events" else None
    proxy.hang_up()
    if kind == "stall":  # a silence that the page only notices when somebody makes it look
        proxy.choose = lambda path: None
    house.change(product["id"], price="2.00")

    until_shown(page, product["id"], price="2.00")


def test_a_page_that_slept_is_live_soon_after_it_is_awake(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    """As a tablet in a drawer: nothing of the page runs, and its stream ends meanwhile."""
    watch.allow(BROKEN_NETWORK)
    product = house.product(price="1.00")
    page = open_terminal()
    until_shown(page, product["id"], price="1.00")
    processes = [one for one in psutil.Process().children(recursive=True) if "--type=renderer" in one.cmdline()]
    assert processes

    try:
        for one in processes:
            one.suspend()
        wait_until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in processes), what="sleep")
        proxy.hang_up()
        house.change(product["id"], price="2.00")
        time.sleep(6)  # longer than a page that runs would take
    finally:
        for one in processes:
            one.resume()

    until_live_again(page)
    until_shown(page, product["id"], price="2.00")
