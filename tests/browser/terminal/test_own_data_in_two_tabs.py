"""Tickets, favourites and settings written in two tabs at once: nothing is lost, and each sees what the other did."""

from typing import TYPE_CHECKING

import pytest

from .conftest import House, OpenTerminal, until_connection

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(240)]

# So many lines, one after the other, each in a transaction of its own.
ORDER = """async ([product, name, count]) => {
  const at = `/terminal/app/${document.documentElement.dataset.build}/src/prices`;
  const { momentAt, Prices } = await import(`${at}/price.js`);
  const { offerOf, withOffer } = await import(`${at}/ticket.js`);
  const { resources, tickets } = redcoral;
  const now = Date.now();
  const prices = new Prices({ rules: [], categories: resources.category, moment: momentAt(now, "UTC") });
  const offer = offerOf({ product: resources.product.get(product), prices, at: now });
  const line = (n) => (ticket) => withOffer(ticket, offer, { id: `${name}${n}`, note: `${name}${n}` });
  await Promise.all(Array.from({ length: count }, (_, n) => tickets.change("counter", line(n))));
  for (let n = 0; n < count; n += 1) await redcoral.favourites.set(`${name}${n}`, true);
  await redcoral.settings.set(name, count);
}"""
SEEN = """(count) => redcoral.tickets.get("counter").lines.length === count
  && redcoral.favourites.getSnapshot().length === count
  && Object.keys(redcoral.settings.getSnapshot()).filter((name) => ["one", "other"].includes(name)).length === 2"""


def test_what_two_tabs_write_at_once_is_all_there(house: House, open_terminal: OpenTerminal) -> None:
    product = house.product(price="2.50")["id"]
    first = open_terminal()
    second = first.context.new_page()
    second.goto(first.url)
    until_connection(second)
    for page, name in ((first, "one"), (second, "other")):
        page.wait_for_function("(id) => redcoral.resources.product.get(id)", arg=product)
        page.evaluate(f"(of) => {{ globalThis.done = ({ORDER})(of); }}", [product, name, 20])
    for page in (first, second):
        page.evaluate("globalThis.done")
        page.wait_for_function(SEEN, arg=40)
    assert total(first) == total(second) == 40 * 250
    first.reload()
    first.wait_for_function("() => globalThis.redcoral")
    assert total(first) == 40 * 250
    second.evaluate("redcoral.tickets.clear('counter')")
    first.wait_for_function("() => redcoral.tickets.get('counter').lines.length === 0")


def total(page: "Page") -> int:
    return int(page.evaluate("redcoral.tickets.get('counter').total"))
