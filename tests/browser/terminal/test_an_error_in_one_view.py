"""What fails in one part of the page leaves the others, and says so."""

import pytest

from .conftest import House, OpenTerminal, Watch

pytestmark = pytest.mark.any_database


def test_a_view_that_does_not_load_leaves_the_others(open_terminal: OpenTerminal, house: House, watch: Watch) -> None:
    watch.allow("Failed to load resource")
    product = house.product(name="Flan")
    page = open_terminal(before=lambda context: context.route("**/views/tables.js", lambda route: route.abort()))

    page.click(".bar a[href='#/tables']")
    page.wait_for_selector("main [data-failed]")
    page.click(".bar a[href='#/menu']")
    page.wait_for_selector(f"[data-product='{product['id']}']")
    page.click(".bar a[href='#/tables']")
    page.wait_for_selector("main [data-failed] button")
    page.context.unroute_all()
    page.click("main [data-failed] button")

    page.wait_for_selector("rc-tables")


def test_an_error_while_a_view_is_drawn_leaves_the_others(open_terminal: OpenTerminal, house: House) -> None:
    product = house.product(name="Natillas")
    page = open_terminal("/storage")
    page.wait_for_selector("rc-storage h2")
    page.evaluate(
        """() => {
          const { pictures } = redcoral;
          globalThis.before = pictures.getSnapshot;
          pictures.getSnapshot = () => { throw new Error("made up"); };
          document.querySelector("rc-storage").requestUpdate();
        }"""
    )

    page.wait_for_selector("rc-storage [data-failed]")
    page.click(".bar a[href='#/menu']")
    page.wait_for_selector(f"[data-product='{product['id']}']")
    page.evaluate("redcoral.pictures.getSnapshot = globalThis.before")
    page.click(".bar a[href='#/storage']")
    page.wait_for_selector("rc-storage h2")
    page.click(".bar a[href='#/more']")
    page.click("[data-do='diagnose']")
    page.wait_for_selector("[data-finding]:has-text('made up')")
