"""Over plain http there is no worker and no WebCrypto: everything else works, and one line says what is missing."""

import pytest

from tests.posclient.proxy import Proxy

from .conftest import House, OpenTerminal, Watch, until_connection

pytestmark = pytest.mark.any_database


def test_over_plain_http_the_terminal_works_and_goes_on_without_the_network(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, watch: Watch
) -> None:
    hash, _bytes = house.image()
    product = house.product(name="Croqueta", image=hash)
    page = open_terminal(origin=f"http://pos.lan:{proxy.port}")
    assert page.evaluate("[isSecureContext, 'serviceWorker' in navigator, !!crypto.subtle]") == [False, False, False]
    page.wait_for_selector(f"[data-product='{product['id']}'] img[data-hash='{hash}']")

    watch.allow("net::ERR_")
    proxy.cut_network()
    until_connection(page, "waiting")
    for view in ("tables", "ticket", "storage", "more", "menu"):
        page.click(f".bar a[href='#/{view}']")
        page.wait_for_selector(f"rc-{view}")
    page.click(f"[data-product='{product['id']}'] button >> nth=0")
    page.click(".bar a[href='#/ticket']")
    page.wait_for_selector("[data-line]")
    proxy.restore_network()
    until_connection(page, seconds=10)


def test_without_a_worker_the_server_is_asked_for_its_build(open_terminal: OpenTerminal, proxy: Proxy) -> None:
    page = open_terminal(origin=f"http://pos.lan:{proxy.port}")
    page.wait_for_function("performance.getEntriesByName(new URL('version', document.baseURI).href).length > 0")
    assert page.query_selector("[data-update]") is None

    page.context.route("**/terminal/version", lambda route: route.fulfill(json={"build": "another"}))
    page.reload()

    page.wait_for_selector("[data-update]")


@pytest.mark.parametrize("view", ["more", "storage"])
def test_one_line_says_what_https_would_add(open_terminal: OpenTerminal, proxy: Proxy, view: str) -> None:
    page = open_terminal(f"/{view}", origin=f"http://pos.lan:{proxy.port}")

    line = page.wait_for_selector("[data-notice='plain-http'] a")

    assert line is not None
    guide = line.evaluate("link => fetch(link.href).then((answer) => answer.text())")
    assert "https in a LAN" in guide


def test_over_https_nothing_is_missing(open_terminal: OpenTerminal) -> None:
    page = open_terminal("/more")

    page.wait_for_selector("rc-more h2")

    assert page.query_selector("[data-notice='plain-http']") is None
