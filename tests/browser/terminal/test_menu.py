"""The menu: categories, cards, search, a scanner, filters; whatever the catalogue has in it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.terminal.conftest import House, OpenTerminal
from tests.browser.terminal.drawing import unique
from tests.browser.terminal.looking import until
from tests.browser.terminal.pictures import product_with_picture
from tests.posclient.proxy import Proxy

pytestmark = pytest.mark.any_database


def shown(page: Page) -> list[str]:
    """The names on the cards, in their order."""
    return page.locator("[data-product] .card-name").all_inner_texts()


def test_a_category_shows_what_is_in_it_and_below_it_but_nothing_inactive(
    open_terminal: OpenTerminal, house: House
) -> None:
    name = unique()
    drinks = house.post("/api/categories", name=f"Drinks {name}")["id"]
    wine = house.post("/api/categories", name=f"Wine {name}", parent=drinks)["id"]
    cellar = house.post("/api/categories", name=f"Cellar {name}", parent=wine, is_active=False)["id"]
    products: list[tuple[str, str, dict[str, Any]]] = [
        (drinks, "Water", {}),
        (wine, "Rioja", {"short_name": "Rio"}),
        (wine, "Off", {"is_active": False}),
        (cellar, "Hidden", {}),
    ]
    for category, product, values in products:
        house.post("/api/products", name=product, price="2.00", category=category, **values)
    page = open_terminal()

    page.click(f"[data-category='{drinks}']")
    expect(page.locator("[data-product]")).to_have_count(2)
    assert shown(page) == ["Water", "Rio"]
    page.click(f"[data-category='{wine}']")
    expect(page.locator("[data-product]")).to_have_count(1)
    assert page.locator(f"[data-category='{cellar}']").count() == 0


def test_search_knows_words_accents_numbers_and_parts_of_chinese_names(
    open_terminal: OpenTerminal, house: House
) -> None:
    word = unique()
    category = house.post("/api/categories", name=f"Search {word}")["id"]
    for name, values in {
        f"Crème brûlée {word}": {"sku": f"K{word}1", "kitchen_name": "BRULEE"},
        f"Coffee {word}": {"sku": f"K{word}", "barcode": f"40{word}"},
        f"宫保鸡丁{word}": {},
    }.items():
        house.post("/api/products", name=name, price="2.00", category=category, **values)
    page = open_terminal()

    for query, names in [
        (f"{word} CREME", [f"Crème brûlée {word}"]),
        (f"brulee {word}", [f"Crème brûlée {word}"]),
        (f"鸡丁{word}", [f"宫保鸡丁{word}"]),
        (f"k{word}", [f"Coffee {word}", f"Crème brûlée {word}"]),
    ]:
        page.fill("[data-search]", query)
        expect(page.locator("[data-product]")).to_have_count(len(names))
        assert shown(page) == names


def test_a_scanner_adds_what_it_reads_wherever_the_focus_is(open_terminal: OpenTerminal, house: House) -> None:
    barcode = f"59{unique()}"
    product = house.product(barcode=barcode)
    house.product(barcode=f"{barcode}7")
    page = open_terminal()
    page.evaluate("document.activeElement.blur()")

    for _twice in range(2):
        page.keyboard.type(barcode)
        page.keyboard.press("Enter")
        expect(page.locator("[data-search]")).to_have_value("")
    page.keyboard.type("0000 no such number")
    page.keyboard.press("Enter")

    expect(page.locator("[data-notice='not-found']")).to_be_visible()
    page.wait_for_function(
        """(id) => {
          const { lines } = redcoral.tickets.get("counter");
          return lines.length === 1 && lines[0].product === id && lines[0].quantity === 2;
        }""",
        arg=product["id"],
    )


def test_words_that_found_something_are_gone_when_the_next_are_typed(open_terminal: OpenTerminal, house: House) -> None:
    barcode = f"58{unique()}"
    product, scanned = house.product(), house.product(barcode=barcode)
    page = open_terminal()
    search = page.locator("[data-search]")
    card = page.locator(f"[data-product='{product['id']}'] .card-tap")

    search.fill(product["name"])
    card.dispatch_event("click")  # a phone leaves the focus in the field
    assert not search.evaluate("(input) => input === document.activeElement")  # and its keyboard would stay
    card.click()  # two of it: the card stays where it is
    expect(page.locator("rc-count .badge")).to_have_text("2")
    expect(search).to_have_value(product["name"])
    page.keyboard.type(barcode)
    expect(search).to_have_value(barcode)
    page.keyboard.press("Enter")
    expect(page.locator("rc-count .badge")).to_have_text("3")

    search.fill(product["name"])
    card.click()
    search.click()
    expect(search).to_have_value("")
    assert page.evaluate("redcoral.tickets.get('counter').lines.map((line) => line.product)") == [
        product["id"],
        scanned["id"],
    ]


def test_what_is_added_from_a_sheet_ends_the_search_that_found_it(open_terminal: OpenTerminal, house: House) -> None:
    fish = house.product(price="24.00", price_type="weight", unit="kg")
    page = open_terminal()
    search = page.locator("[data-search]")
    search.fill(fish["name"])
    page.click(f"[data-product='{fish['id']}'] .card-tap")
    page.click("[data-sheet] [aria-label=Close]")
    expect(search).to_have_value(fish["name"])
    page.click(f"[data-product='{fish['id']}'] .card-tap")
    page.fill("#sheet-weight", "0.5")
    page.click("[data-sheet] [data-add]")

    expect(search).to_have_value("")
    expect(page.locator("rc-count .badge")).to_have_text("1")


def test_filters_by_diet_and_allergen(open_terminal: OpenTerminal, house: House) -> None:
    name = unique()
    vegan = house.post("/api/tags", name=f"Vegan {name}", kind="diet")["id"]
    nuts = house.post("/api/tags", name=f"Nuts {name}", kind="allergen")["id"]
    category = house.post("/api/categories", name=f"Filters {name}")["id"]
    for product, tags in {"Apple": [vegan], "Muesli": [vegan, nuts], "Steak": []}.items():
        house.post("/api/products", name=product, price="2.00", category=category, tags=tags)
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    expect(page.locator("[data-product]")).to_have_count(3)

    page.click("[data-do=look]")
    page.click(f"[data-tag='{vegan}']")
    page.click(f"[data-tag='{nuts}']")
    page.keyboard.press("Escape")

    expect(page.locator("[data-product]")).to_have_count(1)
    assert shown(page) == ["Apple"]


def test_favourites_and_what_was_used_last_are_lists_of_their_own(open_terminal: OpenTerminal, house: House) -> None:
    first, second = house.product(), house.product()
    page = open_terminal()
    page.fill("[data-search]", first["name"])
    page.click(f"[data-product='{first['id']}'] .card-info")
    page.click("[data-sheet] [aria-pressed=false]")
    page.click("[data-sheet] [aria-label=Close]")
    page.fill("[data-search]", second["name"])
    page.click(f"[data-product='{second['id']}'] .card-tap")

    page.click("[data-list=favourites]")
    expect(page.locator(f"[data-product='{first['id']}']")).to_be_visible()
    assert shown(page) == [first["name"]]
    page.click("[data-list=recent]")
    expect(page.locator(f"[data-product='{second['id']}']")).to_be_visible()
    assert shown(page) == [second["name"]]
    page.reload()
    page.click("[data-list=favourites]")
    expect(page.locator(f"[data-product='{first['id']}']")).to_be_visible()


def test_a_long_press_opens_the_sheet_and_adds_nothing(open_terminal: OpenTerminal, house: House) -> None:
    product = house.product(description="With a lot of cinnamon.")
    page = open_terminal()
    page.fill("[data-search]", product["name"])
    card = page.locator(f"[data-product='{product['id']}'] .card-tap")

    card.click(delay=900)  # milliseconds

    expect(page.locator("[data-sheet]")).to_contain_text("With a lot of cinnamon.")
    page.keyboard.press("Escape")
    expect(page.locator("[data-sheet]")).to_have_count(0)
    assert page.evaluate("redcoral.tickets.getSnapshot()") == []


def test_larger_tiles_have_wider_pictures_and_stay_so(open_terminal: OpenTerminal, house: House, proxy: Proxy) -> None:
    product = product_with_picture(house)
    page = open_terminal()
    page.fill("[data-search]", product["name"])
    picture = page.locator(f"[data-product='{product['id']}'] img")
    width = "(image) => image.decode().then(() => image.naturalWidth)"
    assert picture.evaluate(width) == 320
    tile = picture.bounding_box()

    page.click("[data-do=look]")
    page.click("[data-size=l]")
    page.keyboard.press("Escape")

    until(page, "(hash) => redcoral.images.bytes.get(hash)?.width >= 640", product["image"])
    page.reload()
    page.fill("[data-search]", product["name"])
    larger = picture.bounding_box()
    assert tile is not None
    assert larger is not None
    assert larger["width"] > 1.5 * tile["width"]
    assert picture.evaluate(width) == 640
    asked = [each.query for each in proxy.asked_below(f"/api/image/{product['image']}")]
    assert asked == ["w=320&format=webp", "w=640&format=webp"]


def test_names_with_html_and_without_blanks_are_texts_and_stay_in_their_cards(
    open_terminal: OpenTerminal, house: House
) -> None:
    name = f"<img src=x onerror=alert(1)>{unique()}"
    long = "W" * 180 + unique()
    category = house.post("/api/categories", name=f"<b>{long}</b>"[:60])["id"]
    for one in (name, long):
        house.post("/api/products", name=one, price="2.00", category=category, description="<script>1</script>")
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    expect(page.locator("[data-product]")).to_have_count(2)

    assert shown(page) == [name, long]
    page.click("[data-product] >> nth=0 >> .card-info")
    expect(page.locator("[data-sheet]")).to_contain_text("<script>1</script>")
    assert page.locator("[data-sheet] h2").inner_text() == name
    assert page.locator("body img[src=x]").count() == 0
    elements = page.locator("body :not(.chips, .chips *)")
    wide = "(all) => all.filter((one) => one.scrollWidth > innerWidth + 1).map((one) => one.className)"
    assert elements.evaluate_all(wide) == []


def test_only_the_rows_near_the_view_are_in_the_page_and_the_place_is_kept(
    open_terminal: OpenTerminal, house: House
) -> None:
    category = house.post("/api/categories", name=f"Long {unique()}")["id"]
    for number in range(150):
        house.post("/api/products", name=f"Dish {number:03}", price="2.00", category=category, position=number)
    page = open_terminal()
    page.click(f"[data-category='{category}']")
    expect(page.locator("[data-product]").first).to_contain_text("Dish 000")

    page.locator("rc-grid").evaluate("(grid) => grid.scrollTo(0, 5000)")
    expect(page.locator("[data-product] .card-name").first).not_to_have_text("Dish 000")
    before = shown(page)
    assert len(before) < 40
    page.goto(f"{page.url.partition('#')[0]}#/tables")
    expect(page.locator("rc-tables")).to_be_visible()
    page.go_back()

    expect(page.locator("rc-grid")).to_be_visible()
    assert page.locator("rc-grid").evaluate("(grid) => grid.scrollTop") == 5000
    assert shown(page) == before


@pytest.mark.parametrize("width", [320, 390, 820, 1280, 1920])
def test_nothing_is_wider_than_the_view(open_terminal: OpenTerminal, house: House, width: int) -> None:
    house.product(name=f"A product with quite a long name {unique()}")
    page = open_terminal(viewport={"width": width, "height": 700})
    expect(page.locator("[data-product]").first).to_be_visible()

    for view in ("menu", "tables", "ticket"):
        page.goto(f"{page.url.partition('#')[0]}#/{view}")
        expect(page.locator(f"rc-{view}").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = "button, a, input:not(.visually-hidden), select"
        sizes = page.locator(small).evaluate_all(
            "(all) => all.filter((one) => one.checkVisibility() && !one.closest('label'))"
            ".map((one) => [one.getBoundingClientRect(), one.outerHTML])"
            ".filter(([box]) => box.width < 47.5 || box.height < 47.5).map(([, html]) => html)"
        )
        assert sizes == []
