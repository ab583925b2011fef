"""What tests ask the page's Terminal itself, beside what its page shows."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.posclient.proxy import Proxy

if TYPE_CHECKING:
    from playwright.sync_api import Page

KEPT = ("product", "category", "tag", "attribute", "zone", "dining_table", "price_rule")
BROKEN_NETWORK = "net::ERR_"  # what Chromium's console says of every request that came to nothing


def until(page: "Page", true: str, argument: Any = None, *, seconds: float = 20) -> None:
    """Waits until this JavaScript is true; ``redcoral`` is the page's Terminal."""
    page.wait_for_function(true, arg=argument, timeout=seconds * 1000)


def until_state(page: "Page", state: str, *, seconds: float = 20) -> None:
    until(page, "(state) => globalThis.redcoral?.connection.getSnapshot().state === state", state, seconds=seconds)


def rows(page: "Page", resource: str = "product") -> dict[str, Any]:
    """What the page's Terminal shows of a resource."""
    found = page.evaluate("(name) => redcoral.resources[name].getSnapshot()", resource)
    return {row["id"]: row for row in found}


def until_shown(page: "Page", product: str, **values: Any) -> None:
    """Waits until a product has these values in memory."""
    until(
        page,
        """([id, values]) => {
          const row = globalThis.redcoral?.resources.product.get(id);
          return row && Object.entries(values).every(([key, value]) => row[key] === value);
        }""",
        [product, values],
    )


def crash(page: "Page") -> None:
    """Kills the page's process, which has no time for anything more."""
    from playwright.sync_api import Error

    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
    page.close()


def snapshots(proxy: Proxy) -> int:
    """How many snapshots were asked for."""
    return sum(len(proxy.asked(f"/api/sync/{name}")) for name in KEPT)


def deltas(proxy: Proxy) -> int:
    return sum(len(proxy.asked(f"/api/sync/{name}/changes")) for name in KEPT)
