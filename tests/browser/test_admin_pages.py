"""A manager at the admin, in a real browser."""

from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from django.contrib.auth.models import User
from PIL import Image as Pillow

from catalog.models import Attribute, AttributeOption, Category, PriceRule, Product, Role, Tag

if TYPE_CHECKING:
    from playwright.sync_api import Page

# What the pages ask of the database, tests/catalog, tests/images and tests/uploads ask of both.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

# Puts a file on an element the way a drag from the desktop does.
DROP = """([selector, name, type, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
    document.querySelector(selector).dispatchEvent(event);
  }
}"""


@pytest.fixture
def cola(transactional_db: None) -> Product:
    category = Category.objects.create(name="Soft drinks", color="#06b6d4")
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    product.tags.add(Tag.objects.create(name="Vegan"))
    product.attributes.add(Attribute.objects.create(name="Ice"))
    return product


def photo(color: str) -> bytes:
    target = BytesIO()
    Pillow.new("RGB", (640, 480), color).save(target, "PNG")
    return target.getvalue()


def shown_pixels(page: "Page", selector: str) -> tuple[int, int]:
    """The real size of the picture that the browser shows."""
    page.wait_for_function(
        "selector => { const i = document.querySelector(selector); return i && i.complete && i.naturalWidth }",
        arg=selector,
    )
    return tuple(page.eval_on_selector(selector, "i => [i.naturalWidth, i.naturalHeight]"))


def save(page: "Page") -> None:
    with page.expect_navigation():
        page.click("button[name=_save]")


def test_a_photo_that_is_dropped_on_a_product_is_seen_and_served(
    open_page: Callable[[str], "Page"], cola: Product, live_server: Any
) -> None:
    address = f"/admin/catalog/product/{cola.pk}/change/"
    page = open_page(address)
    page.evaluate(DROP, [".picture-drop", "cola.png", "image/png", list(photo("crimson"))])
    assert shown_pixels(page, ".picture-preview") == (640, 480)
    assert page.is_visible(".picture-note")
    save(page)

    cola.refresh_from_db()
    assert cola.image is not None
    picture = httpx.get(f"{live_server.url}/api/image/{cola.image.hash}.jpg")
    assert sha256(picture.content).hexdigest() == cola.image.hash
    assert shown_pixels(page, ".thumbnail") == (160, 120)
    page = open_page(address)
    assert shown_pixels(page, ".picture-preview") == (640, 480)


def test_a_photo_can_be_chosen_replaced_and_removed(open_page: Callable[[str], "Page"], cola: Product) -> None:
    address = f"/admin/catalog/product/{cola.pk}/change/"
    hashes = []
    for color in ("crimson", "navy"):
        page = open_page(address)
        page.set_input_files("#id_image", {"name": "a.png", "mimeType": "image/png", "buffer": photo(color)})
        save(page)
        cola.refresh_from_db()
        hashes.append(cola.image_id)
    assert None not in hashes
    assert hashes[0] != hashes[1]
    page = open_page(address)
    page.check("input[name=image-remove]")
    save(page)
    cola.refresh_from_db()
    assert cola.image is None


def test_a_photo_over_25_mb_is_refused_before_it_is_sent(open_page: Callable[[str], "Page"], cola: Product) -> None:
    page = open_page(f"/admin/catalog/product/{cola.pk}/change/")
    page.evaluate(
        """() => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(25 * 1024 * 1024 + 1)], "a.jpg", { type: "image/jpeg" }));
          const input = document.querySelector(".picture-file");
          input.files = files.files;
          input.dispatchEvent(new Event("change"));
        }"""
    )
    assert "more than 25 MB" in page.inner_text(".picture-message")
    assert page.eval_on_selector(".picture-file", "input => input.files.length") == 0


def test_something_that_is_no_picture_comes_back_with_the_reason(
    open_page: Callable[[str], "Page"], cola: Product
) -> None:
    page = open_page(f"/admin/catalog/product/{cola.pk}/change/")
    page.set_input_files("#id_image", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_selector(".picture-message:has-text('probably broken')")
    save(page)
    assert "none of JPEG, PNG" in page.inner_text("#content-main")


@pytest.mark.parametrize(
    ("name", "buffer", "told"), [("menu.pdf", b"%PDF-1.7", "none of JPEG, PNG"), ("a.png", b"", "This file is empty.")]
)
def test_what_cannot_be_a_photo_is_told_when_it_is_chosen(
    open_page: Callable[[str], "Page"], cola: Product, name: str, buffer: bytes, told: str
) -> None:
    page = open_page(f"/admin/catalog/product/{cola.pk}/change/")
    page.set_input_files("#id_image", {"name": name, "mimeType": "", "buffer": buffer})
    page.wait_for_selector(f".picture-message:has-text('{told}')")
    assert page.eval_on_selector(".picture-file", "input => input.files.length") == 0
    assert page.is_hidden(".picture-note")


def test_the_unit_is_asked_for_when_sale_is_by_weight(open_page: Callable[[str], "Page"], cola: Product) -> None:
    page = open_page(f"/admin/catalog/product/{cola.pk}/change/")
    page.wait_for_selector("#id_unit", state="hidden")
    page.select_option("#id_price_type", "weight")
    page.select_option("#id_unit", "kg")
    save(page)
    cola.refresh_from_db()
    assert (cola.price_type, cola.unit) == ("weight", "kg")
    assert [attribute.name for attribute in cola.attributes.all()] == ["Ice"]


def test_choosing_a_colour_takes_the_tick_off_none(open_page: Callable[[str], "Page"], cola: Product) -> None:
    page = open_page(f"/admin/catalog/product/{cola.pk}/change/")
    assert page.is_checked("input[name=color-none]")
    page.fill("#id_color", "#aa3300")
    assert not page.is_checked("input[name=color-none]")
    save(page)
    cola.refresh_from_db()
    assert cola.color == "#aa3300"


def test_a_new_permission_code_is_typed_into_the_list(open_page: Callable[[str], "Page"]) -> None:
    role = Role.objects.create(name="Waiter", permission_codes=["order.open"])
    page = open_page(f"/admin/catalog/role/{role.pk}/change/")
    page.click(".select2-selection")
    page.keyboard.type("table.sing")
    page.keyboard.press("Enter")
    save(page)
    role.refresh_from_db()
    assert sorted(role.permission_codes) == ["order.open", "table.sing"]


def test_a_price_rule_shows_the_target_of_its_scope_only(open_page: Callable[[str], "Page"], cola: Product) -> None:
    rule = PriceRule.objects.create(name="Rule", value="-10", scope="category", category=cola.category)
    page = open_page(f"/admin/catalog/pricerule/{rule.pk}/change/")
    page.wait_for_selector(".field-category .select2-selection")
    assert not page.is_visible(".field-tag")
    page.select_option("#id_scope", "all")
    page.wait_for_selector(".field-line.field-category", state="hidden")
    page.check("input[name=weekdays][value='6']")
    save(page)
    rule.refresh_from_db()
    assert (rule.scope, rule.category, rule.weekdays) == ("all", None, [6])


def test_a_manager_logs_in_and_sees_the_overview(page: "Page", live_server: Any, complaints: list[str]) -> None:
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    User.objects.create_superuser("demo", password="demo")
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", "demo")
    page.fill("#id_password", "demo")
    page.click("button[type=submit]")

    page.wait_for_selector(".overview-card")
    assert complaints == []


def test_every_page_opens_without_a_complaint_of_the_console(open_page: Callable[[str], "Page"], cola: Product) -> None:
    size = Attribute.objects.create(name="Size", choice="many")
    AttributeOption.objects.create(attribute=size, name="Small")
    names = ("product", "category", "tag", "attribute", "zone", "diningtable", "employee", "role", "pricerule")
    for name in (*names, "printdestination"):
        for what in ("", "add/"):
            page = open_page(f"/admin/catalog/{name}/{what}")
            assert page.is_visible("#content")
    open_page(f"/admin/catalog/attribute/{size.pk}/change/")
    open_page("/admin/catalog/product/import/")
    open_page("/admin/catalog/product/export/")
