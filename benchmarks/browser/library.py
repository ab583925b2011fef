"""The library beside the same by hand: first sync, catching up, and a thousand cuts a second."""

import json
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .made_up import CATEGORY, EPOCH, MadeUp, frame, product
from .table import Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROUNDS = 7
OTHERS = ("category", "tag", "attribute", "zone", "dining_table", "price_rule")
SECONDS, CUTS_A_SECOND, PER_PIECE = 10, 1000, 10

OPEN = """async () => {
  const { Terminal } = await import("/redcoral/src/index.js");
  globalThis.Terminal = Terminal;
}"""
OURS = """async ([size, price]) => {
  const began = performance.now();
  const terminal = await Terminal.open({ name: "bench" });
  const { product } = terminal.resources;
  const last = () => product.getSnapshot().at(-1);
  await new Promise((resolve) => {
    const look = () => product.size === size && last().price === price
      && terminal.connection.getSnapshot().state === "live" && resolve();
    terminal.connection.subscribe(look);
    look();
  });
  const spent = performance.now() - began;
  await terminal.close();
  return spent;
}"""
BY_HAND = """async (addresses) => {
  await new Promise((resolve) => { indexedDB.deleteDatabase("by hand").onsuccess = resolve; });
  const began = performance.now();
  const opening = indexedDB.open("by hand", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("objects");
  const db = await new Promise((resolve) => { opening.onsuccess = () => resolve(opening.result); });
  const answers = [];
  for (const address of addresses) answers.push(JSON.parse(await (await fetch(address)).text()));
  const began_puts = performance.now();
  const tx = db.transaction("objects", "readwrite", { durability: "relaxed" });
  for (const { resource, items } of answers)
    for (const item of items) tx.objectStore("objects").put(item, [resource, item.id]);
  await new Promise((resolve) => { tx.oncomplete = resolve; });
  const ended = performance.now();
  db.close();
  return [ended - began, ended - began_puts];
}"""
FORGET = """() => Promise.all(["copy", "pictures", "own"].map((of) => new Promise((resolve) => {
  indexedDB.deleteDatabase(`bench-${of}`).onsuccess = resolve;
})))"""
LISTEN = """async () => {
  const terminal = await Terminal.open({ name: "bench" });
  const seen = { lags: [], steps: 0, taps: [], writes: 0, last: 0 };
  const write = terminal.databases.copy.write.bind(terminal.databases.copy);
  terminal.databases.copy.write = (...of) => { seen.writes += 1; return write(...of); };
  terminal.onUpdates((updates) => {
    seen.steps += 1;
    const now = Date.now();
    for (const { data } of updates) {
      if (!data?.sent) continue;
      seen.lags.push(now - data.sent);
      seen.last = Math.max(seen.last, data.number);
    }
  });
  document.querySelector("button").addEventListener("click", (event) => {
    event.target.textContent = `tapped ${seen.taps.length}`;
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // after the frame was painted
      channel.port1.onmessage = () => seen.taps.push(performance.now() - event.timeStamp);
      channel.port2.postMessage(null);
    });
  });
  globalThis.bench = { terminal, seen };
  await new Promise((resolve) => {
    const look = () => terminal.connection.getSnapshot().state === "live" && resolve();
    terminal.connection.subscribe(look);
    look();
  });
}"""


def hold(server: MadeUp, size: int, *, version: int = 1, price: str = "3.50", version_of: str = "product") -> None:
    """The server has so many products; what it sends on the stream is that it has."""
    items = [product(number, price) for number in range(size)]
    server.answer("/api/sync/product", {"epoch": EPOCH, "resource": "product", "version": version, "items": items})
    for name in OTHERS:
        server.answer(f"/api/sync/{name}", {"epoch": EPOCH, "resource": name, "version": 1, "items": []})
    server.answer(
        "/api/sync/category",
        {"epoch": EPOCH, "resource": "category", "version": 1, "items": [{"id": CATEGORY, "name": "All"}]},
    )
    versions = {"product": version, **dict.fromkeys(OTHERS, 1)}

    def stream(write: Callable[[bytes], object]) -> None:
        write(b"retry: 1000\n" + frame("hello", f"v{version}", {"epoch": EPOCH, "versions": versions}))
        time.sleep(60)

    server.stream = stream


def page_of(browser: "Browser", server: MadeUp) -> "Page":
    page = browser.new_context().new_page()
    page.goto(server.url)
    page.evaluate(OPEN)
    return page


def first_sync(browser: "Browser", table: Table, size: int, *, most: float) -> None:
    with MadeUp() as server:
        hold(server, size)
        page = page_of(browser, server)
        ours, by_hand = [], []
        addresses = [f"/api/sync/{name}" for name in ("product", *OTHERS)]
        for _round in range(ROUNDS + 1):
            page.evaluate(FORGET)
            ours.append(page.evaluate(OURS, [size, "3.50"]))
            by_hand.append(page.evaluate(BY_HAND, addresses)[0])
        table.row(
            f"first sync of {size:,} products, live",
            statistics.median(ours[1:]),
            most * 1000,
            beside=statistics.median(by_hand[1:]),
            at_most=2,
        )
        page.context.close()


def catching_up(browser: "Browser", table: Table, size: int = 10_000) -> None:
    """Each round the server has changed every product; ours is from opening what it holds to being live."""
    with MadeUp() as server:
        hold(server, size)
        page = page_of(browser, server)
        page.evaluate(FORGET)
        page.evaluate(OURS, [size, "3.50"])
        opening = statistics.median(page.evaluate(OURS, [size, "3.50"]) for _round in range(3))
        ours, puts = [], []
        for number in range(1, ROUNDS + 1):
            before, version, price = 1 + (number - 1) * size, 1 + number * size, f"{number}.00"
            hold(server, size, version=version, price=price)
            changes = [
                {"id": row["id"], "version": before + n + 1, "action": "updated", "data": row}
                for n, row in enumerate(product(n, price) for n in range(size))
            ]
            server.answers["/api/sync/product/changes"] = b""  # replaced for each page, below
            pages = iter([(before, before + 5000, changes[:5000]), (before + 5000, version, changes[5000:])])
            bodies = [delta(*one, head=version) for one in pages]
            server.answers = Pages(server.answers, "/api/sync/product/changes", bodies)
            ours.append(page.evaluate(OURS, [size, price]) - opening)
            puts.append(page.evaluate(BY_HAND, ["/api/sync/product"])[1])
        table.row(
            f"catching up with {size:,} changes",
            statistics.median(ours),
            beside=statistics.median(puts),
            at_most=1.5,
        )
        page.context.close()


def delta(since: int, to: int, changes: list[Any], *, head: int) -> bytes:
    body = {"epoch": EPOCH, "resource": "product", "from": since, "to": to, "head": head, "changes": changes}
    return json.dumps(body, separators=(",", ":")).encode()


class Pages(dict[str, bytes]):
    """Answers where one path has one body after the other."""

    def __init__(self, others: dict[str, bytes], path: str, bodies: list[bytes]) -> None:
        super().__init__(others)
        self.path, self.bodies = path, bodies

    def get(self, path: str, default: Any = None) -> Any:
        return self.bodies.pop(0) if path == self.path and self.bodies else super().get(path, default)


def many_cuts(browser: "Browser", table: Table, size: int = 2000) -> None:
    with MadeUp() as server:
        hold(server, size)
        begun: list[bool] = []

        def stream(write: Callable[[bytes], object]) -> None:
            versions = {"product": 1, **dict.fromkeys(OTHERS, 1)}
            write(frame("hello", "v1", {"epoch": EPOCH, "versions": versions}))
            while not begun:
                time.sleep(0.01)
            began, number = time.perf_counter(), 0
            while number < SECONDS * CUTS_A_SECOND:
                pieces = []
                for _each in range(PER_PIECE):
                    number += 1
                    row = {**product(number % size), "sent": time.time() * 1000, "number": number}
                    change = {"resource": "product", "action": "updated", "id": row["id"], "version": number + 1}
                    pieces.append(frame("sync", f"v{number + 1}", {**change, "data": row, "cut": True}))
                write(b"".join(pieces))
                time.sleep(max(0.0, began + number / CUTS_A_SECOND - time.perf_counter()))
            time.sleep(30)

        server.stream = stream
        page = page_of(browser, server)
        page.evaluate(LISTEN)
        page.evaluate("bench.seen.writes = 0")
        begun.append(True)
        began = time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            page.click("button")
            time.sleep(0.2)
        last = SECONDS * CUTS_A_SECOND
        page.wait_for_function("(last) => bench.seen.last === last", arg=last, timeout=30_000)
        seen = page.evaluate("bench.seen")
        held = page.evaluate("[bench.terminal.versions.product, bench.terminal.resources.product.size]")
        lost = 0 if held == [last + 1, size] else last + 1 - held[0]
        table.row("1,000 cuts a second: cuts lost", lost, 0, unit="")
        table.row("the same, lag p95", statistics.quantiles(seen["lags"], n=20)[-1], 300)
        table.row("the same, tap to feedback p95", statistics.quantiles(seen["taps"], n=20)[-1], 100)
        table.row("the same, transactions a second", seen["writes"] / SECONDS, 25.5, unit="/s")
        page.context.close()


def measure(browser: "Browser", table: Table) -> None:
    first_sync(browser, table, 2000, most=2)
    first_sync(browser, table, 20_000, most=8)
    catching_up(browser, table)
    many_cuts(browser, table)
