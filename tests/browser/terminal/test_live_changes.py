"""What a manager changes is there in a blink, and only its card is drawn again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.terminal.conftest import House, OpenTerminal
from tests.browser.terminal.drawing import drawn, listen_to_drawing, unique

pytestmark = pytest.mark.any_database

ELSEWHERE = {"rc-indicator", "rc-changes"}


def category_of(house: House, count: int, **values: object) -> tuple[str, list[str]]:
    """A new category, and so many products in it."""
    category = house.post("/api/categories", name=f"Kitchen {unique()}")["id"]
    products = [
        house.post("/api/products", name=f"Dish {number}", price="3.80", category=category, position=number, **values)
        for number in range(count)
    ]
    return category, [product["id"] for product in products]


def test_a_price_a_sold_out_dish_a_new_one_and_a_deleted_one_arrive_with_one_card_drawn(
    open_terminal: OpenTerminal, house: House
) -> None:
    category, (first, second, third) = category_of(house, 3)
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    card = page.locator(f"[data-product='{second}']")
    expect(card.locator("[data-price]")).to_have_attribute("data-price", "3.80")
    expect(page.locator("[data-product]")).to_have_count(3)
    listen_to_drawing(page)

    house.change(second, price="4.20")
    expect(card.locator("[data-price]")).to_have_attribute("data-price", "4.20")
    expect(card).to_have_class(re.compile("changed"))
    assert drawn(page, quiet=3) <= {second, *ELSEWHERE}
    expect(card).not_to_have_class(re.compile("changed"))
    assert page.locator("rc-indicator [role=status]").inner_text() == "Dish 1: €3.80 → €4.20"

    house.change(second, is_sold_out=True)
    expect(card).to_have_attribute("data-sold-out", "")
    expect(card).to_contain_text("Sold out")
    assert drawn(page, quiet=3) <= {second, *ELSEWHERE}

    new = house.post("/api/products", name="Dish of today", price="9.00", category=category, position=1)["id"]
    expect(page.locator(f"[data-product='{new}']")).to_be_visible()
    assert drawn(page, quiet=3) <= {new, *ELSEWHERE, "div.window", "div.canvas"}

    house.delete(third)
    expect(page.locator(f"[data-product='{third}']")).to_have_count(0)
    assert drawn(page, quiet=3) <= {third, *ELSEWHERE, "div.window", "div.canvas"}
    assert page.locator("[data-product]").evaluate_all("(cards) => cards.map((card) => card.dataset.product)") == [
        first,
        second,
        new,
    ]


def test_a_new_photo_is_shown_as_soon_as_it_is_the_products(open_terminal: OpenTerminal, house: House) -> None:
    category, (first, second) = category_of(house, 2)
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    expect(page.locator("[data-product]")).to_have_count(2)
    listen_to_drawing(page)
    hash, _bytes = house.image()

    house.change(first, image=hash)

    picture = page.locator(f"[data-product='{first}'] img[data-hash='{hash}']")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (image) => (await image.decode(), image.naturalWidth)") > 0
    assert drawn(page) <= {first, *ELSEWHERE}
    assert page.locator(f"[data-product='{second}'] img").count() == 0


def test_what_changed_is_listed(open_terminal: OpenTerminal, house: House) -> None:
    category, (first, _second) = category_of(house, 2)
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    price = page.locator(f"[data-product='{first}'] [data-price]")
    expect(price).to_have_attribute("data-price", "3.80")

    house.change(first, price="4.20")
    expect(price).to_have_attribute("data-price", "4.20")  # or both would be one entry
    house.change(first, is_sold_out=True)
    page.evaluate("document.body.append(document.createElement('rc-changes'))")

    rows = page.locator("body > rc-changes [data-change]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("sold out")
    expect(rows.nth(1)).to_contain_text("€3.80 → €4.20")


def test_a_dish_that_is_sold_out_while_it_is_on_the_open_ticket_is_a_notice(
    open_terminal: OpenTerminal, house: House
) -> None:
    category, (first, second) = category_of(house, 2)
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    page.click(f"[data-product='{first}'] .card-tap")
    expect(page.locator(f"[data-product='{first}'] .count")).to_be_visible()

    house.change(second, is_sold_out=True)
    expect(page.locator(f"[data-product='{second}']")).to_have_attribute("data-sold-out", "")
    assert page.locator("[data-notice='sold-out']").count() == 0
    house.change(first, is_sold_out=True)

    expect(page.locator("[data-notice='sold-out']")).to_contain_text("Dish 0")
