"""The page once more: stored pictures, a search in 20,000 products, object URLs, and the size of a first load."""

import gzip
import re
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.running import SERVE, RunningServer

from .page import COOKIE, PRODUCTS, ROUNDS, Place, place
from .table import Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MANY, SHOWN = 20_000, 40
MANY_PRODUCTS = f"""
from catalog.models import Category, Product
from devices.services import enroll
whole = Category.objects.create(name="All")
Product.objects.bulk_create(
    [Product(name=f"Product {{n:05}} of the house", sku=f"S{{n:05}}", price=1, position=n, category=whole)
     for n in range({MANY})], batch_size=2000)
print(enroll(name="Tablet").token)
"""
COUNT_URLS = """
globalThis.objectUrls = new Set();
const [make, revoke] = [URL.createObjectURL.bind(URL), URL.revokeObjectURL.bind(URL)];
URL.createObjectURL = (blob) => { const url = make(blob); objectUrls.add(url); return url; };
URL.revokeObjectURL = (url) => { objectUrls.delete(url); revoke(url); };
"""
PAINT = """async ({hashes, isStored}) => {
  const began = performance.now();
  const ends = [];
  await Promise.all(hashes.map((hash) => new Promise((resolve) => {
    const image = document.createElement("img");
    image.width = 80;
    const show = (url) => {
      if (!url || image.src) return;
      image.src = url;
      document.body.append(image);
      image.decode().then(resolve);
    };
    ends.push(() => image.remove());
    if (!isStored) return show(`/api/image/${hash}.jpg?w=320&format=webp`);
    ends.push(redcoral.images.subscribe(hash, () => show(redcoral.images.getSnapshot(hash).url)));
    show(redcoral.images.getSnapshot(hash).url);
  })));
  await new Promise(requestAnimationFrame);
  const spent = performance.now() - began;
  for (const end of ends) end();
  return spent;
}"""
SCROLL = """async () => {
  const grid = document.querySelector("rc-grid");
  let most = 0;
  for (let top = 0; top < grid.scrollHeight; top += grid.clientHeight) {
    grid.scrollTop = top;
    await new Promise((resolve) => setTimeout(resolve, 30));
    most = Math.max(most, objectUrls.size);
  }
  return most;
}"""
KEY = """async (text) => {
  const input = document.querySelector("[data-search]");
  const grid = document.querySelector("rc-grid");
  input.value = text;
  const began = performance.now();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await grid.updateComplete;
  await Promise.all([...grid.querySelectorAll("rc-card")].map((card) => card.updateComplete));
  void grid.offsetHeight; // and laid out
  return performance.now() - began;
}"""


def stored_pictures(here: Place, table: Table) -> None:
    context = here.context()
    context.add_init_script(COUNT_URLS)
    page = here.open(context)
    page.evaluate("(hashes) => redcoral.images.prefetchImages(hashes)", here.hashes)
    page.evaluate("location.hash = '#/tables'")  # where none of them is shown
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/image/" in request.url else None)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ROUNDS):
        hashes = [here.hashes[(number * 7 + at) % len(here.hashes)] for at in range(SHOWN)]
        for is_stored, found in spent.items():
            before = len(asked)
            found.append(page.evaluate(PAINT, {"hashes": hashes, "isStored": is_stored}))
            if is_stored and len(asked) > before:
                raise AssertionError("a stored picture was asked of the server")
    ours, beside = (statistics.median(found) for found in spent.values())
    table.row(f"{SHOWN} pictures from storage to painted", ours, 100, beside=beside, at_most=0.8)
    page.evaluate("location.hash = '#/menu'")
    page.wait_for_selector("[data-product]")
    table.row(f"object URLs while scrolling {PRODUCTS:,} cards, at most", page.evaluate(SCROLL), 200, unit="")
    context.close()


def sizes(here: Place, table: Table) -> None:
    page = httpx.get(f"{here.server.url}/terminal/").text
    paths = set(re.findall(r'(?:src|href)="(app/[^"]+)"', page))
    packed = {path: len(gzip.compress(httpx.get(f"{here.server.url}/terminal/{path}").content, 9)) for path in paths}
    scripts = {path: size for path, size in packed.items() if path.endswith(".js")}
    vendor = sum(size for path, size in scripts.items() if "/vendor/" in path)
    everything = sum(packed.values()) + len(gzip.compress(page.encode(), 9))
    table.row("compressed: our JS at the start", (sum(scripts.values()) - vendor) / 1000, 70, unit=" kB")
    table.row("compressed: vendor", vendor / 1000, 16, unit=" kB")
    table.row("compressed: all of the start", everything / 1000, 120, unit=" kB")


def searching(browser: "Browser", table: Table) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder) / "data", {}, (*SERVE, "--no-demo")) as server,
    ):
        token = server.until_ready().manage("shell", "-c", MANY_PRODUCTS).split()[-1]
        context = browser.new_context(viewport={"width": 390, "height": 844})
        context.add_cookies([{"name": COOKIE, "value": token, "url": server.url}])
        page = context.new_page()
        page.goto(f"{server.url}/terminal/")
        held = f"() => globalThis.redcoral?.resources.product.size === {MANY}"
        page.wait_for_function(held, timeout=120_000)
        page.wait_for_timeout(10_000)  # names are read ahead while nothing else is done
        page.evaluate(KEY, "warm")
        texts = ["p", "pr", "pro", "house", "s0", "0199", "of the 17"]
        spent = [float(page.evaluate(KEY, text)) for text in texts]
        table.row(f"a key in the search of {MANY:,}", statistics.median(spent), 16)
        context.close()


def measure(browser: "Browser", table: Table) -> None:
    with place(browser) as here:
        sizes(here, table)
        stored_pictures(here, table)
    searching(browser, table)
