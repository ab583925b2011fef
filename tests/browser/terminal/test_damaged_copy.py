"""Whatever the browser has left of the copy, the page starts, shows what it can, and the copy heals."""

import pytest

from tests.browser.terminal.conftest import House, OpenTerminal, Watch, until_connection
from tests.browser.terminal.looking import rows, snapshots, until_shown
from tests.posclient.proxy import Proxy

TOUCH = """async () => {
  const opening = indexedDB.open("redcoral-copy");
  const db = await new Promise((resolve) => { opening.onsuccess = () => resolve(opening.result); });
  const tx = db.transaction(["state", "objects"], "readwrite");
  const [state, objects] = [tx.objectStore("state"), tx.objectStore("objects")];
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
    page.evaluate(TOUCH.replace("DAMAGE", damage))

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
