"""The indicator: one, always there, with the state in word and colour, why, since when, and what to do."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.terminal.conftest import House, OpenTerminal, Watch, until_connection
from tests.browser.terminal.looking import BROKEN_NETWORK
from tests.posclient.proxy import Proxy

pytestmark = pytest.mark.any_database


def say(page: Page, **values: object) -> None:
    """Has the page's Terminal be in this state."""
    page.evaluate("(values) => redcoral.connection.set({...redcoral.connection.getSnapshot(), ...values})", values)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("connecting", "Connecting"),
        ("catching up", "Catching up"),
        ("live", "Live"),
        ("waiting", "Not live"),
        ("stopped", "Stopped"),
    ],
)
def test_every_state_has_its_word_and_says_as_of_when(open_terminal: OpenTerminal, state: str, word: str) -> None:
    page = open_terminal()

    say(page, state=state, asOf=page.evaluate("Date.parse('2026-11-30T13:02:00Z')"))

    indicator = page.locator("[data-connection]")
    expect(indicator).to_have_count(1)
    expect(indicator).to_have_attribute("data-connection", state.replace(" ", "-"))
    expect(indicator).to_contain_text(word)
    if state == "live":
        expect(indicator).not_to_contain_text("as of")
    else:
        expect(indicator).to_contain_text("as of")
        expect(indicator).to_contain_text("14:02")


def test_it_counts_the_pictures_that_are_here(open_terminal: OpenTerminal, house: House) -> None:
    house.product(image=house.image()[0])
    page = open_terminal()

    pictures = page.locator("[data-connection] [data-pictures]")
    expect(pictures).to_have_count(1)
    wanted = len({row["image"] for row in house.snapshot("product").values() if row["image"] and row["is_active"]})
    expect(pictures).to_have_attribute("data-pictures", f"{wanted}/{wanted}")
    expect(pictures).to_be_hidden()


def test_a_tap_says_why_and_when_and_tries_now(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, watch: Watch
) -> None:
    page = open_terminal()
    watch.allow(BROKEN_NETWORK)
    proxy.cut_network()
    until_connection(page, "waiting")
    page.click("[data-connection]")

    sheet = page.locator("dialog")
    expect(sheet).to_contain_text("Everything works on with what is stored here")
    expect(sheet.locator("[data-problem='not_reached']")).to_be_visible()
    expect(sheet).to_contain_text("Tries again in")
    expect(sheet).to_contain_text(proxy.url.removeprefix("http://"))
    expect(sheet).to_contain_text("Screen")
    proxy.restore_network()
    sheet.locator("[data-do=hurry]").click()

    until_connection(page, "live")
    expect(sheet).to_contain_text("What you see is what the server has now.")


def test_without_the_server_one_browses_searches_and_writes_tickets_and_a_reload_changes_nothing(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, watch: Watch
) -> None:
    product = house.product(price="4.20", image=house.image()[0])
    page = open_terminal()
    page.fill("[data-search]", product["name"])
    expect(page.locator(f"[data-product='{product['id']}'] img")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    watch.allow(BROKEN_NETWORK, "ERR_")
    proxy.cut_network()
    until_connection(page, "waiting")

    page.reload()

    page.fill("[data-search]", product["name"])
    expect(page.locator(f"[data-product='{product['id']}'] img")).to_be_visible()
    page.click(f"[data-product='{product['id']}'] .card-tap")
    expect(page.locator("rc-count .badge")).to_have_text("1")
    page.reload()
    expect(page.locator("rc-count .badge")).to_have_text("1")
    proxy.restore_network()
    until_connection(page, "live", seconds=40)
