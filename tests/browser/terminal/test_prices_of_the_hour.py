"""Prices change on the minute by themselves, by the clock of the server and in the zone of the shop."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.terminal.conftest import House, OpenTerminal

pytestmark = pytest.mark.any_database

SHOP = ZoneInfo("Europe/Madrid")
FAR = "Pacific/Auckland"


def test_a_happy_hour_begins_and_ends_on_a_device_of_another_zone(open_terminal: OpenTerminal, house: House) -> None:
    now = datetime.now(SHOP).replace(second=0, microsecond=0)
    product = house.product(price="10.00")
    begins, ends = now + timedelta(minutes=2), now + timedelta(minutes=3)
    rule = house.post(
        "/api/price-rules",
        name="Happy hour",
        adjustment="percentage",
        value="-20.00",
        scope="product",
        product=product["id"],
        time_from=begins.strftime("%H:%M:%S"),
        time_to=ends.strftime("%H:%M:%S"),
    )
    page = open_terminal(state=None, timezone_id=FAR)
    try:
        page.clock.install(time=now + timedelta(seconds=55))
        page.reload()
        page.clock.resume()
        page.wait_for_selector("[data-connection=live]")
        page.fill("[data-search]", product["name"])
        card = page.locator(f"[data-product='{product['id']}']")
        expect(card.locator("[data-price]")).to_have_attribute("data-price", "10.00")

        page.clock.fast_forward(int((begins - now).total_seconds()) * 1000 - 55_000)
        expect(card.locator("[data-price]")).to_have_attribute("data-price", "8.00")
        expect(card).to_contain_text("Happy hour")
        expect(card.locator("s")).to_contain_text("10.00")
        page.clock.fast_forward(61_000)
        expect(card.locator("[data-price]")).to_have_attribute("data-price", "10.00")
        expect(card.locator("s")).to_have_count(0)
    finally:
        house.manager.delete(f"/api/price-rules/{rule['id']}")


def test_a_device_whose_clock_is_an_hour_off_takes_the_servers_time(open_terminal: OpenTerminal, house: House) -> None:
    now = datetime.now(SHOP)
    product = house.product(price="10.00")
    rule = house.post(
        "/api/price-rules",
        name="This half hour",
        adjustment="set",
        value="7.00",
        scope="product",
        product=product["id"],
        time_from=(now - timedelta(minutes=15)).strftime("%H:%M:00"),
        time_to=(now + timedelta(minutes=15)).strftime("%H:%M:00"),
    )
    page = open_terminal(state=None)
    try:
        page.clock.install(time=now - timedelta(hours=1))
        page.reload()
        page.clock.resume()
        page.wait_for_selector("[data-connection=live]")
        page.fill("[data-search]", product["name"])

        price = page.locator(f"[data-product='{product['id']}'] [data-price]")
        expect(price).to_have_attribute("data-price", "7.00")
    finally:
        house.manager.delete(f"/api/price-rules/{rule['id']}")
