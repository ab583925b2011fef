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
WITHOUT_A_WORKER = "http://pos.lan:{port}"
# Somebody opens a line of the ticket in the moment in which the new worker is told to take over.
OPENS_A_SHEET = """() => {
  const { postMessage } = ServiceWorker.prototype;
  ServiceWorker.prototype.postMessage = function (...what) {
    if (what[0] === "take over") document.querySelector("[data-line] [data-do=edit]").click();
    return postMessage.apply(this, what);
  };
}"""
READY = "() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"


def build_of(page: "Page") -> str:
    return str(page.get_attribute("html", "data-build"))


def until_open_for(page: "Page", milliseconds: int) -> None:
    """It had so long to reload, and didn't."""
    page.evaluate("globalThis.isSamePage = true")
    page.wait_for_timeout(milliseconds)
    assert page.evaluate("globalThis.isSamePage")


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
    other = page.context.new_page()  # a second tab, in which a sheet is open
    other.goto(page.url.partition("#")[0])
    until_connection(other)
    other.click(f"[data-product='{product['id']}'] .card-info")
    other.wait_for_selector("[data-sheet]")

    house.server.stop()
    house.server.settings = {**house.server.settings, "SHOP_NAME": "Casa Azul"}  # a part of the build
    house.server.start().until_ready()

    offer = page.wait_for_selector("[data-update]", timeout=60_000)
    assert offer is not None
    assert build_of(page) == before
    page.evaluate(OPENS_A_SHEET)
    page.click("[data-update]")
    page.wait_for_selector("[data-sheet]")
    until_open_for(page, 2500)
    with page.expect_navigation():
        page.keyboard.press("Escape")
    page.wait_for_function("before => document.documentElement.dataset.build !== before", arg=before)
    page.wait_for_selector("[data-line]")
    until_connection(page)
    after = build_of(page)
    assert set(kept(page)) == {f"redcoral-build-{before}", f"redcoral-build-{after}"}
    assert page.query_selector("[data-update]") is None
    assert page.evaluate("fetch('version').then((answer) => answer.json())") == {"build": after}

    # The other tab goes on with the build before, and is offered the new one; nothing takes its sheet away.
    offered = other.locator("[data-update]")
    offered.wait_for()
    assert build_of(other) == before
    module = f"app/{before}/app/views/sheet.js"
    assert other.evaluate("(path) => fetch(path).then((answer) => answer.status)", module) == 200
    offered.click()
    other.wait_for_selector("[data-notice='update-waits']")
    until_open_for(other, 2500)
    other.fill("#sheet-note", "still here")
    with other.expect_navigation():
        other.click("[data-sheet] [data-add]")
    until_connection(other)
    assert build_of(other) == after
    assert other.evaluate("redcoral.tickets.get('counter').lines.map((line) => line.note)") == ["", "still here"]


@pytest.mark.parametrize("what", ["sheet", "field", "camera"])
def test_a_page_never_reloads_while_something_is_open(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, what: str
) -> None:
    product = house.product()["id"]
    page = open_terminal(origin=WITHOUT_A_WORKER.format(port=proxy.port), token=house.a_token(may_upload=True))
    page.wait_for_selector(f"[data-product='{product}']")
    page.context.route("**/terminal/version", lambda route: route.fulfill(json={"build": "another"}))
    page.reload()
    offer = page.locator("[data-update]")
    if what == "field":
        page.click("[data-search]")
        offer.evaluate("(button) => button.dispatchEvent(new Event('click'))")  # a tap that leaves the keyboard open
    else:
        page.click(f"[data-product='{product}'] .card-info")
        if what == "camera":
            with page.expect_file_chooser():
                page.click("label:has([data-photo])")
        offer.wait_for()
        offer.evaluate("(button) => button.click()")

    until_open_for(page, 2500)
    with page.expect_navigation():
        if what == "field":
            page.evaluate("document.activeElement.blur()")
        else:
            page.keyboard.press("Escape")
    page.wait_for_selector("[data-update]")  # this server says so for ever: it is offered again, and not forced
    until_open_for(page, 1500)


@pytest.mark.parametrize("origin", ["", WITHOUT_A_WORKER], ids=["worker", "plain http"])
def test_a_new_build_is_looked_for_hourly_and_on_a_new_epoch(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, watch: Watch, origin: str
) -> None:
    watch.allow(AWAY)  # the stream ends with its epoch
    page = open_terminal(origin=origin.format(port=proxy.port), before=lambda context: context.clock.install())
    path = "/terminal/version" if origin else "/terminal/sw.js"

    def looks() -> int:
        return len(proxy.asked(path))

    wait_until(lambda: looks() > 0, what="a look at the start")
    if not origin:
        until_kept(page)
    page.wait_for_timeout(500)
    before = looks()
    page.clock.fast_forward("59:00")
    page.wait_for_timeout(500)
    assert looks() == before
    page.clock.fast_forward("01:30")
    wait_until(lambda: looks() == before + 1, what="a look after an hour")
    page.clock.fast_forward("01:00:00")
    wait_until(lambda: looks() == before + 2, what="a look after two hours")

    until_connection(page)
    house.server.manage("new_epoch")
    house.product()
    wait_until(lambda: looks() == before + 3, what="a look on a new epoch")
