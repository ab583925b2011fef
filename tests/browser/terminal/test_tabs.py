"""All tabs of a browser hold one stream, and each shows what the others did."""

from typing import TYPE_CHECKING

from tests.browser.terminal.conftest import House, OpenTerminal, Watch, until_connection
from tests.browser.terminal.looking import BROKEN_NETWORK, crash, snapshots, until, until_shown
from tests.browser.terminal.test_revoked import LINE
from tests.posclient.proxy import Proxy

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADD = """async ([id, line]) => {
  await redcoral.tickets.change(id, (ticket) => ({ ...ticket, lines: [...ticket.lines, line] }));
}"""


def another(page: "Page", proxy: Proxy) -> "Page":
    tab = page.context.new_page()
    tab.goto(f"{proxy.url}/terminal/")
    until_connection(tab)
    return tab


def is_connected(page: "Page") -> bool:
    return bool(page.evaluate("redcoral.isConnectedTab"))


def test_two_tabs_hold_one_stream_and_the_other_goes_on_when_one_is_closed(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK)
    product = house.product(price="1.00")
    first = open_terminal()
    second = another(first, proxy)
    fetched = snapshots(proxy)
    assert sorted([is_connected(first), is_connected(second)]) == [False, True]
    assert house.server.manage("shell", "-c", "print('ok')").strip().endswith("ok")

    house.change(product["id"], price="2.00")
    for tab in (first, second):
        until_shown(tab, product["id"], price="2.00")
    connected, other = (first, second) if is_connected(first) else (second, first)
    connected.close()
    until(other, "() => redcoral.isConnectedTab && redcoral.connection.getSnapshot().state === 'live'", seconds=10)

    house.change(product["id"], price="3.00")
    until_shown(other, product["id"], price="3.00")
    assert snapshots(proxy) == fetched == 7


def test_a_tab_that_dies_without_a_word_is_succeeded(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK, "chrome://crash")
    product = house.product(price="1.00")
    first = open_terminal()
    second = another(first, proxy)
    connected, other = (first, second) if is_connected(first) else (second, first)
    other.bring_to_front()

    crash(connected)
    until(other, "() => redcoral.isConnectedTab", seconds=10 + 2)
    house.change(product["id"], price="2.00")

    until_shown(other, product["id"], price="2.00")
    assert snapshots(proxy) == 7


def test_tickets_written_in_both_tabs_are_all_there(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    first = open_terminal()
    second = another(first, proxy)
    for n in range(10):
        for tab, name in ((first, "one"), (second, "two")):
            tab.evaluate(ADD, ["counter", {**LINE, "id": f"{name} {n}"}])
    for tab in (first, second):
        until(tab, "() => redcoral.tickets.get('counter').lines.length === 20")

    first.evaluate("redcoral.tickets.clear('counter')")
    until(second, "() => redcoral.tickets.get('counter').lines.length === 0")
