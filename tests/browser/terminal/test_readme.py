"""The examples of clients/browser/README.md run, as they are printed, and that of docs/first-steps.md."""

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from devices.identity import COOKIE
from tests.browser.terminal.conftest import House, Watch
from tests.parts import ROOT, missing
from tests.posclient.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page, Route

CLIENT = ROOT / "clients" / "browser"
README = (CLIENT / "README.md").read_text()
ROOT_PAGE = '<!doctype html><div id="root"></div><script type="module" src="example.js"></script>'


def example(language: str) -> str:
    """The README's only block in this language."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return str(block)


def bundled(source: str) -> str:
    """The module with the packages that it imports, as a developer's bundler makes it; our library stays outside."""
    esbuild = CLIENT / "node_modules" / ".bin" / "esbuild"
    if not (CLIENT / "node_modules" / "vue").exists():
        missing("clients/browser/node_modules")
    options = ["--bundle", "--format=esm", "--loader=jsx", "--jsx=automatic", "--external:./redcoral/*"]
    defines = ['--define:process.env.NODE_ENV="production"', "--define:__VUE_OPTIONS_API__=true"]
    defines += ["--define:__VUE_PROD_DEVTOOLS__=false", "--define:__VUE_PROD_HYDRATION_MISMATCH_DETAILS__=false"]
    made = subprocess.run(
        [str(esbuild), *options, *defines], input=source, cwd=CLIENT, capture_output=True, text=True, check=True
    )
    return made.stdout


@pytest.fixture
def show(new_browser: "Callable[..., BrowserContext]", proxy: Proxy, house: House) -> "Callable[[str, str], Page]":
    """A page of the server's origin with this HTML and this module beside it, and the library in `redcoral/`."""

    def open_page(html: str, module: str = "") -> "Page":
        def answer(route: "Route") -> None:
            name = route.request.url.removeprefix(f"{proxy.url}/example/")
            if name == "":
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            elif name == "example.js":
                route.fulfill(body=module, content_type="text/javascript; charset=utf-8")
            else:
                route.fulfill(path=CLIENT / name.removeprefix("redcoral/"), content_type="text/javascript")

        context = new_browser(proxy.url)
        context.route(f"{proxy.url}/example/**", answer)
        page = context.new_page()
        page.goto(f"{proxy.url}/example/")
        return page

    return open_page


def sign_in(page: "Page", house: House, proxy: Proxy) -> None:
    page.context.add_cookies([{"name": COOKIE, "value": house.a_token(), "url": proxy.url}])
    page.reload()


def test_the_plain_example_enrols_and_shows_what_changes(
    house: House, proxy: Proxy, watch: Watch, show: "Callable[..., Page]"
) -> None:
    watch.allow("status of 401")
    product = house.product(name="Flat white", price="3.80")
    page = show(example("html"))
    page.fill("[name=code]", house.codes()[0])
    page.click("text=Enrol")

    page.wait_for_selector("li:text('Flat white 3.80')")
    expect(page.locator("#state")).to_have_text("live")
    assert page.is_hidden("#enrol")
    house.change(product["id"], price="4.20", is_sold_out=True)
    page.wait_for_selector("li:text('Flat white 4.20 (sold out)')")


@pytest.mark.parametrize("language", ["jsx", "js"], ids=["React", "Vue"])
def test_the_examples_of_frameworks_show_what_changes(
    language: str, house: House, proxy: Proxy, watch: Watch, show: "Callable[..., Page]"
) -> None:
    watch.allow("status of 401")
    module = bundled(example(language))
    hash, _data = house.image()
    product = house.product(name=f"Cortado {language}", price="2.10", image=hash)
    page = show(ROOT_PAGE, module)
    page.wait_for_selector("ul[data-state=stopped]", state="attached")
    sign_in(page, house, proxy)

    page.wait_for_selector(f"ul[data-state=live] >> text=Cortado {language} 2.10")
    if language == "jsx":
        page.wait_for_function("[...document.images].some((image) => image.naturalWidth > 0)")
    house.change(product["id"], price="2.30")
    page.wait_for_selector(f"text=Cortado {language} 2.30")


def test_the_three_lines_of_the_first_steps_show_what_changes(
    house: House, proxy: Proxy, watch: Watch, show: "Callable[..., Page]"
) -> None:
    watch.allow("status of 401")
    (block,) = re.findall(
        r"^```js\n(.*?)^```$", (ROOT / "docs" / "first-steps.md").read_text(), re.DOTALL | re.MULTILINE
    )
    own = 'const show = (all) => (document.querySelector("#root").textContent = all.map((one) => one.name).join());'
    product = house.product(name="Ristretto")
    page = show(ROOT_PAGE, f"{block}\n{own}")
    sign_in(page, house, proxy)

    house.change(product["id"], name="Lungo of the first steps")
    page.wait_for_selector("#root:has-text('Lungo of the first steps')")
