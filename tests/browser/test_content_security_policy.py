"""The pages of the admin and the docs work under the policy that is enforced on them; the console is silent."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from catalog.models import Category, Product
from uploads.models import Album

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

PAGES = [
    *("/admin/", "/admin/catalog/product/", "/admin/catalog/product/add/", "/admin/catalog/product/export/"),
    *("/admin/catalog/product/import/", "/admin/catalog/pricerule/add/", "/admin/catalog/role/add/"),
    *(
        "/admin/auth/user/add/",
        "/admin/auth/group/add/",
        "/admin/devices/enrolmentcode/add/",
        "/admin/images/image/add/",
    ),
    *("/admin/uploads/album/send/", "/admin/uploads/photo/", "/admin/password_change/", "/api/docs"),
]
WITH_SCRIPT = """<img src="x" onerror="window.ran = 1"><script>window.ran = 1</script>"""


def test_every_kind_of_page_is_silent_under_it(open_page: Callable[[str], "Page"]) -> None:
    for address in PAGES:
        page = open_page(address)
        page.wait_for_load_state("networkidle")


def test_the_theme_and_the_docs_do_what_they_do(open_page: Callable[[str], "Page"], transactional_db: None) -> None:
    category = Category.objects.create(name="Drinks", color="#06b6d4")
    Product.objects.create(name="Cola", price="3.00", category=category)
    page = open_page("/admin/catalog/category/")
    assert page.eval_on_selector(".swatch", "e => getComputedStyle(e).backgroundColor") == "rgb(6, 182, 212)"
    page.set_viewport_size({"width": 600, "height": 800})
    page.evaluate("window.Alpine.version")

    page = open_page("/api/docs")
    page.wait_for_selector(".opblock-tag")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_script_that_got_into_a_page_does_not_run(
    open_page: Callable[[str], "Page"], complaints: list[str], transactional_db: None
) -> None:
    page = open_page("/admin/")
    page.evaluate("html => document.body.append(document.createRange().createContextualFragment(html))", WITH_SCRIPT)
    page.wait_for_timeout(200)

    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in said for said in complaints)
    complaints.clear()


def test_the_buttons_of_an_album_are_pressed(open_page: Callable[[str], "Page"], transactional_db: None) -> None:
    album = Album.objects.create(name="Autumn")
    page = open_page(f"/admin/uploads/album/{album.pk}/change/")

    with page.expect_navigation():
        page.click("text=Reconcile now")

    assert "0 checked" in page.content()


@pytest.mark.parametrize(
    ("setting", "header"),
    [("enforce", "Content-Security-Policy"), ("report", "Content-Security-Policy-Report-Only"), ("off", None)],
)
def test_it_may_be_reported_only(client: Client, settings: Any, setting: str, header: str | None) -> None:
    settings.CSP = setting
    for address in ("/admin/login/", "/api/docs", "/nothing"):
        found = [name for name in client.get(address).headers if name.startswith("Content-Security-Policy")]
        assert found == ([header] if header else [])
