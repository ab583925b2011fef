"""A browser becomes a device: by code or by link, and says what is wrong where it is."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.posclient.proxy import Fault, Proxy

from .conftest import House, OpenTerminal, Watch, until_connection

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.any_database

REFUSED = "Failed to load resource: the server responded with a status of 4"


@pytest.fixture(scope="module")
def codes(house: House) -> list[str]:
    """Of this module's tests, made at once."""
    return house.codes(7)


def problem(page: "Page", code: str) -> str:
    found = page.wait_for_selector(f"[data-problem='{code}']")
    assert found is not None
    return str(found.inner_text())


def test_a_code_from_the_admin_is_all_that_it_takes(
    open_terminal: OpenTerminal, house: House, watch: Watch, codes: list[str]
) -> None:
    product = house.product(name="Tortilla")
    watch.allow(REFUSED)  # who isn't enrolled is asked once whether it may read
    page = open_terminal("/menu", token=None)

    page.fill("#enrol-code", codes.pop().lower().replace("-", ""))
    page.fill("#enrol-name", "Terrace")
    page.click("#enrol-submit")

    until_connection(page)
    page.wait_for_selector(f"[data-product='{product['id']}']")
    assert page.url.endswith("#/menu")
    devices = house.server.manage(
        "shell", "-c", "from devices.models import *; print(*Device.objects.values_list('name'))"
    )
    assert "Terrace" in devices


def test_what_comes_is_listed_and_the_menu_is_usable_before_all_of_it_is_there(
    open_terminal: OpenTerminal, house: House, watch: Watch, proxy: Proxy, codes: list[str]
) -> None:
    product = house.product(name="Flan")
    watch.allow(REFUSED, "net::ERR_")
    page = open_terminal(f"enrol={codes.pop()}", token=None)
    page.wait_for_selector("#enrol-submit")
    stalled = Fault("stall")
    proxy.choose = lambda path: stalled if path == "/api/sync/zone" else None

    page.click("#enrol-submit")

    expect(page.locator("[data-enrolled] [data-list=product]")).to_contain_text(re.compile(r"\d"))
    expect(page.locator("[data-enrolled] [data-list=zone]")).to_contain_text("…")
    page.click("[data-enrolled] a[href='#/menu']")
    page.wait_for_selector(f"[data-product='{product['id']}']")
    until_connection(page, "catching-up")
    proxy.choose = lambda path: None
    proxy.hang_up()
    until_connection(page)


def test_from_a_link_only_one_tap_is_left_and_the_code_is_gone(
    open_terminal: OpenTerminal, watch: Watch, codes: list[str]
) -> None:
    watch.allow(REFUSED)
    code = codes.pop()
    page = open_terminal(f"enrol={code}", token=None)

    page.wait_for_selector("#enrol-submit")
    assert page.input_value("#enrol-code") == code
    assert page.input_value("#enrol-name") != ""
    assert code not in page.url
    page.click("#enrol-submit")

    until_connection(page)
    page.wait_for_selector("rc-menu")
    page.go_back(wait_until="commit")
    assert code not in page.url


def test_a_wrong_or_used_code_says_so_where_it_was_typed(
    open_terminal: OpenTerminal, watch: Watch, codes: list[str]
) -> None:
    watch.allow(REFUSED)
    used = codes.pop()
    first = open_terminal(f"enrol={used}", token=None)
    first.click("#enrol-submit")
    until_connection(first)

    page = open_terminal(f"enrol={used}", token=None)
    page.click("#enrol-submit")

    assert "used" in problem(page, "invalid_code")
    assert page.get_attribute("#enrol-code", "aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "enrol-code"
    page.fill("#enrol-code", codes.pop())
    page.click("#enrol-submit")
    until_connection(page)


def test_too_many_tries_count_down(open_terminal: OpenTerminal, watch: Watch) -> None:
    watch.allow(REFUSED)
    page = open_terminal("/enrol", token=None)
    for number in range(6):
        page.fill("#enrol-code", f"AAAA-AAA{number + 2}")
        with page.expect_response("**/api/devices/enroll"):
            page.click("#enrol-submit")
        page.wait_for_selector("[data-problem]")

    said = problem(page, "throttled")

    assert page.is_disabled("#enrol-submit")
    page.wait_for_function(
        "said => document.querySelector('[data-problem=throttled]').innerText.trim() !== said", arg=said
    )


def test_a_server_that_is_away_is_no_wrong_code(
    open_terminal: OpenTerminal, watch: Watch, proxy: Proxy, codes: list[str]
) -> None:
    watch.allow(REFUSED, "net::ERR_")
    page = open_terminal("/enrol", token=None)
    page.fill("#enrol-code", codes.pop())
    page.fill("#enrol-name", "Bar")
    proxy.cut_network()

    page.click("#enrol-submit")

    problem(page, "not_reached")
    proxy.restore_network()
    page.click("#enrol-submit")
    until_connection(page)


def test_on_an_apple_tablet_it_asks_for_the_home_screen_first(open_terminal: OpenTerminal, watch: Watch) -> None:
    watch.allow(REFUSED)
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1"

    page = open_terminal("/enrol", token=None, user_agent=safari)

    page.wait_for_selector("[data-notice='home-screen']")
    assert page.input_value("#enrol-name") == "iPhone"


def test_staff_who_are_logged_in_may_look_without_enrolling(
    open_terminal: OpenTerminal, house: House, watch: Watch, proxy: Proxy
) -> None:
    watch.allow(REFUSED)
    make = "from django.contrib.auth.models import User; User.objects.create_superuser('boss', password='boss')"
    house.server.manage("shell", "-c", make)
    page = open_terminal("/menu", token=None, viewport={"width": 1280, "height": 800})
    admin = page.context.new_page()
    admin.goto(f"{proxy.url}/admin/login/")
    admin.fill("#id_username", "boss")
    admin.fill("#id_password", "boss")
    admin.click("button[type=submit]")
    admin.wait_for_url("**/admin/")

    page.click("main a[href='#/menu']")  # nobody has to know that a page can be loaded anew
    until_connection(page)
    admin.click("a[href='/terminal/']")

    until_connection(admin)
    assert "staff" in admin.inner_text("[data-connection]")
