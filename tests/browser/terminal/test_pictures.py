"""A picture is downloaded once, by any number of tabs, reloads and faults, and shown whatever becomes of its copy."""

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from devices.identity import COOKIE
from tests.parts import wait_until
from tests.posclient.proxy import Proxy

from .conftest import House, OpenTerminal, Watch, until_connection
from .pictures import kept, product_with_picture, show, until_complete

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(240)]

DAMAGE = """(hash) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("redcoral-pictures");
  opening.onsuccess = () => {
    const tx = opening.result.transaction("bytes", "readwrite");
    tx.objectStore("bytes").put(new TextEncoder().encode("damaged").buffer, hash);
    tx.oncomplete = () => resolve(opening.result.close());
    tx.onerror = () => reject(tx.error);
  };
})"""
FILL = """async (count) => {
  const hashes = Array.from({ length: count }, (_, n) => n.toString(16).padStart(64, "0"));
  for (const hash of hashes) await redcoral.images.adopt(hash, crypto.getRandomValues(new Uint8Array(65536)).buffer);
  return await redcoral.images.usage();
}"""


@pytest.fixture
def hashes(house: House) -> list[str]:
    """Of three new pictures: two that are narrowed for a terminal, one that is narrow enough."""
    products = [
        product_with_picture(house),
        product_with_picture(house),
        product_with_picture(house, width=200, height=150),
    ]
    return [product["image"] for product in products]


def reload(page: "Page") -> None:
    page.reload()
    until_connection(page)


def test_pictures_come_by_themselves_and_once(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, hashes: list[str]
) -> None:
    page = open_terminal()
    until_complete(page, hashes)
    reload(page)
    until_complete(page, hashes)
    assert [show(page, hash) for hash in hashes] == [(320, 240), (320, 240), (200, 150)]
    assert sha256(kept(page, hashes[2])).hexdigest() == hashes[2]  # an original
    assert {hash: proxy.images_downloaded()[hash] for hash in hashes} == dict.fromkeys(hashes, 1)
    assert {asked.query for asked in proxy.asked_below("/api/image/")} == {"w=320&format=webp"}
    assert page.evaluate("redcoral.images.getImageUrl(document.title).catch((error) => error.code)") == "invalid_hash"


def test_two_tabs_download_each_picture_once(proxy: Proxy, open_terminal: OpenTerminal, hashes: list[str]) -> None:
    first = open_terminal(state=None)
    second = first.context.new_page()
    second.goto(first.url)
    pages = (first, second)
    for page in pages:
        page.wait_for_function("() => globalThis.redcoral")
    start = "(hashes) => { globalThis.urls = Promise.all(hashes.map(redcoral.images.getImageUrl, redcoral.images)); }"
    for page in pages:
        page.evaluate(start, hashes)
    for page in pages:
        assert len(page.evaluate("globalThis.urls")) == 3
        until_connection(page)
        until_complete(page, hashes)
    assert {hash: proxy.images_downloaded()[hash] for hash in hashes} == dict.fromkeys(hashes, 1)


def test_two_tabs_that_are_told_to_prefetch_ask_once_for_each_picture(
    house: House, proxy: Proxy, open_terminal: OpenTerminal
) -> None:
    """Also one that isn't connected does as it is told; what one tab has claimed the other waits for."""
    first = open_terminal(at="/more")
    first.evaluate("redcoral.settings.set('offline', 'nothing')")
    second = first.context.new_page()
    second.goto(first.url)
    until_connection(second)
    hashes = [product_with_picture(house, is_active=False)["image"] for _number in range(10)]
    start = "(hashes) => { globalThis.told = redcoral.images.prefetchImages(hashes); }"
    for page in (first, second):
        page.evaluate(start, hashes)

    for page in (first, second):
        told = page.evaluate("globalThis.told")
        assert (told["success_count"] + told["already_cached"], told["failed_count"]) == (10, 0)
    assert {hash: proxy.images_downloaded()[hash] for hash in hashes} == dict.fromkeys(hashes, 1)


def test_a_new_photo_of_a_product_comes_by_the_stream(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, hashes: list[str]
) -> None:
    product = product_with_picture(house)
    page = open_terminal()
    until_complete(page, [*hashes, product["image"]])
    other = product_with_picture(house)["image"]
    house.change(product["id"], image=other)
    until_complete(page, [other])
    assert proxy.images_downloaded()[other] == 1


def test_a_damaged_picture_is_fetched_again(proxy: Proxy, open_terminal: OpenTerminal, hashes: list[str]) -> None:
    page = open_terminal()
    until_complete(page, hashes)
    before = kept(page, hashes[0])
    page.evaluate(DAMAGE, hashes[0])
    reload(page)
    assert show(page, hashes[0]) == (320, 240)
    until_complete(page, hashes)
    reload(page)
    assert kept(page, hashes[0]) == before
    assert {hash: proxy.images_downloaded()[hash] for hash in hashes} == {hashes[0]: 2, hashes[1]: 1, hashes[2]: 1}


def test_downloads_that_were_interrupted_go_on_where_they_were(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    hashes = [product_with_picture(house)["image"] for _number in range(12)]
    watch.allow("ERR_", "Failed to load resource")
    page = open_terminal(state=None)
    wait_until(lambda: any(proxy.images_downloaded()[hash] for hash in hashes))
    page.close(run_before_unload=False)
    again = page.context.new_page()
    again.goto(f"{proxy.url}/terminal/")
    until_complete(again, hashes)
    downloads = [proxy.images_downloaded()[hash] for hash in hashes]
    assert min(downloads) == 1
    assert sum(downloads) <= 12 + 4  # four at a time: these came to a page that was gone


def test_a_picture_that_cant_be_had_now_comes_when_it_can(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    page = open_terminal()
    watch.allow("ERR_", "Failed to load resource", "404")
    proxy.once("cut", path="/api/image/", after=300, times=3)
    broken = product_with_picture(house)["image"]
    page.evaluate("(hash) => { globalThis.end = redcoral.images.subscribe(hash, () => {}); }", broken)
    page.wait_for_function("(hash) => redcoral.images.getSnapshot(hash).status === 'ready'", arg=broken)
    assert proxy.fired["cut"] == 3
    assert proxy.images_downloaded()[broken] == 1
    # A hash that the server doesn't know yet.
    coming = "ab" * 32
    page.evaluate("(hash) => { globalThis.end = redcoral.images.subscribe(hash, () => {}); }", coming)
    page.wait_for_function("(hash) => redcoral.images.getSnapshot(hash).status === 'missing'", arg=coming)


def test_a_small_quota_evicts_pictures_and_keeps_what_exists_only_here(
    house: House, proxy: Proxy, new_browser: Callable[..., "BrowserContext"]
) -> None:
    context = new_browser(proxy.url)
    context.add_cookies([{"name": COOKIE, "value": house.a_token(), "url": proxy.url}])
    page = context.new_page()
    # Before anything is written: Chromium remembers for half a minute how much room there is.
    browser = context.new_cdp_session(page)
    browser.send("Storage.overrideQuotaForOrigin", {"origin": proxy.url, "quotaSize": 12_000_000})
    page.goto(f"{proxy.url}/terminal/")
    until_connection(page)
    page.evaluate("redcoral.settings.set('kept', 'x'.repeat(1000))")
    filled = page.evaluate(FILL, 250)
    assert 2_000_000 < filled["bytes"] < 250 * 65536
    product = house.product(description="y" * 4000)
    house.change(product["id"], name="after")
    page.wait_for_function("(id) => redcoral.resources.product.get(id)?.name === 'after'", arg=product["id"])
    note = "(n) => redcoral.settings.set(`large ${n}`, Array.from({ length: 30000 }, Math.random)).then(() => true)"
    assert all(page.evaluate(note, number) for number in range(16))
    assert page.evaluate("redcoral.images.usage()")["count"] < filled["count"]
    assert page.evaluate("redcoral.notices.getSnapshot()") == []
    page.reload()
    until_connection(page)
    settings = page.evaluate("redcoral.settings.getSnapshot()")
    assert settings["kept"] == "x" * 1000
    assert {len(settings[f"large {number}"]) for number in range(16)} == {30000}
    assert page.evaluate("(id) => redcoral.resources.product.get(id).name", product["id"]) == "after"


def test_a_budget_that_is_too_small_for_all_ends_downloading(
    house: House, proxy: Proxy, open_terminal: OpenTerminal
) -> None:
    hashes = [product_with_picture(house)["image"] for _number in range(6)]
    page = open_terminal(at="/more")  # where no picture is on the screen
    until_complete(page, hashes)
    page.evaluate("redcoral.settings.set('picture_budget', 20000)")
    page.wait_for_function("() => redcoral.pictures.getSnapshot().state === 'full'")
    assert page.evaluate("redcoral.images.usage()")["bytes"] <= 20000
    asked = len(proxy.asked_below("/api/image/"))
    page.evaluate("redcoral.pictures.hurry()")
    page.wait_for_timeout(1500)  # two looks at what is missing
    assert len(proxy.asked_below("/api/image/")) <= asked + 4
    page.evaluate("redcoral.settings.set('offline', 'nothing')")
    page.wait_for_function("() => redcoral.pictures.getSnapshot().wanted === 0")
