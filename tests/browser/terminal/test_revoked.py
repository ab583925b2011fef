"""A device that is revoked stops, and keeps what it has until somebody enrols it again."""

from devices.identity import COOKIE
from tests.browser.terminal.conftest import House, OpenTerminal, Watch, until_connection
from tests.browser.terminal.looking import rows, snapshots, until_shown, until_state
from tests.posclient.proxy import Proxy

LINE = {
    "id": "a",
    "product": "p",
    "name": "Coffee",
    "price_type": "fixed",
    "unit": "",
    "quantity": 2,
    "weight": None,
    "base": 350,
    "price": 350,
    "rules": [],
    "options": [],
    "total": 700,
    "note": "",
    "at": 1,
}


def test_data_and_tickets_are_there_and_it_goes_on_after_enrolling_again(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow("status of 401")
    product = house.product(price="1.00")
    page = open_terminal(token=None)
    until_state(page, "stopped")
    [first, second] = house.codes(2)
    page.evaluate("(code) => redcoral.enrol(code, 'Revoked till')", first.lower().replace("-", ""))
    until_connection(page)
    until_shown(page, product["id"], price="1.00")
    page.evaluate("(line) => redcoral.tickets.change('counter', (it) => ({ ...it, lines: [line], total: 700 }))", LINE)
    fetched = snapshots(proxy)

    house.revoke("Revoked till")
    until_state(page, "stopped", seconds=40)  # a revoked device's open stream ends within ten seconds or so
    house.change(product["id"], price="2.00")
    streams = len(proxy.asked("/api/sync/events"))
    page.reload()
    until_state(page, "stopped")

    assert rows(page)[product["id"]]["price"] == "1.00"
    assert page.evaluate("redcoral.tickets.get('counter').lines[0].name") == "Coffee"
    assert len(proxy.asked("/api/sync/events")) <= streams + 1
    assert any(cookie["name"].startswith(COOKIE) for cookie in page.context.cookies())  # a server's own has its port

    page.evaluate("(code) => redcoral.enrol(code, 'Enrolled again')", second)
    until_connection(page)
    until_shown(page, product["id"], price="2.00")
    assert page.evaluate("redcoral.tickets.get('counter').total") == 700
    assert snapshots(proxy) == fetched
