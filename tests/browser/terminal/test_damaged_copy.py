"""Whatever the browser has left of its storage, the page starts, shows what it can, and the copy heals."""

import pytest

from tests.browser.terminal.conftest import House, OpenTerminal, Watch, until_connection
from tests.browser.terminal.looking import rows, snapshots, until, until_shown
from tests.posclient.proxy import Proxy

TOUCH = """async (name) => {
  const opening = indexedDB.open(name);
  const db = await new Promise((resolve) => { opening.onsuccess = () => resolve(opening.result); });
  const tx = db.transaction(db.objectStoreNames, "readwrite");
  const { state, objects, records, tickets, settings } =
    Object.fromEntries([...db.objectStoreNames].map((store) => [store, tx.objectStore(store)]));
  DAMAGE;
  await new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = () => reject(tx.error); });
  db.close();
}"""
SHRINK = """() => new Promise((resolve, reject) => {
  const dropping = indexedDB.deleteDatabase("redcoral-copy");
  dropping.onerror = () => reject(dropping.error);
  dropping.onsuccess = () => {
    const opening = indexedDB.open("redcoral-copy", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("something else");
    opening.onsuccess = () => { opening.result.close(); resolve(); };
  };
})"""
NEWER = """() => new Promise((resolve) => {
  const opening = indexedDB.open("redcoral-copy", 99);
  opening.onupgradeneeded = () => opening.result.createObjectStore("of a newer build");
  opening.onsuccess = () => { opening.result.close(); resolve(); };
})"""
# Somebody wants to delete the databases, and somebody holds them: whoever opens one meanwhile waits.
HELD = """async () => {
  globalThis.held = [];
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name);
    held.push(await new Promise((resolve) => { opening.onsuccess = () => resolve(opening.result); }));
    indexedDB.deleteDatabase(name);
  }
}"""
# The database of what exists only here, as another build made it, with a ticket in it.
OTHER_OWN = """async (ticket) => {
  const isNewer = %(is_newer)s;
  const asked = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  if (!isNewer) await asked(indexedDB.deleteDatabase("redcoral-own"));
  const opening = indexedDB.open("redcoral-own", isNewer ? 99 : 1);
  opening.onupgradeneeded = () => (%(make)s)(opening.result);
  const db = await asked(opening);
  await asked(db.transaction("tickets", "readwrite").objectStore("tickets").put(ticket));
  db.close();
}"""
LINE: dict[str, object] = {
    "id": "a",
    "product": "p",
    "name": "Told long ago",
    "price_type": "fixed",
    "unit": "",
    "quantity": 1,
}
TOLD: dict[str, object] = {
    "weight": None,
    "base": 150,
    "price": 150,
    "rules": [],
    "options": [],
    "total": 150,
    "note": "",
    "at": 1,
}
COUNTER: dict[str, object] = {"id": "counter", "table": None, "table_name": "", "zone": None}
TICKET = COUNTER | {"lines": [LINE | TOLD], "total": 150, "since": 1}


@pytest.mark.parametrize(
    ("damage", "fetched"),
    [
        ("state.put({ versions: 7 }, 'held')", 7),
        ("state.clear()", 7),
        ("objects.put('rubbish', ['product', 'x'])", 1),
        ("objects.delete(IDBKeyRange.bound(['product'], ['product', []]))", 1),
    ],
    ids=["state of no shape", "no state", "an object of no shape", "objects missing"],
)
def test_a_damaged_copy_heals(
    damage: str, fetched: int, house: House, proxy: Proxy, open_terminal: OpenTerminal
) -> None:
    product = house.product()
    page = open_terminal()
    until_shown(page, product["id"])
    before = snapshots(proxy)
    page.evaluate("redcoral.close()")
    page.evaluate(TOUCH.replace("DAMAGE", damage), "redcoral-copy")

    page.reload()
    until_connection(page)
    until_shown(page, product["id"])

    assert rows(page) == house.snapshot("product")
    assert snapshots(proxy) == before + fetched
    page.reload()
    until_connection(page)
    assert snapshots(proxy) == before + fetched


@pytest.mark.parametrize(("change", "fetched"), [(SHRINK, 7), (NEWER, 0)], ids=["another shape", "a newer build's"])
def test_a_database_of_another_shape_is_used_or_made_anew(
    change: str, fetched: int, house: House, proxy: Proxy, open_terminal: OpenTerminal
) -> None:
    product = house.product()
    page = open_terminal()
    until_shown(page, product["id"])
    before = snapshots(proxy)
    page.evaluate("redcoral.close()")
    page.evaluate(change)

    page.reload()
    until_connection(page)
    until_shown(page, product["id"])

    assert page.evaluate("redcoral.notices.getSnapshot()") == []
    assert snapshots(proxy) == before + fetched


@pytest.mark.parametrize(
    "make",
    ['(db) => db.createObjectStore("tickets", { keyPath: "id" })', "(db) => db.createObjectStore('later', {})"],
    ids=["an older build's", "a newer build's"],
)
def test_what_exists_only_here_grows_and_is_never_made_anew(
    make: str, house: House, open_terminal: OpenTerminal
) -> None:
    product = house.product()
    page = open_terminal()
    until_shown(page, product["id"])
    page.evaluate("redcoral.close()")
    page.evaluate(OTHER_OWN % {"make": make, "is_newer": str("later" in make).lower()}, TICKET)

    page.reload()
    until_connection(page)

    assert page.evaluate("redcoral.tickets.get('counter').lines.map((line) => line.name)") == ["Told long ago"]
    page.evaluate("redcoral.favourites.set('p', true)")
    page.reload()
    until(page, "() => globalThis.redcoral?.favourites.has('p')")
    assert page.evaluate("redcoral.notices.getSnapshot()") == []
    assert page.evaluate("redcoral.tickets.get('counter').total") == 150


def test_what_exists_only_here_and_cant_be_used_leaves_the_page_as_it_is(
    house: House, open_terminal: OpenTerminal
) -> None:
    product = house.product(price="1.50")
    page = open_terminal()
    until_shown(page, product["id"])
    page.evaluate("redcoral.close()")
    rubbish = """
        tickets.put({ id: "counter", lines: [null] });
        for (const id of ["place", "language", "theme", "recent", "offline", "picture_budget", "size", "tables"])
          settings.put({ id, value: { rubbish: id } })"""
    page.evaluate(TOUCH.replace("DAMAGE", rubbish), "redcoral-own")
    page.evaluate(TOUCH.replace("DAMAGE", "records.put({ key: '0'.repeat(64) })"), "redcoral-pictures")

    page.reload()
    until_connection(page)

    for view in ("tables", "ticket", "storage", "more", "menu"):
        page.evaluate("(view) => { location.hash = `#/${view}`; }", view)
        page.wait_for_selector(f"main > rc-{view}")
        assert page.locator("[data-failed]").count() == 0, view
    page.fill("[data-search]", product["name"])
    page.click(f"[data-product='{product['id']}'] .card-tap")
    until(page, "() => redcoral.tickets.get('counter').total === 150")
    page.reload()
    until(page, "() => globalThis.redcoral?.tickets.get('counter').total === 150")
    assert "can't be used" in page.evaluate("String(redcoral.errors.getSnapshot()[0]?.error)")


def test_databases_that_never_answer_keep_the_page_for_seconds_only(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow("favicon.ico")  # of the page that holds them
    product = house.product(price="1.00")
    page = open_terminal()
    until_shown(page, product["id"])
    page.evaluate("redcoral.close()")
    holder = page.context.new_page()
    holder.goto(f"{proxy.url}/terminal/manifest.webmanifest")
    holder.evaluate(HELD)

    page.reload()

    until_connection(page)
    page.fill("[data-search]", product["name"])
    page.click(f"[data-product='{product['id']}'] .card-tap")
    until(page, "() => redcoral.tickets.get('counter').total === 100")
    assert [notice["name"] for notice in page.evaluate("redcoral.notices.getSnapshot()")] == ["nothing-kept"]


def test_without_indexeddb_everything_works_in_memory_and_it_says_so(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow("status of 401")  # until it has its cookie
    product = house.product(price="1.00")
    page = open_terminal(token=None, state=None)
    page.context.add_init_script("delete globalThis.indexedDB; delete Window.prototype.indexedDB")
    page.context.add_cookies([{"name": "redcoral_device", "value": house.a_token(), "url": proxy.url}])
    page.reload()
    until_connection(page)
    until_shown(page, product["id"], price="1.00")
    house.change(product["id"], price="2.00")

    until_shown(page, product["id"], price="2.00")
    assert [notice["name"] for notice in page.evaluate("redcoral.notices.getSnapshot()")] == ["nothing-kept"]
