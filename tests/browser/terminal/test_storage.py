"""The page that says what this device keeps: protecting it, and clearing all of it, which names what is lost."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from devices.identity import COOKIE
from tests.posclient.proxy import Fault, Proxy

from .conftest import House, OpenTerminal, Watch, until_connection
from .looking import until
from .pictures import product_with_picture, until_complete
from .test_photos_taken_offline import add, camera_photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.any_database

# A browser that answers so when it is asked not to clear what is kept; Chromium decides by how often a page was used.
ANSWERING = """(() => {
  if (!navigator.storage) return; // the empty page before
  let isPersistent = false;
  const persist = async () => (isPersistent = %s);
  Object.defineProperty(navigator.storage, "persist", { value: persist });
  Object.defineProperty(navigator.storage, "persisted", { value: async () => isPersistent });
})()"""
# Writes what exists only here until nothing more finds room.
FILL = """async () => {
  for (const size of [30000, 3000, 300, 30, 1])
    for (let number = 0; ; number += 1) {
      const value = Array.from({ length: size }, Math.random);
      const isKept = await redcoral.settings.set(`large ${size} ${number}`, value).then(() => true, () => false);
      if (!isKept || number > 200) break;
    }
}"""


@pytest.mark.parametrize(
    ("answer", "said", "shown"),
    [
        ("true", "Protected.", "doesn't clear this by itself"),
        ("false", "The browser refused.", "may clear this by itself"),
    ],
)
def test_protecting_asks_the_browser_and_says_what_it_answered(
    open_terminal: OpenTerminal, answer: str, said: str, shown: str
) -> None:
    page = open_terminal("/storage", before=lambda context: context.add_init_script(ANSWERING % answer))
    button = page.locator("[data-do=protect]")

    button.click()

    expect(page.locator("[data-notice=protect]")).to_contain_text(said)
    expect(page.locator("rc-storage")).to_contain_text(shown)
    expect(button).to_have_count(0 if answer == "true" else 1)


def test_what_pictures_use_is_counted_while_they_come(open_terminal: OpenTerminal, house: House) -> None:
    page = open_terminal("/storage")
    counted = page.locator("rc-storage dt", has_text=re.compile(r"picture"))
    until_complete(page, [])
    before = page.evaluate("redcoral.images.bytes.usage.count")
    expect(counted).to_have_text(re.compile(rf"^{before} pictures?$"))

    product_with_picture(house)

    expect(counted).to_have_text(re.compile(rf"^{before + 1} pictures?$"))


def test_what_is_kept_offline_is_chosen_and_what_no_product_shows_is_cleaned_up(
    open_terminal: OpenTerminal, house: House
) -> None:
    liked, other = product_with_picture(house), product_with_picture(house)
    page = open_terminal("/storage")
    until_complete(page, [liked["image"], other["image"]])
    kept = page.locator("[data-kept]")
    page.evaluate("(id) => redcoral.favourites.set(id, true)", liked["id"])

    page.click("[data-offline=favourites]")
    expect(kept).to_have_attribute("data-kept", "1/1")
    page.click("[data-offline=nothing]")
    expect(kept).to_have_attribute("data-kept", "0/0")
    page.click("[data-offline=everything]")
    house.change(other["id"], image=liked["image"])
    until(page, "([id, image]) => redcoral.resources.product.get(id).image === image", [other["id"], liked["image"]])
    page.click("[data-do=clean-up]")

    expect(page.locator("[data-notice=cleaned-up]")).to_contain_text(re.compile(r"\b1 picture removed, .*kB freed"))
    gone = "([liked, other]) => redcoral.images.bytes.get(liked) && !redcoral.images.bytes.get(other)"
    until(page, gone, [liked["image"], other["image"]])
    page.select_option("[data-budget]", "50")
    until(page, "async () => (await redcoral.images.usage()).budget === 50_000_000")


def test_downloading_is_paused_and_goes_on_also_after_a_reload(
    open_terminal: OpenTerminal, house: House, proxy: Proxy, watch: Watch
) -> None:
    watch.allow("net::ERR_")
    page = open_terminal("/storage")
    stalled = Fault("stall")
    proxy.choose = lambda path: stalled if path.startswith("/api/image/") else None
    image = product_with_picture(house)["image"]

    page.click("[data-do=pause]")
    expect(page.locator("[data-kept]")).to_contain_text("Paused.")
    proxy.choose = lambda path: None
    page.reload()
    until_connection(page)
    expect(page.locator("[data-kept]")).to_contain_text("Paused.")
    assert proxy.images_downloaded()[image] == 0
    page.click("[data-do=pause]")

    until_complete(page, [image])
    expect(page.locator("[data-do=pause]")).to_have_count(0)


def test_a_full_disk_is_said_where_something_cant_be_kept(
    house: House, proxy: Proxy, new_browser: "Callable[..., BrowserContext]"
) -> None:
    product = house.product()
    context = new_browser(proxy.url)
    context.add_cookies([{"name": COOKIE, "value": house.a_token(), "url": proxy.url}])
    page = context.new_page()
    # Before anything is written: Chromium remembers for half a minute how much room there is.
    quota = {"origin": proxy.url, "quotaSize": 4_000_000}
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
    page.goto(f"{proxy.url}/terminal/#/menu")
    until_connection(page)
    page.evaluate(FILL)
    page.fill("[data-search]", product["name"])
    card = page.locator(f"[data-product='{product['id']}']")
    said = page.locator("[data-notice=failed]")

    card.locator(".card-tap").click()
    expect(said).to_contain_text("This couldn't be kept.")
    assert page.evaluate("redcoral.tickets.getSnapshot()") == []
    said.locator("button").click()
    card.locator(".card-info").click()
    page.click("[data-sheet] [aria-pressed]")
    expect(page.locator("[data-sheet] [data-notice=failed]")).to_be_visible()
    page.click("[data-sheet] [data-add]")
    expect(page.locator("[data-sheet]")).to_have_count(0)
    expect(said).to_be_visible()
    assert page.evaluate("redcoral.tickets.getSnapshot()") == []


def own(page: "Page") -> list[int]:
    """How many tickets, favourites, waiting photos and settings there are."""
    script = """() => [
      ...[redcoral.tickets, redcoral.favourites, redcoral.outbox].map((store) => store.getSnapshot().length),
      Object.keys(redcoral.settings.getSnapshot()).filter((name) => name === "theme").length,
    ]"""
    found: list[int] = page.evaluate(script)
    return found


def test_clearing_everything_names_what_is_lost_and_does_it_in_every_tab(
    open_terminal: OpenTerminal, house: House, watch: Watch
) -> None:
    watch.allow("net::ERR_FAILED")

    def sending_nothing(context: "BrowserContext") -> None:
        context.route("**/api/albums**", lambda route: route.abort())

    product = house.product()["id"]
    page = open_terminal(token=house.a_token(may_upload=True), before=sending_nothing)
    page.click(f"[data-product='{product}'] .card-tap")
    page.evaluate("(id) => redcoral.favourites.set(id, true)", product)
    page.evaluate("redcoral.settings.set('theme', 'dark')")
    add(page, camera_photo(), product)
    other = page.context.new_page()
    other.goto(page.url)
    until_connection(other)
    page.bring_to_front()
    assert own(page) == own(other) == [1, 1, 1, 1]

    page.click(".bar a[href='#/storage']")
    page.click("[data-do=clear]")
    lost = page.locator("rc-clear li")
    expect(lost).to_have_text(["1 ticket", "1 favourite", "1 photo that wasn't sent", "the settings of this device"])
    page.click("rc-clear .button >> nth=0")
    expect(lost).to_have_count(0)
    assert own(page) == [1, 1, 1, 1]
    page.click("[data-do=clear]")
    page.click("[data-do=clear-now]")

    expect(lost).to_have_count(0)
    for tab in (page, other):
        until(tab, "() => redcoral.tickets.getSnapshot().length === 0 && redcoral.outbox.getSnapshot().length === 0")
        until_connection(tab)
        until(tab, "(id) => redcoral.resources.product.get(id)", product)  # fetched again
        assert own(tab) == [0, 0, 0, 0]
        assert tab.get_attribute("html", "data-theme") is None
    until(page, "() => redcoral.device.getSnapshot()?.name")
    page.click("[data-do=clear]")
    expect(lost).to_have_text(["the settings of this device"])
    page.reload()
    until_connection(page)
    assert own(page) == [0, 0, 0, 0]
