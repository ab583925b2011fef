"""The page starts without the network, and a new build is offered, whole or not at all."""

from typing import TYPE_CHECKING

import pytest

from tests.parts import wait_until
from tests.posclient.proxy import Proxy

from .conftest import House, OpenTerminal, Watch, until_connection

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.any_database

AWAY = "net::ERR_"
READY = "() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"


def build_of(page: "Page") -> str:
    return str(page.get_attribute("html", "data-build"))


def kept(page: "Page") -> dict[str, list[str]]:
    """The paths in each cache of the browser."""
    script = """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
        [name, (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname)])))"""
    found: dict[str, list[str]] = page.evaluate(script)
    return found


def until_kept(page: "Page") -> None:
    """Waits until the worker answers this page."""
    page.wait_for_function(READY)


def test_a_page_with_a_worker_starts_without_the_network(
    open_terminal: OpenTerminal, house: House, watch: Watch, proxy: Proxy
) -> None:
    product = house.product(name="Gazpacho")
    page = open_terminal()
    page.wait_for_selector(f"[data-product='{product['id']}']")
    until_kept(page)
    watch.allow(AWAY)
    proxy.cut_network()

    page.reload()

    page.wait_for_selector(f"[data-product='{product['id']}']")
    until_connection(page, "waiting")
    proxy.restore_network()
    until_connection(page, seconds=10)


def test_the_worker_keeps_the_files_of_the_build_and_nothing_of_the_api(
    open_terminal: OpenTerminal, proxy: Proxy
) -> None:
    page = open_terminal()
    until_kept(page)

    build = build_of(page)
    paths = kept(page)[f"redcoral-build-{build}"]
    with_prefix = [path for path in paths if path.startswith(f"/terminal/app/{build}/")]

    assert len(with_prefix) == len(paths) - 1
    assert "/terminal/" in paths
    assert f"/terminal/app/{build}/app/main.js" in paths
    before = len(proxy.asked("/api/sync/status"))
    page.evaluate("fetch('/api/sync/status')")
    assert len(proxy.asked("/api/sync/status")) > before


def test_a_build_with_a_wrong_file_is_not_kept_at_all(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, watch: Watch
) -> None:
    watch.allow("ServiceWorker", "zh-hans.json")
    build = house.manager.get("/terminal/version").json()["build"]
    proxy.once("corrupt", path=f"/terminal/app/{build}/app/texts/zh-hans.json", times=100)

    page = open_terminal()

    wait_until(lambda: proxy.fired["corrupt"] >= 2, what="a second look at the file")
    page.wait_for_function("async () => !(await navigator.serviceWorker.getRegistration())?.installing")
    assert kept(page) == {}
    page.click(".bar a[href='#/more']")
    page.click("[data-do='diagnose']")
    page.wait_for_selector("[data-finding]:has-text('failed')")


def test_reset_takes_the_worker_away_and_keeps_what_is_stored(open_terminal: OpenTerminal) -> None:
    page = open_terminal()
    until_kept(page)
    page.evaluate("redcoral.settings.set('theme', 'dark')")

    page.goto(page.url.split("/terminal/")[0] + "/terminal/reset")

    page.wait_for_url("**/terminal/")
    until_connection(page)
    assert page.get_attribute("html", "data-theme") == "dark"


@pytest.mark.timeout(300)  # a server is started again
def test_a_new_build_is_offered_and_keeps_the_open_ticket(
    open_terminal: OpenTerminal, house: House, watch: Watch
) -> None:
    product = house.product(name="Paella")
    watch.allow(AWAY, "Failed to load resource")
    page = open_terminal()
    until_kept(page)
    before = build_of(page)
    page.click(f"[data-product='{product['id']}'] button >> nth=0")
    page.click(".bar a[href='#/ticket']")
    page.wait_for_selector("[data-line]")

    house.server.stop()
    house.server.settings = {**house.server.settings, "SHOP_NAME": "Casa Azul"}  # a part of the build
    house.server.start().until_ready()

    offer = page.wait_for_selector("[data-update]", timeout=60_000)
    assert offer is not None
    assert build_of(page) == before
    with page.expect_navigation():
        offer.click()
    page.wait_for_function("before => document.documentElement.dataset.build !== before", arg=before)
    page.wait_for_selector("[data-line]")
    until_connection(page)
    after = build_of(page)
    assert set(kept(page)) == {f"redcoral-build-{before}", f"redcoral-build-{after}"}
    assert page.query_selector("[data-update]") is None
    assert page.evaluate("fetch('version').then((answer) => answer.json())") == {"build": after}
