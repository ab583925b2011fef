"""A photo that was taken without a network is shown at once, kept byte for byte, and sent when there is one."""

import base64
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from normalform import is_normal_form
from tests.images.pictures import normal_jpeg
from tests.posclient.proxy import Proxy

from .conftest import House, OpenTerminal, Watch, until_connection
from .pictures import kept, seeds, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(240)]

ADD = """async ([data, product]) => {
  const bytes = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0));
  return await redcoral.outbox.add(new File([bytes], "soup.jpg"), { product }).catch((error) => error.code);
}"""
SENT = "() => redcoral.outbox.getSnapshot().length === 0"
SHOWS = "([id, hash]) => redcoral.resources.product.get(id)?.image === hash"


def add(page: "Page", data: bytes, product: str | None = None) -> str:
    """The hash of the photo, or the code of the error."""
    return str(page.evaluate(ADD, [base64.b64encode(data).decode(), product]))


def camera_photo(**how: Any) -> bytes:
    """Lying on its side, as a camera says in its metadata: upright the left half is red, with a blue bar at the top."""
    upright = Image.new("RGB", (1200, 1800), "#228833")
    draw = ImageDraw.Draw(upright)
    draw.rectangle((0, 0, 600, 1800), fill="#cc2222")
    draw.rectangle((0, 0, 1200, 200), fill="#2222cc")
    draw.rectangle((next(seeds) % 1000, 1700, 1190, 1790), fill="#ffffff")  # nobody has seen it before
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken in the kitchen"
    file = BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=exif, comment=b"<script>", **how)
    return file.getvalue()


@pytest.fixture
def waiter(house: House, open_terminal: OpenTerminal) -> "Page":
    return open_terminal(token=house.a_token(may_upload=True))


def test_a_photo_taken_offline_is_shown_at_once_and_sent_later(
    house: House, proxy: Proxy, waiter: "Page", watch: Watch
) -> None:
    product = house.product()["id"]
    waiter.wait_for_function("(id) => redcoral.resources.product.get(id)", arg=product)
    watch.allow("ERR_", "Failed to load resource")
    proxy.cut_network()
    hash = add(waiter, camera_photo(quality=95), product)
    assert show(waiter, hash) == (1067, 1600)
    assert [photo["hash"] for photo in waiter.evaluate("redcoral.outbox.getSnapshot()")] == [hash]
    taken = kept(waiter, hash)

    waiter.close()  # the tablet is switched off, and on again the next morning
    proxy.restore_network()
    again = waiter.context.new_page()
    again.goto(f"{proxy.url}/terminal/")
    until_connection(again)
    again.wait_for_function(SHOWS, arg=[product, hash])
    again.wait_for_function(SENT)
    stored = house.manager.get(f"/api/image/{hash}.jpg").raise_for_status().content
    assert stored == taken
    assert sha256(stored).hexdigest() == hash
    assert kept(again, hash) == taken
    assert show(again, hash) == (1067, 1600)
    assert proxy.images_downloaded()[hash] == 0


def test_a_photo_that_waits_outlives_a_reload_without_the_network(
    house: House, proxy: Proxy, waiter: "Page", watch: Watch
) -> None:
    product = house.product()["id"]
    waiter.wait_for_selector(f"[data-product='{product}']")
    waiter.wait_for_function("() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller)")
    watch.allow("ERR_", "Failed to load resource")
    proxy.cut_network()
    until_connection(waiter, "waiting")
    waiter.click(f"[data-product='{product}'] .card-info")
    waiter.set_input_files("[data-photo]", {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": camera_photo()})
    waiter.wait_for_selector("[data-sheet] img[data-hash]")
    hash = str(waiter.get_attribute("[data-sheet] img", "data-hash"))
    taken = kept(waiter, hash)
    assert sha256(taken).hexdigest() == hash

    for _twice in range(2):
        waiter.reload()
        waiter.wait_for_selector(f"[data-product='{product}'] img[data-hash='{hash}']")
        assert show(waiter, hash) == (1067, 1600)
        assert kept(waiter, hash) == taken
    waiter.click(f"[data-product='{product}'] .card-info")
    waiter.wait_for_selector("[data-sheet] :text('waits on this device until it is sent')")
    proxy.restore_network()

    waiter.wait_for_function(SHOWS, arg=[product, hash])
    waiter.wait_for_function(SENT)
    assert house.manager.get(f"/api/image/{hash}.jpg").raise_for_status().content == taken
    assert kept(waiter, hash) == taken
    assert proxy.images_downloaded()[hash] == 0


def test_what_a_browser_makes_of_a_photo_is_upright_and_in_normal_form(
    waiter: "Page", proxy: Proxy, watch: Watch
) -> None:
    watch.allow("ERR_", "Failed to load resource")
    proxy.cut_network()
    made = kept(waiter, add(waiter, camera_photo()))
    assert is_normal_form(made)
    with Image.open(BytesIO(made)) as image:
        assert image.size == (1067, 1600)
        red, blue, green = [image.convert("RGB").getpixel(place) for place in ((200, 900), (500, 60), (900, 900))]
    for colour, expected in ((red, (0xCC, 0x22, 0x22)), (blue, (0x22, 0x22, 0xCC)), (green, (0x22, 0x88, 0x33))):
        assert isinstance(colour, tuple)
        assert max(abs(one - other) for one, other in zip(colour, expected, strict=True)) < 12


def test_what_is_in_normal_form_is_kept_byte_for_byte(waiter: "Page", house: House) -> None:
    data = normal_jpeg(seed=next(seeds), width=400, height=300)
    hash = sha256(data).hexdigest()
    assert add(waiter, data) == hash
    waiter.wait_for_function(SENT)
    assert house.manager.get(f"/api/image/{hash}.jpg").raise_for_status().content == data


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1"])
def test_pictures_of_other_kinds_become_normal_form(waiter: "Page", proxy: Proxy, watch: Watch, mode: str) -> None:
    watch.allow("ERR_", "Failed to load resource")
    proxy.cut_network()
    file = BytesIO()
    Image.new(mode, (300, 200)).save(file, "PNG")
    made = kept(waiter, add(waiter, file.getvalue()))
    assert is_normal_form(made)
    with Image.open(BytesIO(made)) as image:
        corner = image.convert("RGB").getpixel((10, 10))
    assert corner == ((255, 255, 255) if mode in {"RGBA", "LA"} else (0, 0, 0))  # what is transparent lies on white


def test_what_is_no_photo_is_refused_in_the_servers_words(waiter: "Page") -> None:
    assert add(waiter, b"<html>") == "unsupported_image"
    assert add(waiter, camera_photo()[:300]) == "broken_image"
    assert add(waiter, b"") == "unsupported_image"
    too_large = "redcoral.outbox.add(new Blob([new Uint8Array(25 * 1024 * 1024 + 1)])).catch((error) => error.code)"
    assert waiter.evaluate(too_large) == "too_large"
    assert waiter.evaluate("redcoral.outbox.getSnapshot()") == []


def test_without_the_scope_there_is_nothing_to_send(open_terminal: OpenTerminal) -> None:
    assert add(open_terminal(), camera_photo()) == "forbidden"
