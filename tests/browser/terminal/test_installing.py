"""Installing is offered under More once the browser can, also when it said so before More was loaded."""

import pytest
from playwright.sync_api import expect

from .conftest import OpenTerminal

pytestmark = pytest.mark.any_database

# What Chromium says once the page may be installed; headless it never does.
OFFER = """() => {
  const offer = new Event("beforeinstallprompt", { cancelable: true });
  offer.prompt = async () => { globalThis.prompted = (globalThis.prompted ?? 0) + 1; };
  globalThis.isLeftToTheBrowser = dispatchEvent(offer);
}"""
AT_ONCE = f"addEventListener('DOMContentLoaded', {OFFER})"  # modules have run, and none of those that come later


@pytest.mark.parametrize("early", [True, False])
def test_installing_is_offered_when_the_browser_can(open_terminal: OpenTerminal, early: bool) -> None:
    page = open_terminal("/menu", before=lambda context: context.add_init_script(AT_ONCE if early else "0"))
    button = page.locator("[data-do=install]")
    page.evaluate("location.hash = '#/more'")
    expect(page.locator("rc-more h2").first).to_be_visible()
    if not early:
        expect(button).to_have_count(0)
        page.evaluate(OFFER)

    button.click()

    expect(button).to_have_count(0)
    assert page.evaluate("[prompted, isLeftToTheBrowser]") == [1, False]


def test_what_was_installed_by_the_browsers_own_menu_is_offered_no_more(open_terminal: OpenTerminal) -> None:
    page = open_terminal("/more")
    expect(page.locator("rc-more h2").first).to_be_visible()
    page.evaluate(OFFER)
    expect(page.locator("[data-do=install]")).to_be_visible()

    page.evaluate("dispatchEvent(new Event('appinstalled'))")

    expect(page.locator("[data-do=install]")).to_have_count(0)
