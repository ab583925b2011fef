"""More: light or dark, what may be wrong, and a report of it for those who help."""

import pytest
from playwright.sync_api import expect

from .conftest import House, OpenTerminal, until_connection

pytestmark = pytest.mark.any_database

GROUND = "getComputedStyle(document.body).backgroundColor"


def test_light_and_dark_are_chosen_and_kept(open_terminal: OpenTerminal) -> None:
    page = open_terminal("/more", color_scheme="light")
    light = page.evaluate(GROUND)

    page.click("[data-theme-choice=dark]")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(GROUND)
    assert dark != light
    page.reload()
    until_connection(page)
    assert page.evaluate(GROUND) == dark
    page.click("[data-theme-choice=system]")
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    assert page.evaluate(GROUND) == light


def test_a_report_says_what_those_who_help_ask_for(open_terminal: OpenTerminal, house: House) -> None:
    house.product()
    page = open_terminal("/more", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.evaluate("redcoral.report(new Error('something for the report'))")

    page.click("[data-do=diagnose]")

    findings = page.locator("[data-finding]")
    expect(findings.filter(has_text="Storage").first).to_contain_text("writes and reads")
    expect(findings.filter(has_text="Connection").first).to_contain_text("Live")
    expect(findings.filter(has_text="Time zone")).to_contain_text("Europe/Madrid")
    expect(findings.filter(has_text="something for the report")).to_have_count(1)
    page.click("[data-do=report]")
    expect(page.locator("[data-notice=copied]")).to_be_visible()
    report = page.evaluate("navigator.clipboard.readText()")
    build = page.get_attribute("html", "data-build")
    products = page.evaluate("redcoral.resources.product.size")
    for said in (f"Version: {build}", f"product {products}", '"state":"live"', "something for the report"):
        assert said in report
    assert house.a_token() not in report
