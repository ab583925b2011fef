"""What was fetched once isn't fetched again: not by a reload, not by a tab that is opened later."""

from tests.browser.terminal.conftest import House, OpenTerminal, until_connection
from tests.browser.terminal.looking import deltas, rows, snapshots, until, until_shown
from tests.posclient.proxy import Proxy


def test_a_reload_asks_for_no_snapshot_no_change_and_no_picture(
    house: House, proxy: Proxy, open_terminal: OpenTerminal
) -> None:
    hash, _data = house.image()
    product = house.product(image=hash)
    page = open_terminal()
    until_shown(page, product["id"], image=hash)
    until(page, f"async () => (await redcoral.images.prefetchImages(['{hash}'])).failed_count === 0")
    first = snapshots(proxy)
    pictures = len(proxy.asked_below("/api/image/"))
    assert (first, pictures > 0) == (7, True)

    page.reload()
    until_connection(page)
    until(page, f"() => redcoral.images.getImageUrl('{hash}')")

    assert rows(page) == house.snapshot("product")
    assert (snapshots(proxy), deltas(proxy), len(proxy.asked_below("/api/image/"))) == (first, 0, pictures)


def test_what_changed_meanwhile_comes_by_the_stream(house: House, proxy: Proxy, open_terminal: OpenTerminal) -> None:
    product = house.product(price="3.80")
    page = open_terminal()
    until_shown(page, product["id"], price="3.80")
    first = snapshots(proxy)

    page.goto("about:blank")
    house.change(product["id"], price="4.20", is_sold_out=True)
    page.goto(f"{proxy.url}/terminal/")
    until_connection(page)

    until_shown(page, product["id"], price="4.20", is_sold_out=True)
    assert (snapshots(proxy), deltas(proxy)) == (first, 0)
