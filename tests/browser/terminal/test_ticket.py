"""Tickets: options, weight, open price; steppers, notes, undo; another price; another table, another zone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.terminal.conftest import House, OpenTerminal
from tests.browser.terminal.drawing import unique

pytestmark = pytest.mark.any_database


def lines(page: Page, count: int, place: str = "counter") -> list[dict[str, Any]]:
    """The lines of a ticket, once it has so many: what is told to the page is written a moment later."""
    page.wait_for_function("([place, count]) => redcoral.tickets.get(place).lines.length === count", arg=[place, count])
    found: list[dict[str, Any]] = page.evaluate("(place) => redcoral.tickets.get(place).lines", place)
    return found


def find(page: Page, product: dict[str, Any]) -> None:
    """Shows the card of a product, and nothing else."""
    page.fill("[data-search]", product["name"])
    expect(page.locator("[data-product]")).to_have_count(1)


def tap(page: Page, product: dict[str, Any]) -> None:
    find(page, product)
    page.click(f"[data-product='{product['id']}'] .card-tap")


def go(page: Page, view: str) -> None:
    page.evaluate("(view) => { location.hash = `#/${view}`; }", view)


def total(page: Page, text: str) -> None:
    expect(page.locator("[data-total]")).to_have_attribute("data-total", text)


def a_group(house: House, **values: Any) -> dict[str, Any]:
    return dict(house.post("/api/attributes", **{"name": f"Group {unique()}", **values}))


def test_a_tap_adds_and_the_ticket_counts(open_terminal: OpenTerminal, house: House) -> None:
    one, other = house.product(price="4.20"), house.product(price="0.35")
    page = open_terminal()
    tap(page, one)
    tap(page, one)
    tap(page, other)
    expect(page.locator("rc-count .badge")).to_have_text("3")

    go(page, "ticket")

    expect(page.locator("[data-ticket='counter'] [data-line]")).to_have_count(2)
    total(page, "8.75")
    expect(page.locator("[data-ticket]")).to_contain_text("On this device only, not an order.")
    first = page.locator("[data-line]").first
    first.locator("[data-do='more-of-it']").click()
    total(page, "12.95")
    first.locator("[data-do=less]").click()
    total(page, "8.75")
    page.locator("[data-line]").nth(1).locator("[data-do=less]").click()
    total(page, "8.40")
    page.click("[data-notice=undo] .button >> nth=0")
    total(page, "8.75")
    assert [line["product"] for line in lines(page, 2)] == [one["id"], other["id"]]
    page.reload()
    total(page, "8.75")


def test_options_that_must_be_chosen_are_asked_and_what_is_sold_out_cant_be(
    open_terminal: OpenTerminal, house: House
) -> None:
    size = a_group(
        house,
        is_required=True,
        options=[{"name": "Small"}, {"name": "Large", "price_change": "1.10"}, {"name": "Huge", "is_sold_out": True}],
    )
    extras = a_group(
        house,
        choice="many",
        max=2,
        free=1,
        options=[{"name": name, "price_change": "0.50"} for name in ("Oat", "Cocoa", "Cream")],
    )
    product = house.product(price="3.00", attributes=[size["id"], extras["id"]])
    small, large, huge = (option["id"] for option in size["options"])
    oat, cocoa, cream = (option["id"] for option in extras["options"])
    page = open_terminal()
    tap(page, product)

    sheet = page.locator("[data-sheet]")
    sheet.locator("[data-add]").click()
    expect(sheet.locator(".wrong")).to_have_count(1)
    expect(sheet.locator(f"[data-option='{huge}'] input")).to_be_disabled()
    for option in (small, large, oat, cocoa, cream):
        sheet.locator(f"[data-option='{option}']").click()
    expect(sheet.locator("[data-option] input:checked")).to_have_count(3)
    expect(sheet.locator("[data-add]")).to_have_attribute("data-add", "4.60")
    sheet.locator("[data-add]").click()

    expect(sheet).to_have_count(0)
    assert [(option["name"], option["amount"]) for option in lines(page, 1)[0]["options"]] == [
        ("Large", 110),
        ("Oat", 0),
        ("Cocoa", 50),
    ]
    go(page, "ticket")
    page.click("[data-line] [data-do=edit]")
    page.click(f"[data-sheet] [data-option='{cocoa}']")
    page.fill("#sheet-note", "hot <b>please</b>")
    page.click("[data-sheet] [data-add]")
    total(page, "4.10")
    expect(page.locator("[data-line]")).to_contain_text("hot <b>please</b>")


def test_a_group_that_cant_be_satisfied_says_so_and_nothing_is_added(open_terminal: OpenTerminal, house: House) -> None:
    group = a_group(house, choice="many", min=2, options=[{"name": "Only one"}, {"name": "Gone", "is_sold_out": True}])
    product = house.product(attributes=[group["id"]])
    page = open_terminal()
    tap(page, product)

    expect(page.locator("[data-sheet] .wrong")).to_contain_text("Nothing that can be chosen here is left.")
    expect(page.locator("[data-sheet] [data-add]")).to_be_disabled()


def test_by_weight_and_with_an_open_price(open_terminal: OpenTerminal, house: House) -> None:
    fish = house.product(price="24.00", price_type="weight", unit="kg")
    special = house.product(price="0.00", price_type="open")
    page = open_terminal()
    tap(page, fish)
    page.click("[data-sheet] [data-add]")
    expect(page.locator("[data-problem=weight]")).to_be_visible()
    page.fill("#sheet-weight", "0,35")
    expect(page.locator("[data-add]")).to_have_attribute("data-add", "8.40")
    page.click("[data-sheet] [data-add]")
    tap(page, special)
    page.fill("#sheet-price", "twelve")
    page.click("[data-sheet] [data-add]")
    expect(page.locator("[data-problem=price]")).to_be_visible()
    page.fill("#sheet-price", "12.5")
    page.press("#sheet-price", "Enter")  # as a phone's keyboard does, too

    go(page, "ticket")
    total(page, "20.90")
    expect(page.locator("[data-line]").first).to_contain_text("0.35 kg at €24.00")


def test_a_line_keeps_what_was_told_and_offers_todays_price(open_terminal: OpenTerminal, house: House) -> None:
    product, gone = house.product(price="3.80"), house.product(price="1.00")
    page = open_terminal()
    tap(page, product)
    tap(page, gone)
    go(page, "ticket")
    total(page, "4.80")

    house.change(product["id"], price="4.20")
    house.delete(gone["id"])

    offer = page.locator("[data-line] [data-notice='new-price']")
    expect(offer).to_contain_text("€4.20")
    expect(page.locator("[data-line] [data-notice=gone]")).to_be_visible()
    total(page, "4.80")
    page.click("[data-line] [data-do=edit] >> nth=0")
    page.fill("#sheet-note", "no ice")
    page.click("[data-add='3.80']")
    expect(page.locator("[data-line] .note")).to_contain_text("no ice")
    total(page, "4.80")
    offer.locator("button").click()
    total(page, "5.20")
    expect(offer).to_have_count(0)


def test_prices_follow_the_zone_of_the_table_and_a_ticket_that_moves_is_asked_about(
    open_terminal: OpenTerminal, house: House
) -> None:
    inside, terrace = (house.post("/api/zones", name=f"{name} {unique()}")["id"] for name in ("Inside", "Terrace"))
    table, sunny = (
        house.post("/api/dining-tables", zone=zone, name=f"T{unique()}"[:30])["id"] for zone in (inside, terrace)
    )
    product = house.product(price="4.00")
    house.post("/api/price-rules", name="Service", adjustment="amount", value="0.50", scope="zone", zone=terrace)
    page = open_terminal("/tables")
    page.click(f"[data-zone='{inside}']")
    page.click(f"[data-table='{table}']")
    find(page, product)
    price = page.locator(f"[data-product='{product['id']}'] [data-price]")
    expect(price).to_have_attribute("data-price", "4.00")
    page.click(f"[data-product='{product['id']}'] .card-tap")
    expect(page.locator("rc-count .badge")).to_have_text("1")

    go(page, "tables")
    page.click(f"[data-zone='{terrace}']")
    page.click(f"[data-table='{sunny}']")
    find(page, product)
    expect(price).to_have_attribute("data-price", "4.50")
    card = page.locator(f"[data-product='{product['id']}']")
    expect(card).to_contain_text("Service")
    expect(card.locator("s")).to_contain_text("€4.00")
    expect(page.locator("rc-place")).to_contain_text("Service")  # it counts for all here: seen once, not on every card
    assert page.locator("[data-product] .pill").all_inner_texts() == ["1×"] * page.locator(".pill.count").count()
    go(page, "tables")
    page.click(f"[data-zone='{inside}']")
    expect(page.locator(f"[data-table='{table}'] [data-sum]")).to_have_attribute("data-sum", "4.00")
    page.click(f"[data-table='{table}']")
    total(page, "4.00")

    for answer, sum in (("no", "4.00"), ("yes", "4.50")):
        if answer == "yes":
            page.click("[data-do=more]")
            page.click("[data-do=move]")
            page.click(f"[data-move='{table}']")
            total(page, "4.00")
        page.click("[data-do=more]")
        page.click("[data-do=move]")
        page.click(f"[data-move='{sunny}']")
        page.click(f"[data-notice='zone-prices'] [data-do={answer}]")
        expect(page.locator(f"[data-ticket='{sunny}']")).to_be_visible()
        total(page, sum)
    assert lines(page, 0, table) == []


def test_a_ticket_is_cleared_with_a_way_back_and_copied_as_text(open_terminal: OpenTerminal, house: House) -> None:
    product = house.product(price="4.20")
    page = open_terminal(permissions=["clipboard-read", "clipboard-write"])
    tap(page, product)
    go(page, "ticket")
    total(page, "4.20")

    page.click("[data-do=more]")
    page.click("[data-do=copy]")
    expect(page.locator("[data-notice=copied]")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    assert f"1 × {product['name']}  €4.20" in text
    assert "not an order" in text
    page.click("[data-do=more]")
    page.click("[data-do=clear]")
    total(page, "0.00")
    page.click("[data-notice=undo] .button >> nth=0")
    total(page, "4.20")


def test_a_ticket_is_moved_to_a_table_that_is_found_below_its_zone(open_terminal: OpenTerminal, house: House) -> None:
    zones = [house.post("/api/zones", name=f"{name} {unique()}") for name in ("Patio", "Cellar")]
    tables = {
        zone["id"]: [house.post("/api/dining-tables", zone=zone["id"], name=name)["id"] for name in ("10", "9")]
        for zone in zones
    }
    product = house.product(price="4.20")
    page = open_terminal()
    tap(page, product)
    go(page, "ticket")
    page.click("[data-do=more]")
    page.click("[data-do=move]")

    for zone in zones:
        group = page.get_by_role("group", name=zone["name"], exact=True)
        assert group.locator("[data-move]").all_inner_texts() == ["9", "10"]
        expect(page.locator("rc-actions h3", has_text=zone["name"])).to_be_visible()
    assert page.locator("[data-move='counter']").count() == 0  # it is there
    page.click(f"[data-move='{tables[zones[1]['id']][0]}']")
    total(page, "4.20")
    expect(page.locator(f"[data-ticket='{tables[zones[1]['id']][0]}'] [data-line]")).to_have_count(1)
    page.click("[data-do=more]")
    page.click("[data-do=move]")
    expect(page.locator("[data-move='counter']")).to_be_visible()


def test_a_ticket_is_shared_and_printed_with_all_that_is_on_it(open_terminal: OpenTerminal, house: House) -> None:
    product = house.product(price="4.20")
    stubs = """
      globalThis.shared = []; globalThis.printed = 0;
      navigator.share = async (what) => {
        shared.push(what.text);
        if (shared.length > 1) throw new DOMException("no", shared.length > 2 ? "NotAllowedError" : "AbortError");
      };
      globalThis.print = () => { printed += 1; };
    """
    page = open_terminal(color_scheme="dark", before=lambda context: context.add_init_script(stubs))
    tap(page, product)
    tap(page, product)
    go(page, "ticket")
    total(page, "8.40")

    def do(what: str) -> None:
        page.click("[data-do=more]")
        page.click(f"[data-do={what}]")
        expect(page.locator("dialog")).to_have_count(0)

    do("share")
    page.wait_for_function("shared.length === 1")
    text = page.evaluate("shared[0]")
    assert f"2 × {product['name']}  €8.40" in text
    assert "Counter" in text
    assert "not an order" in text
    do("share")  # and thinks better of it
    expect(page.locator("[data-notice=failed]")).to_have_count(0)
    do("share")  # the system doesn't let it
    expect(page.locator("[data-notice=failed]")).to_be_visible()
    do("print")
    page.wait_for_function("printed === 1")

    page.emulate_media(media="print")
    paper = page.locator("rc-ticket")
    for shown in ("h2", ".what strong", ".does .sum", ".does output", "[data-total]", ".no-order"):
        expect(paper.locator(shown)).to_be_visible()
    for hidden in (".bar", ".top", ".does button", ".ticket-head button", "rc-toasts"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    for part in ("h2", ".what small", ".sum"):
        assert paper.locator(part).first.evaluate("(one) => getComputedStyle(one).color") == "rgb(0, 0, 0)"


def test_a_table_that_is_deleted_keeps_its_ticket(open_terminal: OpenTerminal, house: House) -> None:
    zone = house.post("/api/zones", name=f"Zone {unique()}")["id"]
    table = house.post("/api/dining-tables", zone=zone, name="Lost")["id"]
    product = house.product(price="4.20")
    page = open_terminal("/tables")
    page.click(f"[data-zone='{zone}']")
    page.click(f"[data-table='{table}']")
    tap(page, product)
    expect(page.locator("rc-count .badge")).to_have_text("1")

    house.manager.delete(f"/api/dining-tables/{table}").raise_for_status()
    go(page, "tables")

    page.click(f"[data-place='{table}']:has-text('Lost')")
    total(page, "4.20")
