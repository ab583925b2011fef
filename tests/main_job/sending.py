"""A terminal that sends a photo: register, upload, process."""

from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.parts import wait_until


def upload(client: httpx.Client, content: bytes, *, product: str | None = None) -> str:
    """Registers a photo in a new album, perhaps for a product, sends its bytes, and returns the photo's id."""
    album = client.post("/api/albums", json={"name": "From the kitchen"}).raise_for_status().json()
    about = {
        "filename": "IMG_0042.JPG",
        "content_type": "image/jpeg",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "product": product,
    }
    photo: dict[str, Any] = client.post(f"/api/albums/{album['id']}/photos", json=about).raise_for_status().json()
    assert photo["status"] == "pending"
    target = photo["upload"]
    address = urljoin(str(client.base_url), target["url"])
    httpx.request(target["method"], address, headers=target["headers"], content=content, timeout=60).raise_for_status()
    return str(photo["id"])


def photo_now(client: httpx.Client, photo_id: str) -> dict[str, Any]:
    photo: dict[str, Any] = client.get(f"/api/photos/{photo_id}").raise_for_status().json()
    return photo


def finished(client: httpx.Client, photo_id: str, *, seconds: float = 60) -> dict[str, Any]:
    """The photo when it is ready or has failed, waiting for it."""
    wait_until(
        lambda: photo_now(client, photo_id)["status"] in {"ready", "failed"},
        seconds=seconds,
        what="the end of processing",
    )
    return photo_now(client, photo_id)


def products(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Every product by its id, as the snapshot has them."""
    snapshot = client.get("/api/sync/product").raise_for_status().json()
    return {item["id"]: item for item in snapshot["items"]}
