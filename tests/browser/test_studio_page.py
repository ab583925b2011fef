"""A manager makes a picture for a product, improves a photo, and looks after the history."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image as Pillow
from playwright.sync_api import expect

from catalog.models import Category, Product
from studio import pipeline, queueing
from studio.models import Item, Status
from tests.parts import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database, pytest.mark.timeout(120)]

OpenPage = Callable[[str], "Page"]


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test is the worker."""
    monkeypatch.setattr(queueing, "send", lambda items, until: None)


@pytest.fixture
def product(transactional_db: None) -> Product:
    return Product.objects.create(name="Tortilla", price="4.50", category=Category.objects.create(name="Tapas"))


def work() -> Item:
    """Makes the newest picture that was asked for."""
    wait_until(lambda: Item.objects.filter(status=Status.PENDING).exists(), what="a pending item")
    item = Item.objects.filter(status=Status.PENDING).latest("created_at")
    pipeline.generate(item_id=item.pk)
    return Item.objects.get(pk=item.pk)


def choose(page: "Page", field: str, name: str) -> None:
    page.fill(field, name)
    page.locator(f"{field}-list [role=option]", has_text=name).first.click()
    expect(page.locator(field)).to_have_value(name)


def photo() -> bytes:
    file = BytesIO()
    Pillow.linear_gradient("L").resize((640, 480)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def test_a_picture_is_made_put_on_its_product_and_taken_off_again(open_page: OpenPage, product: Product) -> None:
    page = open_page(f"/studio/?product={product.pk}#create")
    expect(page.locator("#create-product")).to_have_value("Tortilla")  # the admin's link names the product
    page.fill("textarea", "with a slice of bread")
    page.click("#create-view [type=submit]")
    expect(page.locator("#create-view .result")).to_contain_text("Being made")
    item = work()

    expect(page.locator("#create-view .result")).to_contain_text("The product shows it now.")
    product.refresh_from_db()
    assert product.image_id == item.image_id
    page.get_by_role("button", name="Take off the product").click()
    expect(page.get_by_role("button", name="Put on a product")).to_be_visible()
    product.refresh_from_db()
    assert product.image_id is None
    page.get_by_role("button", name="Put on a product").click()
    choose(page, "#dialog-product", "Tortilla")
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_role("button", name="Take off the product")).to_be_visible()
    assert Item.objects.count() == 1


def test_a_photo_is_improved_and_the_history_looked_after(open_page: OpenPage, product: Product) -> None:
    page = open_page("/studio/#improve")
    page.set_input_files(
        "#improve-view input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    expect(page.locator("#improve-view .drop img")).to_be_visible()
    page.click("#improve-view [type=submit]")
    work()
    expect(page.locator(".compare .before")).to_be_visible()
    page.locator(".compare input").fill("20")
    assert page.locator(".compare").evaluate("figure => figure.style.getPropertyValue('--at')") == "20%"

    page.click("a[href='#history']")
    page.click("[aria-label=Favourite]")
    expect(page.locator("[aria-pressed=true]")).to_have_count(1)
    page.check("#only")
    expect(page.locator(".card")).to_have_count(1)
    page.fill("#search", "nothing like it")
    expect(page.locator(".card")).to_have_count(0)
    page.fill("#search", "")
    page.click("[aria-label=Delete]")
    page.get_by_role("button", name="OK").click()
    expect(page.locator(".card")).to_have_count(0)
    assert not Item.objects.exists()


def test_what_failed_says_why_and_is_tried_again(open_page: OpenPage, manager: "Page") -> None:
    owner = User.objects.get(username="demo")
    failed = Item.objects.create(
        owner=owner, prompt="a soup", provider="label", kind="drawn", status="failed", error="no_picture",
        failed_at=timezone.now(),
    )  # fmt: skip
    page = open_page("/studio/#history")
    expect(page.locator(".card")).to_contain_text("The provider's answer had no picture in it.")
    page.click("[aria-label='Try again']")
    expect(page.locator(".card")).to_have_attribute("data-status", "pending")
    work()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator(".card")).to_have_attribute("data-status", "ready")
    assert Item.objects.get(pk=failed.pk).error == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: OpenPage, product: Product, scheme: str) -> None:
    page = open_page("/studio/#create")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for view in ("create", "improve", "history"):
        page.click(f"a[href='#{view}']")
        expect(page.locator(f"#{view}-view")).to_be_visible()
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(color_scheme="no-preference")
    page.set_viewport_size({"width": 1280, "height": 800})
