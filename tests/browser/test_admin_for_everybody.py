"""The admin for those who use a keyboard or hear the page, and what it says before something is lost."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from catalog.models import Category, Product
from devices.models import Device, EnrolmentCode

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = ("", "catalog/product/", "catalog/product/add/", "devices/device/", "devices/enrolmentcode/add/")


@pytest.fixture
def cola(transactional_db: None) -> Product:
    return Product.objects.create(name="Cola", price="3.00", category=Category.objects.create(name="Drinks"))


def test_axe_finds_nothing_on_the_pages_of_the_admin(
    open_page: Callable[[str], "Page"], cola: Product, complaints: list[str]
) -> None:
    for address in PAGES:
        page = open_page(f"/admin/{address}")
        page.wait_for_selector("#main[role=main]")
        page.add_style_tag(content="* { transition: none !important; animation: none !important }")
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == [], address
    complaints.clear()  # the policy of the page has no place for the style that stills it


def test_what_was_edited_in_a_list_is_counted_and_not_lost_without_a_question(
    open_page: Callable[[str], "Page"], cola: Product
) -> None:
    page = open_page("/admin/catalog/product/")
    page.fill("input[name=form-0-price]", "3.20")
    page.wait_for_function("document.querySelector('.edits-count').textContent.startsWith('1 ')")
    asked: list[str] = []

    def leave(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", leave)
    page.reload()
    assert asked == ["beforeunload"]

    page.fill("input[name=form-0-price]", "3.50")
    with page.expect_navigation():
        page.click("button[name=_save]")
    cola.refresh_from_db()
    assert str(cola.price) == "3.50"


def test_the_user_menu_opens_by_keyboard_and_the_search_finds_a_product(
    open_page: Callable[[str], "Page"], cola: Product
) -> None:
    page = open_page("/admin/")
    menu = page.locator("[role=button]", has_text="demo")
    menu.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("form[action*=logout]")

    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("col")
    page.locator("#command-results-list a", has_text="Cola").wait_for()


def test_the_page_of_a_code_says_by_itself_that_the_device_is_in(open_page: Callable[[str], "Page"]) -> None:
    page = open_page("/admin/devices/enrolmentcode/add/")
    with page.expect_navigation():
        page.click("button[name=_save]")
    page.wait_for_selector("#enrolment-qr svg")
    device = Device.objects.create(name="Bar till", token_hash="0" * 64)
    EnrolmentCode.objects.update(used_at=timezone.now(), device=device)
    page.locator("#enrolment-state", has_text="Bar till").wait_for()
