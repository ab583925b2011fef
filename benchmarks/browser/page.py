"""The page at /terminal/ on a real server with 2,000 products and pictures, beside bare pages that do the same."""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.images.pictures import normal_jpeg
from tests.posclient.proxy import Proxy
from tests.running import SERVE, RunningServer

from .table import Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROUNDS = 7
COOKIE = "redcoral_device"
PRODUCTS, IN_ONE, PICTURES = 2000, 150, 60
TABLET = {"width": 820, "height": 1180}
FILL = """
from catalog.models import Category, Product
from devices.services import enroll
hashes = {hashes!r}
one = Category.objects.create(name="Drinks", position=0)
others = [Category.objects.create(name=f"Category {{n}}", position=n) for n in range(1, 15)]
Product.objects.bulk_create([
    Product(name=f"Product {{n}}", price=n % 50 + 1, position=n, description="x" * 100,
            image_id=hashes[n % len(hashes)], category=one if n < {in_one} else others[n % len(others)])
    for n in range({products})], batch_size=500)
print(enroll(name="Manager", may_manage=True).token)
print(enroll(name="Tablet").token)
"""
WATCH = """
globalThis.painted = {};
new MutationObserver(() => {
  const cards = document.querySelectorAll("[data-product]");
  if (cards.length) painted.usable ??= performance.now();
}).observe(document, { childList: true, subtree: true });
"""
ALL_PAINTED = """() => new Promise((resolve) => {
  const look = () => {
    const seen = [...document.querySelectorAll("[data-product]")].filter((card) => {
      const { top, bottom } = card.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    });
    const images = seen.map((card) => card.querySelector("img[data-hash]"));
    if (seen.length && images.every((image) => image?.complete && image.naturalWidth > 0)) {
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    } else requestAnimationFrame(look);
  };
  look();
})"""
BARE = """async () => {
  const open = (name) => new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onsuccess = () => resolve(opening.result);
  });
  const all = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const began = performance.timeOrigin ? performance.now() : 0;
  const [copy, pictures] = await Promise.all([open("redcoral-copy"), open("redcoral-pictures")]);
  const rows = await all(copy.transaction("objects").objectStore("objects")
    .getAll(IDBKeyRange.bound(["product"], ["product", []])));
  const tx = pictures.transaction(["bytes", "records"]);
  const records = new Map((await all(tx.objectStore("records").getAll())).map((record) => [record.hash, record]));
  const shown = rows.sort((a, b) => a.position - b.position).slice(0, COUNT);
  const bytes = pictures.transaction("bytes").objectStore("bytes");
  const urls = await Promise.all(shown.map(async ({ image }) => {
    const stored = await all(bytes.get(records.get(image)?.key ?? image));
    return URL.createObjectURL(new Blob([stored?.bytes ?? stored]));
  }));
  document.body.innerHTML = shown.map(({ id, name, price }, at) =>
    `<div data-product="${id}"><img data-hash src="${urls[at]}">${name} ${price}</div>`).join("");
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - began;
}"""


class Place:
    """A server that is filled, and browsers that were here once or never."""

    def __init__(self, browser: "Browser", server: RunningServer, proxy: Proxy) -> None:
        self.browser, self.server, self.proxy = browser, server, proxy
        client = server.device("Pictures", "--upload")
        self.hashes = []
        for seed in range(PICTURES):
            data = normal_jpeg(seed=seed, width=640, height=480)
            answer = client.post("/api/images", content=data, headers={"Content-Type": "image/jpeg"})
            self.hashes.append(answer.raise_for_status().json()["hash"])
        said = server.manage("shell", "-c", FILL.format(hashes=self.hashes, in_one=IN_ONE, products=PRODUCTS))
        manager, self.token = said.split()[-2:]
        self.manager = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {manager}"}, timeout=60)

    def context(self) -> "BrowserContext":
        context = self.browser.new_context(viewport=TABLET)  # type: ignore[arg-type]
        context.add_cookies([{"name": COOKIE, "value": self.token, "url": self.proxy.url}])
        context.add_init_script(WATCH)
        return context

    def open(self, context: "BrowserContext") -> "Page":
        page = context.new_page()
        page.goto(f"{self.proxy.url}/terminal/")
        page.wait_for_selector("[data-product]")
        return page


@contextmanager
def place(browser: "Browser") -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder) / "data", {}, (*SERVE, "--no-demo")) as server,
        Proxy(server.until_ready().port) as proxy,
    ):
        yield Place(browser, server, proxy)


def first_sync(here: Place, table: Table) -> None:
    spent = []
    for _round in range(ROUNDS):
        context = here.context()
        page = here.open(context)
        spent.append(page.evaluate("painted.usable"))
        context.close()
    table.row(f"first sync of {PRODUCTS:,} products until the menu is usable", statistics.median(spent), 2000)


def cold_start(here: Place, table: Table) -> None:
    """Also with a CPU that is four times slower."""
    context = here.context()
    page = here.open(context)
    page.evaluate("(hashes) => redcoral.images.prefetchImages(hashes)", here.hashes)
    page.wait_for_function("navigator.serviceWorker.ready.then((worker) => Boolean(worker.active))")
    page.reload()
    page.evaluate(ALL_PAINTED)
    count = page.evaluate("document.querySelectorAll('[data-product]').length")
    here.proxy.cut_network()
    page.close()
    for slower, most in ((1, 1000), (4, 3000)):
        ours, bare = [], []
        for _round in range(ROUNDS):
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            page.goto(f"{here.proxy.url}/terminal/")
            ours.append(page.evaluate(ALL_PAINTED))
            page.close()
            page = context.new_page()
            page.route("**/bare", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html"))
            page.goto(f"{here.proxy.url}/bare")
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            bare.append(page.evaluate(BARE.replace("COUNT", str(count))))
            page.close()
        table.row(
            f"offline cold start{'' if slower == 1 else f', {slower} × slower'}",
            statistics.median(ours),
            most,
            beside=statistics.median(bare),
            at_most=2.5 if slower == 1 else None,
        )
    here.proxy.restore_network()
    context.close()


REDRAWN = """(id) => {
  globalThis.redrawn = new Map();
  const card = document.querySelector(`[data-product="${id}"]`);
  new MutationObserver(() => {
    const price = card.querySelector("[data-price]")?.dataset.price;
    if (!redrawn.has(price)) redrawn.set(price, Date.now());
  }).observe(card, { attributes: true, childList: true, subtree: true });
}"""


def bare_reader(here: Place, arrived: dict[str, float], over: threading.Event) -> None:
    """When each price's frame comes to somebody who does nothing but read."""
    url = f"{here.proxy.url}/api/sync/events?resources=product"
    headers = {"Authorization": f"Bearer {here.token}"}
    # The stream ends in the middle when the network is cut for the next case.
    with suppress(httpx.RemoteProtocolError), httpx.stream("GET", url, headers=headers, timeout=60) as stream:
        for line in stream.iter_lines():
            if '"price":"' in line:
                arrived.setdefault(line.partition('"price":"')[2].partition('"')[0], time.time() * 1000)
            if over.is_set():
                return


def redrawing(here: Place, table: Table, changes: int = 60) -> None:
    context = here.context()
    page = here.open(context)
    page.wait_for_selector("[data-connection=live]")
    product = page.get_attribute("[data-product]", "data-product")
    page.evaluate(REDRAWN, product)
    arrived: dict[str, float] = {}
    over = threading.Event()
    threading.Thread(target=bare_reader, args=(here, arrived, over), daemon=True).start()
    time.sleep(1)
    sent = {}
    for number in range(changes):
        price = f"{100 + number}.50"
        sent[price] = time.time() * 1000
        here.manager.patch(f"/api/products/{product}", json={"price": price}).raise_for_status()
        time.sleep(0.15)
    time.sleep(1)
    over.set()
    redrawn = dict(page.evaluate("[...redrawn]"))
    ours = [redrawn[price] - at for price, at in sent.items() if price in redrawn]
    bare = [arrived[price] - at for price, at in sent.items() if price in arrived]
    table.row("PATCH sent → card redrawn: changes never seen", changes - len(ours), 0, unit="")
    table.row("the same, p50", statistics.median(ours), 60, beside=statistics.median(bare), at_most=3)
    table.row("the same, p95", statistics.quantiles(ours, n=20)[-1], 150)
    context.close()


IN_PAGE: dict[str, str] = {
    "category": """async () => {
      const named = (name) =>
        [...document.querySelectorAll("[data-category]")].find((one) => one.textContent.includes(name));
      const [chip, other] = [named("Drinks"), named("Category 3")];
      const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      other.click(); await frame(); await frame();
      const began = performance.now();
      chip.click(); await frame();
      return performance.now() - began;
    }""",
    "key": """async () => {
      const input = document.querySelector("[data-search]");
      const spent = [];
      for (const text of ["p", "pr", "product 1", "product 19", "product 199"]) {
        input.value = text;
        const began = performance.now();
        input.dispatchEvent(new InputEvent("input", { bubbles: true }));
        await Promise.resolve(); await new Promise((resolve) => queueMicrotask(resolve));
        spent.push(performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      input.value = ""; input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      return Math.max(...spent);
    }""",
    "scroll": """async (times) => {
      const box = [document.scrollingElement, ...document.querySelectorAll("*")]
        .find((one) => one.scrollHeight > one.clientHeight + 500 && getComputedStyle(one).overflowY !== "hidden")
        ?? document.scrollingElement;
      let nodes = 0;
      for (let n = 0; n < times; n += 1) {
        for (let at = 0; at < box.scrollHeight; at += 900) {
          box.scrollTop = at;
          await new Promise((resolve) => requestAnimationFrame(resolve));
          nodes = Math.max(nodes, document.querySelectorAll("*").length);
        }
      }
      return nodes;
    }""",
}


def at_work(here: Place, table: Table) -> None:
    context = here.context()
    page = here.open(context)
    page.wait_for_selector("[data-connection=live]")

    def median_of(name: str) -> float:
        return statistics.median(page.evaluate(IN_PAGE[name]) for _round in range(ROUNDS))

    table.row(f"category of {IN_ONE}, painted", median_of("category"), 100)
    table.row(f"a key in the search of {PRODUCTS:,}", median_of("key"), 16)
    session = context.new_cdp_session(page)
    used: list[float] = []
    nodes = 0
    for times in (1, 9):
        nodes = max(nodes, page.evaluate(IN_PAGE["scroll"], times))
        session.send("HeapProfiler.collectGarbage")
        used.append(session.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
    table.row(
        f"heap after scrolling {PRODUCTS:,} cards ten times", used[1], 60, unit=" MB", beside=used[0], at_most=1.2
    )
    table.row("elements in the DOM meanwhile, at most", nodes, 3000, unit="")
    context.close()


def measure(browser: "Browser", table: Table) -> None:
    with place(browser) as here:
        for case in (first_sync, redrawing, at_work, cold_start):
            case(here, table)
