"""Everything can be done by the keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.terminal.conftest import House, OpenTerminal
from tests.browser.terminal.drawing import unique

pytestmark = pytest.mark.any_database


def tab_to(page: Page, selector: str, *, at_most: int = 80) -> None:
    """Presses Tab until the focus is there."""
    for _press in range(at_most):
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab doesn't come to {selector}")


def test_from_the_menu_to_a_ticket_with_options_by_keys(open_terminal: OpenTerminal, house: House) -> None:
    group = house.post(
        "/api/attributes",
        name=f"Size {unique()}",
        is_required=True,
        options=[{"name": "Small"}, {"name": "Large", "price_change": "1.00"}],
    )
    large = group["options"][1]["id"]
    product = house.product(price="3.00", attributes=[group["id"]])
    page = open_terminal()
    expect(page.locator("[data-product]").first).to_be_visible()

    page.keyboard.type(product["name"])
    expect(page.locator("[data-product]")).to_have_count(1)
    tab_to(page, f"[data-product='{product['id']}'] .card-tap")
    page.keyboard.press("Enter")
    expect(page.locator("[data-sheet]")).to_be_visible()
    tab_to(page, "[data-option] input")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"[data-option='{large}'] input")).to_be_checked()
    tab_to(page, "[data-add]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-sheet]")).to_have_count(0)
    assert page.evaluate("document.activeElement.className") == "card-tap"

    tab_to(page, ".bar a[href='#/ticket']")
    page.keyboard.press("Enter")
    expect(page.locator("[data-total]")).to_have_attribute("data-total", "4.00")
    tab_to(page, "[data-do='more-of-it']")
    page.keyboard.press("Enter")
    expect(page.locator("[data-total]")).to_have_attribute("data-total", "8.00")


def test_a_sheet_keeps_the_focus_and_escape_closes_it(open_terminal: OpenTerminal, house: House) -> None:
    product = house.product()
    page = open_terminal()
    page.fill("[data-search]", product["name"])
    page.click(f"[data-product='{product['id']}'] .card-info")
    expect(page.locator("[data-sheet]")).to_be_visible()
    page.keyboard.type("4006381333931")  # a scanner doesn't know that a sheet is open
    page.keyboard.press("Enter")
    expect(page.locator("[data-sheet]")).to_be_visible()
    assert page.evaluate("redcoral.favourites.getSnapshot().concat(redcoral.tickets.getSnapshot())") == []

    for _press in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")

    expect(page.locator("[data-sheet]")).to_have_count(0)


def test_zones_are_walked_through_by_arrows(open_terminal: OpenTerminal, house: House) -> None:
    first, second = sorted(house.post("/api/zones", name=f"Z{unique()}{n}", position=-5)["name"] for n in "ab")
    page = open_terminal("/tables")
    page.click(f"[role=tab]:has-text('{first}')")

    page.keyboard.press("ArrowRight")

    expect(page.locator("[role=tab][aria-selected=true]")).to_have_text(second)
