"""Products with pictures, and what a page says of its pictures."""

import base64
import itertools
import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tests.images.pictures import normal_jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import House

seeds: Iterator[int] = itertools.count(int.from_bytes(secrets.token_bytes(3)) * 1000)

# The bytes that the page keeps of a picture: of one that waits to be sent, or of one that came.
KEPT = """async (hash) => {
  const waiting = await redcoral.databases.own.read("outbox_bytes", (tx) => tx.get("outbox_bytes", hash));
  const bytes = waiting ?? (await redcoral.images.bytes.read([hash])).get(hash)?.bytes;
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
}"""
# The picture is fetched, and painted.
SHOW = """async (hash) => {
  const image = new Image();
  image.src = await redcoral.images.getImageUrl(hash);
  await image.decode();
  return [image.naturalWidth, image.naturalHeight];
}"""
COMPLETE = """(hashes) => {
  if (!globalThis.redcoral) return false; // the page is still being loaded
  const { state, stored, wanted } = redcoral.pictures.getSnapshot();
  return state === "complete" && stored === wanted && hashes.every((hash) => redcoral.images.bytes.get(hash));
}"""


def product_with_picture(house: "House", *, width: int = 640, height: int = 480, **values: Any) -> dict[str, Any]:
    """A new product that shows a new picture."""
    data = normal_jpeg(seed=next(seeds), width=width, height=height)
    house.manager.post("/api/images", content=data, headers={"Content-Type": "image/jpeg"}).raise_for_status()
    return house.product(image=sha256(data).hexdigest(), **values)


def show(page: "Page", hash: str) -> tuple[int, int]:
    """Width and height of the picture, once it is painted."""
    width, height = page.evaluate(SHOW, hash)
    return width, height


def kept(page: "Page", hash: str) -> bytes:
    """The bytes that the page keeps of a picture."""
    return base64.b64decode(page.evaluate(KEPT, hash))


def until_complete(page: "Page", hashes: list[str]) -> None:
    """Waits until all pictures are kept, these among them."""
    page.wait_for_function(COMPLETE, arg=hashes)
