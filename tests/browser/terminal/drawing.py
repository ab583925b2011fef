"""Which parts of the page are drawn again."""

from typing import TYPE_CHECKING

from tests.posclient.conftest import numbers

if TYPE_CHECKING:
    from playwright.sync_api import Page

LISTEN = """() => {
  globalThis.drawn = [];
  const partOf = (node) => {
    const element = node.nodeType === 1 ? node : node.parentElement;
    const part = element?.closest("rc-card, rc-indicator, rc-changes, rc-ticket, rc-toasts");
    if (!part) return element ? `${element.localName}.${element.className}` : "nowhere";
    return part.localName === "rc-card" ? part.dataset.product : part.localName;
  };
  new MutationObserver((records) => globalThis.drawn.push(...records.map((record) => partOf(record.target)))).observe(
    document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def unique() -> str:
    """A number that is in no other name of the house."""
    return str(next(numbers))


def listen_to_drawing(page: "Page") -> None:
    """From now on ``drawn`` knows each part that is changed: a card by its product, the others by their names."""
    page.evaluate(LISTEN)


def drawn(page: "Page", *, quiet: float = 0.6) -> set[str]:
    """The parts that were drawn again since the last call, once nothing was drawn for ``quiet`` seconds."""
    before = -1
    while (now := page.evaluate("drawn.length")) != before:
        before = now
        page.wait_for_timeout(quiet * 1000)
    return set(page.evaluate("drawn.splice(0)"))
