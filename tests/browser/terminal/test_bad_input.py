"""Whatever a server sends is shown sensibly or left out, and the console stays silent."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from devices.identity import COOKIE
from tests.browser.terminal.conftest import TERMINAL, House, until_connection, with_changed_answer
from tests.browser.terminal.drawing import unique
from tests.posclient.proxy import Proxy

pytestmark = pytest.mark.any_database

Rows = list[dict[str, Any]]
TOP, BELOW, LOST = (f"0000000{n}-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def with_values(text: str, **values: Any) -> str:
    """The JSON object with these values instead."""
    return json.dumps({**json.loads(text), **values})


@pytest.fixture
def hostile(proxy: Proxy, new_browser: Callable[..., BrowserContext], house: House) -> Callable[..., Page]:
    """Opens the page at a server whose snapshots have these rows instead."""

    def open_one(at: str = "/menu", *, shop: dict[str, str] | None = None, **rows: Rows) -> Page:
        context = new_browser(proxy.url)
        context.add_cookies([{"name": COOKIE, "value": house.a_token(), "url": proxy.url}])
        for resource, items in rows.items():
            with_changed_answer(context, f"**/api/sync/{resource}", partial(with_values, items=items))
        if shop:
            with_changed_answer(context, "**/api/shop", partial(with_values, **shop))
        page = context.new_page()
        page.goto(f"{proxy.url}{TERMINAL}#{at}")
        until_connection(page, "live")
        return page

    return open_one


def product(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": f"10000000-0000-4000-8000-{number:012}",
        "name": f"Dish {number}",
        "short_name": "",
        "kitchen_name": "",
        "sku": "",
        "barcode": "",
        "description": "",
        "price": "2.00",
        "price_type": "fixed",
        "unit": "",
        "color": "",
        "category": TOP,
        "tags": [],
        "attributes": [],
        "image": None,
        "position": number,
        "is_active": True,
        "is_sold_out": False,
        **values,
    }


def category(id: str, **values: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": f"Category {id[7]}",
        "color": "",
        "position": 0,
        "parent": None,
        "is_active": True,
        **values,
    }


def test_products_that_no_server_of_ours_sends(hostile: Callable[..., Page], house: House, proxy: Proxy) -> None:
    page = hostile(
        category=[category(TOP, parent=BELOW), category(BELOW, parent=TOP), category(LOST, parent="nowhere")],
        product=[
            product(1, price="a lot"),
            product(2, price_type="auction", unknown={"key": 1}),
            product(3, image="../../etc/passwd", color="red; background: url(x)"),
            product(4, category="nowhere", tags=None, attributes="none"),
            product(5, category=BELOW, tags=["nowhere"], attributes=["nowhere"]),
            product(6, category=LOST, name="", position=None),
            product(7, price=3, is_sold_out=None),
        ],
    )

    expect(page.locator("[data-product]")).to_have_count(7)
    assert page.locator("[data-category]").count() == 3
    for number in (1, 7):
        card = page.locator(f"[data-product$='{number:012}']")
        expect(card).to_contain_text("—")
        card.locator(".card-tap").click()
        expect(page.locator("[data-sheet] [data-add]")).to_be_disabled()
        page.keyboard.press("Escape")
    page.locator(f"[data-product$='{2:012}'] .card-tap").click()
    expect(page.locator("[data-sheet] [data-add]")).to_be_disabled()
    page.keyboard.press("Escape")
    page.locator(f"[data-product$='{5:012}'] .card-tap").click()
    expect(page.locator("rc-count .badge")).to_have_text("1")
    assert not [passed for passed in proxy.passed if "/api/image/" in passed.path]


def test_tables_and_rules_that_no_server_of_ours_sends(hostile: Callable[..., Page], house: House) -> None:
    table = {"zone": TOP, "name": "T", "seats": 2, "shape": "rectangle", "width": 80, "height": 80, "is_active": True}
    places: Rows = [
        {"x": -500, "y": -20, "rotation": 725},
        {"x": 900_000, "y": 3, "rotation": -1, "shape": "star"},
        {"x": None, "y": "here", "rotation": None, "width": 0, "height": -5, "seats": None},
        {"x": 0, "y": 0, "rotation": 0, "zone": "nowhere"},
    ]
    rule = {
        "name": "R",
        "adjustment": "percentage",
        "value": "-50.00",
        "scope": "all",
        "priority": 0,
        "is_active": True,
    }
    others: Rows = [{"scope": "zone"}, {"scope": "moon"}, {"value": "half"}, {"weekdays": None}]
    page = hostile(
        "/tables",
        shop={"time_zone": "Mars/Olympus"},
        zone=[{"id": TOP, "name": "Hall", "position": 0}],
        dining_table=[{**table, "id": f"2000000{n}-0000-4000-8000-000000000000", **at} for n, at in enumerate(places)],
        price_rule=[
            {**rule, "id": f"3000000{n}-0000-4000-8000-000000000000", "weekdays": [], "is_stackable": False, **more}
            for n, more in enumerate(others)
        ],
        category=[category(TOP)],
        product=[product(1)],
    )

    expect(page.locator(f"[data-zone='{TOP}']")).to_be_visible()
    expect(page.locator("[data-table]")).to_have_count(3)
    sizes = page.locator("[data-table]").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().width)")
    assert all(size >= 48 for size in sizes)
    page.click("[data-zone='']")
    expect(page.locator("[data-table]")).to_have_count(1)
    page.click("[data-show=list]")
    page.click("[data-table]")
    expect(page.locator("[data-product] [data-price]")).to_have_attribute("data-price", "2.00")


def test_an_empty_house_says_so_in_each_view(hostile: Callable[..., Page]) -> None:
    page = hostile(product=[], category=[], zone=[], dining_table=[])

    expect(page.locator("rc-menu")).to_contain_text("The menu is empty.")
    page.evaluate("location.hash = '#/tables'")
    expect(page.locator("rc-tables")).to_contain_text("There are no tables yet.")
    page.evaluate("location.hash = '#/ticket'")
    expect(page.locator("rc-ticket")).to_contain_text("Nothing on it yet.")


def test_twenty_thousand_products_are_few_elements(hostile: Callable[..., Page]) -> None:
    word = unique()
    page = hostile(
        category=[category(TOP)], product=[product(number, sku=f"{word}{number}") for number in range(20_000)]
    )

    expect(page.locator("[data-product]").first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
    page.fill("[data-search]", f"{word}19999")
    expect(page.locator("[data-product]")).to_have_count(1)
    page.locator("[data-search]").press("Enter")
    expect(page.locator("rc-count .badge")).to_have_text("1")


def test_a_part_that_fails_leaves_the_others(hostile: Callable[..., Page]) -> None:
    page = hostile(category=[category(TOP)], product=[product(1), product(2)])
    expect(page.locator("[data-product]")).to_have_count(2)

    page.evaluate("void (redcoral.tickets.get = () => { throw new Error('on purpose'); })")
    page.evaluate("location.hash = '#/ticket'")

    expect(page.locator("rc-ticket [data-failed]")).to_be_visible()
    expect(page.locator("[data-connection=live]")).to_be_visible()
