"""Without the network the history is there; two browsers agree when it is back; and nobody sees what is another's."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from django.contrib.auth.models import User
from playwright.sync_api import expect

from studio import pages
from studio.build import build
from terminal.shell import worker_of
from tests.parts import ROOT
from tests.posclient.proxy import Proxy

from .conftest import OpenStudio, downloaded, pictures, until, until_complete, until_state

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database, pytest.mark.timeout(120)]

IS_PAINTED = "(hash) => [...document.querySelectorAll('.card img')].every((image) => image.naturalWidth > 0)"

# The build of the worker that answers, at the latest after twenty seconds the one that is asked for.
BUILD_IN_CHARGE = """async (build) => {
  for (let tries = 0; ; tries += 1) {
    const { active } = await navigator.serviceWorker.getRegistration();
    const found = await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => resolve(data);
      active.postMessage("build?", [port2]);
    });
    if ((found === build && active.state === "activated") || tries === 200) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}"""


def until_installed(page: "Page") -> None:
    """Waits until the worker has the page and its files."""
    assert page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def log_in(page: "Page", proxy: Proxy, name: str) -> None:
    page.goto(f"{proxy.url}/admin/login/?next=/studio/%23history")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "secret")
    with page.expect_navigation():
        page.click("#login-form button[type=submit]")


def log_out(page: "Page", proxy: Proxy) -> None:
    page.goto(f"{proxy.url}/admin/")
    with page.expect_navigation():
        page.evaluate("document.querySelector('form[action=\"/admin/logout/\"]').submit()")


def test_a_favourite_in_one_browser_is_one_in_the_other(manager: User, proxy: Proxy, open_studio: OpenStudio) -> None:
    pictures(manager, 2)
    one, other = open_studio(manager), open_studio(manager)
    expect(other.locator("[aria-pressed=true]")).to_have_count(0)
    one.locator("[aria-label=Favourite]").first.click()
    expect(one.locator("[aria-pressed=true]")).to_have_count(1)
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(other.locator("[aria-pressed=true]")).to_have_count(1)
    snapshots = "studio.items.getSnapshot()"
    assert one.evaluate(snapshots) == other.evaluate(snapshots)


def test_the_page_opens_without_the_network_with_what_is_here(
    manager: User, proxy: Proxy, open_studio: OpenStudio
) -> None:
    pictures(manager, 4)
    page = open_studio(manager)
    until(page, IS_PAINTED)
    until_installed(page)
    page.evaluate("studio.bring('recent', 2)")
    until_complete(page, 2)
    brought = downloaded(proxy)

    proxy.cut_network()
    page.reload()
    until_state(page, "waiting")
    expect(page.locator(".state")).to_have_text(re.compile(r"^Not live, as of \d\d:\d\d$"))
    expect(page.locator(".card")).to_have_count(4)
    until(page, IS_PAINTED)
    page.locator("[aria-label=Favourite]").first.click()
    expect(page.locator(".page-note")).to_contain_text("The server can't be reached just now.")
    with page.expect_download() as saved:
        page.locator("[aria-label=Download]").first.click()
    assert saved.value.suggested_filename.endswith(".jpg")

    page.evaluate("studio.thumbnails.bytes.cleanup(() => false)")
    page.reload()
    expect(page.locator(".card")).to_have_count(4)
    expect(page.locator(".card .picture", has_text="Not on this device")).to_have_count(2)
    assert page.locator(".card img:visible").count() == 2  # by their originals

    proxy.restore_network()
    page.evaluate("studio.look()")
    until_state(page, "live")
    until(page, IS_PAINTED)
    assert downloaded(proxy) == brought


def test_a_new_build_is_taken_by_the_next_page_and_opens_without_the_network_too(
    manager: User, proxy: Proxy, open_studio: OpenStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(manager, 1)
    page = open_studio(manager)
    until_installed(page)
    before, after = build(), "f" * 16
    source = (ROOT / "clients" / "browser" / "sw.js").read_text()
    worker = worker_of(source, build=after, page=None, files=before.files, caches="studio-build-")
    monkeypatch.setattr(pages, "build", lambda: replace(before, name=after, worker=worker))

    page.reload()
    expect(page.locator("html")).to_have_attribute("data-build", after)
    until_state(page, "live")
    assert page.evaluate(BUILD_IN_CHARGE, after) == after
    proxy.cut_network()
    page.reload()
    until_state(page, "waiting")
    expect(page.locator("html")).to_have_attribute("data-build", after)
    until(page, IS_PAINTED)


def test_another_login_on_this_browser_sees_nothing(
    manager: User, proxy: Proxy, new_browser: Callable[..., "BrowserContext"]
) -> None:
    User.objects.create_superuser("other", password="secret")
    pictures(manager, 3)
    page = new_browser().new_page()
    log_in(page, proxy, "manager")
    until_state(page, "live")
    page.evaluate("studio.bring('everything')")
    until_complete(page, 3)
    until_installed(page)
    old = page.context.new_page()
    old.goto(f"{proxy.url}/studio/#history")
    expect(old.locator(".card")).to_have_count(3)

    log_out(page, proxy)
    proxy.cut_network()
    page.goto(f"{proxy.url}/studio/#history")
    until_state(page, "waiting")
    expect(page.locator(".card")).to_have_count(0)
    proxy.restore_network()

    log_in(page, proxy, "other")
    until_state(page, "live")
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    assert page.evaluate("studio.usage().then(({ originals }) => originals.count)") == 0
    old.evaluate("studio.look()")
    expect(old.locator(".page-note")).to_contain_text("Somebody else is logged in here now.")
    expect(old.locator(".card")).to_have_count(0)
    until_installed(page)
    proxy.cut_network()
    page.reload()
    until_state(page, "waiting")
    expect(page.locator(".card")).to_have_count(0)
    proxy.restore_network()

    log_out(page, proxy)
    log_in(page, proxy, "manager")
    until_state(page, "live")
    expect(page.locator(".card")).to_have_count(3)
    until_complete(page, 3)
    assert len(downloaded(proxy)) == 3


def test_over_plain_http_an_open_page_goes_on_without_the_network(
    manager: User, proxy: Proxy, open_studio: OpenStudio, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    pictures(manager, 3)
    page = open_studio(manager, origin=f"http://pos.lan:{proxy.port}")
    assert page.evaluate("[isSecureContext, 'serviceWorker' in navigator, !!crypto.subtle]") == [False, False, False]
    page.evaluate("studio.bring('everything')")
    until_complete(page, 3)
    proxy.cut_network()
    page.evaluate("studio.look()")
    until_state(page, "waiting")
    page.click("a[href='#storage']")
    expect(page.locator("#storage-view")).to_contain_text("Over plain http an open page goes on without the network")
    page.click("a[href='#history']")
    until(page, IS_PAINTED)
    with page.expect_download():
        page.locator("[aria-label=Download]").first.click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_is_on_this_device(manager: User, open_studio: OpenStudio, scheme: str) -> None:
    pictures(manager, 2)
    page = open_studio(manager, color_scheme=scheme)
    expect(page.locator(".bringing")).to_be_visible()
    for view in ("history", "storage"):
        page.click(f"a[href='#{view}']")
        expect(page.locator(f"#{view}-view")).to_be_visible()
        if view == "storage":
            expect(page.locator(".facts")).to_be_visible()
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 800})
