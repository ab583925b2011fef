"""A manager drops a photo on a product, and every terminal shows it a moment later, from bytes it can verify."""

import time
from hashlib import sha256
from io import BytesIO

import httpx
import pytest
from PIL import Image

from tests.main_job.conftest import Surroundings
from tests.main_job.photograph import difference, photograph, scene
from tests.main_job.sending import finished, products, upload
from tests.running import Frame, Listener, RunningServer


@pytest.mark.timeout(300)  # a whole server starts
def test_a_photo_reaches_every_terminal_and_is_stored_once(
    server: RunningServer, surroundings: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    kitchen = server.device("Kitchen", "--upload")
    bar = server.device("Bar")
    before = products(kitchen)
    product_id = next(id for id, item in sorted(before.items()) if item["image"] is None)
    away = bar.get("/api/sync/status").raise_for_status().json()
    assert len(photograph()) > 3_000_000

    with Listener(kitchen) as listener:
        hello = listener.first(lambda frame: frame.event == "hello")
        photo_id = upload(kitchen, photograph(), product=product_id)
        asked_at = time.monotonic()
        assert kitchen.post(f"/api/photos/{photo_id}/process").status_code == 202
        photo = finished(kitchen, photo_id)
        hash = photo["hash"]

        def shows_it(frame: Frame) -> bool:
            return frame.event == "sync" and (frame.data["data"] or {}).get("image") == hash

        shown = listener.first(shows_it, what="the event of the product")
        heard = [frame.data for frame in listener.frames if frame.event == "sync"]
    with capsys.disabled():
        print(f"\n  from process to the event: {(shown.at - asked_at) * 1000:.0f} ms", end=" ")  # noqa: T201 -- asked for

    # The photo is ready.
    assert photo["status"] == "ready"
    assert photo["error"] in (None, "")
    assert photo["product"] == product_id

    # Exactly the right product changed, in exactly one respect.
    after = products(kitchen)
    assert set(after) == set(before)
    assert {id for id in after if after[id] != before[id]} == {product_id}
    names = after[product_id].keys()
    assert {name for name in names if after[product_id][name] != before[product_id][name]} == {"image", "updated_at"}
    assert after[product_id]["image"] == hash

    # The stream told of nothing else, and without a gap.
    first = hello.data["versions"]["product"] + 1
    assert [event["version"] for event in heard] == list(range(first, first + len(heard)))
    assert {(event["resource"], event["id"], event["action"]) for event in heard} == {
        ("product", product_id, "updated")
    }
    assert shown.data["data"] == after[product_id]

    # The picture is what its name says, upright, no larger than agreed, and tells no place.
    answer = httpx.get(f"{server.url}/api/image/{hash}.jpg").raise_for_status()
    assert sha256(answer.content).hexdigest() == hash
    assert answer.headers["etag"] == f'"{hash}"'
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.size == (1200, 1600)
        assert not picture.getexif()
        assert difference(picture, scene()) < 3
        assert difference(picture.transpose(Image.Transpose.ROTATE_180), scene()) > 20

    # A terminal that was away catches up.
    since = {"since": away["versions"]["product"], "epoch": away["epoch"]}
    delta = bar.get("/api/sync/product/changes", params=since).raise_for_status().json()
    assert (delta["from"], delta["to"]) == (away["versions"]["product"], delta["head"])
    assert delta["head"] == heard[-1]["version"]
    assert [(change["id"], change["data"]["image"]) for change in delta["changes"]] == [(product_id, hash)]

    # The same photo again is the same picture, stored once.
    stored = surroundings.stored()
    assert len([name for name in stored if hash in name]) == 1
    again_id = upload(kitchen, photograph(), product=product_id)
    assert kitchen.post(f"/api/photos/{again_id}/process").status_code == 202
    again = finished(kitchen, again_id)
    assert (again["status"], again["hash"]) == ("ready", hash)
    assert surroundings.stored() == stored
