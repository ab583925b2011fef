"""Every view for everybody: WCAG 2.2 AA as far as axe sees it, narrow screens, and three languages that fit."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import House, OpenTerminal, Watch
from .looking import until_shown

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.any_database

VIEWS = ("menu", "tables", "ticket", "storage", "more", "enrol")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

# What is wider than its place: [tag, class, text] of each. Not what scrolls, and names that are cut on purpose.
TOO_WIDE = """() => {
const NAMES = ".visually-hidden, svg, .card, .table, .chip[data-category]";
return [...document.querySelectorAll("body *")].filter((element) => {
  const { overflowX, display } = getComputedStyle(element);
  if (display === "inline" || display === "none" || !element.checkVisibility()) return false;
  if (["auto", "scroll"].includes(overflowX) || element.closest(NAMES)) return false;
  return element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
}).map((element) => [element.tagName, element.className, element.textContent.trim().slice(0, 60)]); }"""


@pytest.fixture(scope="module")
def furnished(house: House) -> House:
    """A shop with something of everything to look at."""
    zone = house.post("/api/zones", name="Terraza")["id"]
    for number in range(3):
        house.post("/api/dining-tables", zone=zone, name=f"T{number}", x=number * 120, y=40, width=80, height=80)
    diet = house.post("/api/tags", name="Vegano", kind="diet")["id"]
    choice = house.post(
        "/api/attributes",
        name="Guarnición",
        choice="one",
        is_required=True,
        options=[{"name": "Patatas", "price_change": "0.00"}, {"name": "Ensalada", "price_change": "1.50"}],
    )["id"]
    house.product(
        name="Filete con guarnición", price="14.50", attributes=[choice], tags=[diet], description="De ternera."
    )
    house.product(name="Agotado hoy", is_sold_out=True)
    house.product(name="Merluza", price="28.00", price_type="weight", unit="kg")
    house.post("/api/price-rules", name="Menos", adjustment="percentage", value="-10.00", scope="all")
    return house


def views(page: "Page") -> Iterator[str]:
    """Goes through all views, and the sheet of a product."""
    for view in VIEWS:
        page.evaluate("view => { location.hash = `#/${view}`; }", view)
        page.wait_for_selector(f"main > rc-{view}")
        page.wait_for_timeout(200)
        yield view
    page.evaluate("location.hash = '#/menu'")
    page.click("[data-product] >> text=Filete con guarnición")
    page.wait_for_selector("[data-sheet]")
    yield "sheet"
    page.keyboard.press("Escape")


def violations(page: "Page") -> list[Any]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [(each["id"], [node["html"][:160] for node in each["nodes"]][:4]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_keeps_anybody_out(open_terminal: OpenTerminal, furnished: House, scheme: str) -> None:
    page = open_terminal(color_scheme=scheme)
    found = {view: wrong for view in views(page) if (wrong := violations(page))}

    assert found == {}


def test_every_view_fits_320_pixels(open_terminal: OpenTerminal, furnished: House) -> None:
    page = open_terminal(viewport={"width": 320, "height": 640})
    too_wide = {}
    for view in views(page):
        if page.evaluate("document.scrollingElement.scrollWidth > 320"):
            too_wide[view] = "the page"
        elif wide := page.evaluate(TOO_WIDE):
            too_wide[view] = wide
        if view == "more":  # no word is broken
            heights = page.locator("[data-language]").evaluate_all("(all) => all.map((one) => one.offsetHeight)")
            assert max(heights) < 60

    assert too_wide == {}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(("language", "menu"), [("en", "Menu"), ("es", "Carta"), ("zh-hans", "菜单")])
def test_the_page_speaks_three_languages_and_they_fit(
    open_terminal: OpenTerminal, furnished: House, watch: Watch, language: str, menu: str, width: int
) -> None:
    page = open_terminal("/more", viewport={"width": width, "height": 844})
    page.click(f"[data-language='{language}']")
    page.wait_for_selector(f".bar a:has-text('{menu}')")

    assert str(page.get_attribute("html", "lang")).lower() == language
    assert {view: wide for view in views(page) if (wide := page.evaluate(TOO_WIDE))} == {}
    page.reload()
    page.wait_for_selector(f".bar a:has-text('{menu}')")


@pytest.mark.parametrize(("locale", "menu"), [("es-MX", "Carta"), ("zh-CN", "菜单"), ("de-DE", "Menu")])
def test_the_language_is_the_browsers_unless_chosen(open_terminal: OpenTerminal, locale: str, menu: str) -> None:
    page = open_terminal(locale=locale)

    page.wait_for_selector(f".bar a:has-text('{menu}')")


def test_nothing_to_tap_or_read_lies_under_the_notch_or_the_bar_of_a_phone(
    furnished: House, open_terminal: OpenTerminal
) -> None:
    page = open_terminal()
    insets = {"top": 47, "bottom": 34, "left": 0, "right": 0}
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})

    for selector in ("header.top button", "nav.bar a"):
        for box in page.locator(selector).evaluate_all("all => all.map((one) => one.getBoundingClientRect().toJSON())"):
            assert box["top"] >= 47, selector
            assert box["bottom"] <= page.viewport_size["height"] - 34, selector  # type: ignore[index]


@pytest.mark.parametrize(("wish", "moves"), [("reduce", False), ("no-preference", True)])
def test_what_moves_holds_still_for_who_wants_that(
    wish: str, moves: bool, furnished: House, open_terminal: OpenTerminal
) -> None:
    product = furnished.product(name="Sopa", price="4.00")["id"]
    page = open_terminal(reduced_motion=wish)
    page.wait_for_selector(f"[data-product='{product}']")
    page.evaluate("addEventListener('animationstart', () => { globalThis.moved = true; }, true)")

    furnished.change(product, price="4.50")
    until_shown(page, product, price="4.50")

    page.wait_for_timeout(300)
    assert page.evaluate("globalThis.moved === true") is moves
