"""A manager drops a photo on a product, and every terminal shows it a moment later, from bytes it can verify."""

import time
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from PIL import Image

from tests.main_job.conftest import Surroundings
from tests.main_job.photograph import difference, photograph, scene
from tests.parts import wait_until
from tests.running import Frame, Listener, RunningServer

pytestmark = pytest.mark.timeout(300)  # a whole server starts


@dataclass(frozen=True)
class Sent:
    """A photo that was sent and processed."""

    photo: dict[str, Any]
    asked_at: float  # when ``process`` was called, ``time.monotonic``


def send(client: httpx.Client, content: bytes, *, product: str) -> Sent:
    """Sends a photo for ``product`` as a terminal does: register, upload, process; returns when it was processed."""
    album = client.post("/api/albums", json={"name": "From the kitchen"}).raise_for_status().json()
    about = {
        "filename": "IMG_0042.JPG",
        "content_type": "image/jpeg",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "product": product,
    }
    registered = client.post(f"/api/albums/{album['id']}/photos", json=about).raise_for_status().json()
    assert registered["status"] == "pending"
    target = registered["upload"]
    address = urljoin(str(client.base_url), target["url"])
    httpx.request(target["method"], address, headers=target["headers"], content=content, timeout=60).raise_for_status()
    asked_at = time.monotonic()
    asked = client.post(f"/api/photos/{registered['id']}/process")
    assert asked.status_code == 202, asked.text

    def photo() -> dict[str, Any]:
        answer: dict[str, Any] = client.get(f"/api/photos/{registered['id']}").raise_for_status().json()
        return answer

    wait_until(lambda: photo()["status"] in {"ready", "failed"}, seconds=60, what="the end of processing")
    return Sent(photo(), asked_at)


def products(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Every product by its id, as the snapshot has them."""
    snapshot = client.get("/api/sync/product").raise_for_status().json()
    return {item["id"]: item for item in snapshot["items"]}


def test_a_photo_reaches_every_terminal_and_is_stored_once(
    server: RunningServer, surroundings: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    kitchen = server.device("Kitchen", "--upload")
    bar = server.device("Bar")
    before = products(kitchen)
    product_id = next(id for id, item in sorted(before.items()) if item["image"] is None)
    away = bar.get("/api/sync/status").raise_for_status().json()
    assert len(photograph()) > 2_000_000

    with Listener(kitchen) as listener:
        hello = listener.first(lambda frame: frame.event == "hello")
        sent = send(kitchen, photograph(), product=product_id)
        hash = sent.photo["hash"]

        def shows_it(frame: Frame) -> bool:
            return frame.event == "sync" and (frame.data["data"] or {}).get("image") == hash

        shown = listener.first(shows_it, what="the event of the product")
        with capsys.disabled():
            print(f"\n  from process to the event: {(shown.at - sent.asked_at) * 1000:.0f} ms", end=" ")  # noqa: T201
        heard = [frame.data for frame in listener.frames if frame.event == "sync"]

    # The photo is ready, and its product shows it.
    assert sent.photo["status"] == "ready"
    assert sent.photo["error"] in (None, "")
    assert sent.photo["product"] == product_id

    # Exactly this product changed, in exactly this respect.
    after = products(kitchen)
    assert {id for id in after if after[id] != before.get(id)} == {product_id}
    assert set(after) == set(before)
    changed = {name for name in after[product_id] if after[product_id][name] != before[product_id][name]}
    assert changed == {"image", "updated_at"}
    assert after[product_id]["image"] == hash

    # The stream told so, without a gap and without anything else.
    first = hello.data["versions"]["product"] + 1
    assert [event["version"] for event in heard] == list(range(first, first + len(heard)))
    assert {(event["resource"], event["id"], event["action"]) for event in heard} == {
        ("product", product_id, "updated")
    }
    assert shown.data["data"] == after[product_id]

    # The picture is what its name says, upright, no larger than it should be, and tells nothing about its place.
    answer = httpx.get(f"{server.url}/api/image/{hash}.jpg").raise_for_status()
    assert sha256(answer.content).hexdigest() == hash
    assert answer.headers["etag"] == f'"{hash}"'
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.size == (1200, 1600)
        assert not picture.getexif()
        assert difference(picture, scene()) < 3
        assert difference(picture.transpose(Image.Transpose.ROTATE_180), scene()) > 20

    # A terminal that was away catches up.
    missed = bar.get("/api/sync/product/changes", params={"since": away["versions"]["product"], "epoch": away["epoch"]})
    delta = missed.raise_for_status().json()
    assert (delta["from"], delta["to"]) == (away["versions"]["product"], delta["head"])
    assert delta["head"] == heard[-1]["version"]
    assert [(change["id"], change["data"]["image"]) for change in delta["changes"]] == [(product_id, hash)]

    # The same photo again is the same picture, stored once.
    stored = surroundings.stored()
    assert len([name for name in stored if hash in name]) == 1
    again = send(kitchen, photograph(), product=product_id)
    assert (again.photo["status"], again.photo["hash"]) == ("ready", hash)
    assert surroundings.stored() == stored
