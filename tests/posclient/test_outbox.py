"""Pictures that were added offline: shown at once, sent once, whatever the network does."""

from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from posclient import Bridge, NotAllowed, PictureRefused, Terminal
from tests.images.pictures import encoded, photograph, quarters
from tests.posclient.conftest import NewTerminal, Shop, new_picture
from tests.posclient.proxy import Fault, Kind, Proxy
from tests.posclient.test_bridge import answering

PRODUCT = "4f1c6c1e-0000-4000-8000-000000000000"


def photo_of_a_phone(seed: int) -> bytes:
    """Large, lying on its side, with a place: nothing of it is normal form."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(photograph(2000, 1500, seed), quality=92, exif=exif)


def test_a_picture_added_offline_is_shown_at_once_under_its_final_hash(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal, tmp_path: Path
) -> None:
    terminal = new_terminal(via=proxy)
    proxy.cut_network()
    photo = tmp_path / "IMG_0042.JPG"
    photo.write_bytes(photo_of_a_phone(3))

    hash = terminal.outbox.add_image(photo)

    path = terminal.images.get_image_path(hash)
    data = path.read_bytes()
    assert sha256(data).hexdigest() == hash
    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (1200, 1600)
        assert not picture.getexif()
    result = terminal.outbox.sync_image_uploads()
    assert (result["uploaded_count"], result["waiting_count"], result["failed"]) == (0, 1, [])
    assert terminal.images.cleanup_image_cache([]) == {"removed_count": 0, "freed_bytes": 0}
    assert terminal.images.cleanup_old_cache(0) == {"removed_count": 0, "freed_bytes": 0}
    assert path.read_bytes() == data

    proxy.restore_network()
    assert terminal.outbox.sync_image_uploads() == {
        "uploaded_count": 1,
        "already_there": 0,
        "waiting_count": 0,
        "failed": [],
    }
    assert shop.stored(hash)
    assert terminal.images.get_image_path(hash).read_bytes() == data
    assert not proxy.images_downloaded()
    assert list(terminal.outbox.store.waiting_folder.iterdir()) == []


def test_a_picture_for_a_product_ends_up_on_it(shop: Shop, terminal: Terminal) -> None:
    product = shop.product()

    hash = terminal.outbox.add_image(photo_of_a_phone(4), product["id"])
    result = terminal.outbox.sync_image_uploads()

    assert result == {"uploaded_count": 1, "already_there": 0, "waiting_count": 0, "failed": []}
    assert shop.snapshot("product")[product["id"]]["image"] == hash
    assert terminal.outbox.waiting() == []


def test_the_same_picture_waits_once_and_is_sent_once(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    terminal = new_terminal(via=proxy)
    picture = new_picture()

    hashes = {terminal.outbox.add_image(picture) for _time in range(3)}

    assert len(terminal.outbox.waiting()) == 1
    assert terminal.outbox.sync_image_uploads()["uploaded_count"] == 1
    assert hashes == {sha256(picture).hexdigest()}  # normal form is kept byte for byte
    terminal.outbox.add_image(picture)
    result = terminal.outbox.sync_image_uploads()
    assert (result["uploaded_count"], result["already_there"]) == (0, 1)
    assert len(proxy.asked("/api/images")) == 1


def test_no_product_is_no_product_however_it_is_said(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "dish.jpg").write_bytes(new_picture())

    first = terminal.outbox.add_image(path=tmp_path / "dish.jpg")
    assert terminal.outbox.add_image(path=tmp_path / "dish.jpg", product="") == first

    assert [(waiting.hash, waiting.product) for waiting in terminal.outbox.waiting()] == [(first, None)]


def damage_in_the_middle(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no database at all" * 100),
        lambda path: path.write_bytes(b""),
        damage_in_the_middle,
        Path.unlink,
    ],
    ids=["another file", "emptied", "damaged", "lost"],
)
def test_an_outbox_without_its_list_sends_what_lies_in_its_folder(
    shop: Shop, new_terminal: NewTerminal, damage: Callable[[Path], object]
) -> None:
    with new_terminal() as terminal:
        hashes = {terminal.outbox.add_image(new_picture(), shop.product()["id"]) for _number in range(2)}
        path = terminal.outbox.store.path
        broken = terminal.outbox.store.waiting_folder / f"{'0' * 64}.jpg"
    broken.write_bytes(b"half a picture")
    damage(path)

    again = new_terminal()

    assert {(waiting.hash, waiting.product) for waiting in again.outbox.waiting()} == {(hash, None) for hash in hashes}
    result = again.outbox.sync_image_uploads()
    assert (result["uploaded_count"], result["waiting_count"], result["failed"]) == (2, 0, [])
    assert all(shop.stored(hash) for hash in hashes)


def test_a_waiting_picture_that_was_damaged_is_whole_again_when_it_is_added_again(
    shop: Shop, terminal: Terminal
) -> None:
    picture = new_picture()
    hash = terminal.outbox.add_image(picture)
    (terminal.outbox.store.waiting_folder / f"{hash}.jpg").write_bytes(b"damaged")
    assert [failure["hash"] for failure in terminal.outbox.sync_image_uploads()["failed"]] == [hash]

    terminal.outbox.add_image(picture)

    assert terminal.images.get_image_path(hash).read_bytes() == picture
    assert terminal.outbox.sync_image_uploads()["uploaded_count"] == 1
    assert shop.stored(hash)


@pytest.mark.any_database
@pytest.mark.parametrize("status", ["200 OK", "302 Found", "403 Forbidden", "404 Not Found", "405 Method Not Allowed"])
def test_what_a_captive_portal_says_fails_no_picture(tmp_path: Path, status: str) -> None:
    portal = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 7\r\nConnection: close\r\n\r\nWelcome"
    with answering(portal.encode()) as url, Terminal(Bridge.client(url, token="t"), tmp_path) as terminal:
        terminal.outbox.add_image(new_picture())
        terminal.outbox.add_image(new_picture(), PRODUCT)

        result = terminal.outbox.sync_image_uploads()

        assert result == {"uploaded_count": 0, "already_there": 0, "waiting_count": 2, "failed": []}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("product", "body"),
    [
        *(
            (None, body)
            for body in ("[]", "{}", "null", '{"missing": null}', '{"missing": [{}]}', '{"missing": ["HASH"]}')
        ),
        *((PRODUCT, body) for body in ("[]", "{}", "null", '{"id": 1}', '{"id": 1, "upload": {}}')),
        *(
            (PRODUCT, f'{{"id": 1, "upload": null{more}}}')
            for more in ("", ', "status": "ready"', ', "status": "failed"')
        ),
    ],
)
def test_an_answer_without_what_it_needs_lets_the_picture_wait(tmp_path: Path, product: str | None, body: str) -> None:
    picture = new_picture()
    body = body.replace("HASH", sha256(picture).hexdigest())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    answer = f"{head}\r\n\r\n{body}".encode()
    with answering(answer) as url, Terminal(Bridge.client(url, token="t"), tmp_path) as terminal:
        terminal.outbox.add_image(picture, product)

        result = terminal.outbox.sync_image_uploads()

        assert result == {"uploaded_count": 0, "already_there": 0, "waiting_count": 1, "failed": []}
        assert terminal.outbox.waiting()[0].error


def test_what_is_no_picture_is_refused_at_once_and_does_not_wait(terminal: Terminal) -> None:
    with pytest.raises(PictureRefused) as refused:
        terminal.outbox.add_image(b"<svg onload=alert(1)>")
    assert refused.value.code == "unsupported_image"
    assert terminal.outbox.waiting() == []
    assert list(terminal.outbox.store.waiting_folder.iterdir()) == []


def test_what_fails_for_good_says_why_and_can_be_tried_again(shop: Shop, terminal: Terminal) -> None:
    product = shop.product()
    shop.delete(product["id"])
    hash = terminal.outbox.add_image(new_picture(), product["id"])

    result = terminal.outbox.sync_image_uploads()

    (failure,) = result["failed"]
    assert (failure["hash"], failure["product"]) == (hash, product["id"])
    assert "product" in failure["reason"]
    assert terminal.images.get_cached_path(hash) is not None  # it is still here
    again = terminal.outbox.sync_image_uploads()
    assert again == {**result, "uploaded_count": 0}
    shop.manager.put(
        f"/api/products/{product['id']}", json={"name": "Back", "price": "1.00", "category": shop.category}
    ).raise_for_status()
    assert terminal.outbox.retry_failed() == 1
    assert terminal.outbox.sync_image_uploads()["uploaded_count"] == 1
    assert shop.snapshot("product")[product["id"]]["image"] == hash


def test_a_failed_one_that_was_removed_is_forgotten(shop: Shop, terminal: Terminal) -> None:
    hash = terminal.outbox.add_image(new_picture(), shop.product()["id"])
    (photo,) = terminal.outbox.waiting()

    terminal.outbox.remove(photo.id)

    assert terminal.outbox.waiting() == []
    assert terminal.images.get_cached_path(hash) is None
    assert terminal.outbox.sync_image_uploads()["waiting_count"] == 0


def test_a_product_shows_the_picture_that_was_added_last(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    """Also when the server would be done with the last one first, and when it was added before."""
    product = shop.product()["id"]
    terminal = new_terminal(via=proxy)
    last = new_picture()
    terminal.outbox.add_image(last, product)
    first = terminal.outbox.add_image(photo_of_a_phone(5), product)
    hash = terminal.outbox.add_image(last, product)
    shown: list[str | None] = []

    def look(path: str) -> None:
        if step_of(path) == "register":
            shown.append(shop.snapshot("product")[product]["image"])

    proxy.choose = look
    result = terminal.outbox.sync_image_uploads()

    assert result == {"uploaded_count": 2, "already_there": 0, "waiting_count": 0, "failed": []}
    assert shown == [None, first]
    assert shop.snapshot("product")[product]["image"] == hash


def test_a_device_that_may_not_upload_keeps_what_it_has(shop: Shop, new_terminal: NewTerminal) -> None:
    terminal = new_terminal(token=shop.new_token())
    terminal.outbox.add_image(new_picture())

    with pytest.raises(NotAllowed):
        terminal.outbox.sync_image_uploads()

    assert [photo.failed for photo in terminal.outbox.waiting()] == [False]


@pytest.mark.parametrize("kind", ["refuse", "reset"])
@pytest.mark.parametrize("step", ["album", "register", "put", "process", "look"])
def test_a_step_that_was_lost_is_made_up_for_without_a_duplicate(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal, step: str, kind: Kind
) -> None:
    """``refuse`` loses the request; ``reset`` the answer, so the server has done what the terminal will ask again."""
    product = shop.product()
    terminal = new_terminal(via=proxy)
    hash = terminal.outbox.add_image(new_picture(), product["id"])
    met: list[str] = []

    def choose(path: str) -> Fault | None:
        if step_of(path) == step and len(met) < 2:  # a GET is repeated once by the bridge itself
            met.append(path)
            return Fault(kind)
        return None

    proxy.choose = choose
    first = terminal.outbox.sync_image_uploads()
    second = terminal.outbox.sync_image_uploads()
    third = terminal.outbox.sync_image_uploads()

    assert met
    assert proxy.fired[kind] >= 1
    assert first["uploaded_count"] + second["uploaded_count"] + third["uploaded_count"] == 1
    assert third["waiting_count"] == 0
    assert first["failed"] == second["failed"] == third["failed"] == []
    assert shop.snapshot("product")[product["id"]]["image"] == hash
    processed = {asked.path for asked in proxy.asked_below("/api/photos/") if asked.path.endswith("/process")}
    assert len(processed) == 1
    if step in ("put", "process"):
        assert any(asked.path.endswith("/reconcile") for asked in proxy.asked_below("/api/albums/"))


def step_of(path: str) -> str:
    if path == "/api/albums":
        return "album"
    if path.endswith("/photos"):
        return "register"
    if path.endswith("/process"):
        return "process"
    if path.startswith("/api/photos/"):
        return "look"
    return "put" if "upload" in path else "other"


def test_cleaning_up_is_tried_three_times_and_again_the_next_time(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    product = shop.product()
    terminal = new_terminal(via=proxy)
    terminal.outbox.add_image(new_picture(), product["id"])
    shop.delete(product["id"])
    lost: list[str] = []

    def lose_deletions(path: str) -> Fault | None:
        if path.startswith("/api/photos/"):
            lost.append(path)
            return Fault("refuse")
        return None

    proxy.choose = lose_deletions
    terminal.outbox.sync_image_uploads()
    assert len(lost) == 3
    assert [bool(photo.cleanup) for photo in terminal.outbox.waiting()] == [True]

    proxy.choose = lambda path: None
    terminal.outbox.sync_image_uploads()

    assert [bool(photo.cleanup) for photo in terminal.outbox.waiting()] == [False]
    assert [asked.status for asked in proxy.asked_below("/api/photos/") if asked.method == "DELETE"] == [204]


def test_two_processes_send_each_picture_once(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    from concurrent.futures import ThreadPoolExecutor

    terminals = [new_terminal(via=proxy), new_terminal(via=proxy)]
    for _number in range(6):
        terminals[0].outbox.add_image(new_picture())

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda terminal: terminal.outbox.sync_image_uploads(), terminals))

    assert sum(result["uploaded_count"] for result in results) == 6
    assert len(proxy.asked("/api/images")) == 6
    assert [photo for terminal in terminals for photo in terminal.outbox.waiting()] == []


def test_uploading_online_gives_what_the_server_has(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    terminal = new_terminal(via=proxy)
    picture = encoded(quarters(300, 200), "PNG") + new_picture()  # junk behind a PNG makes no difference

    uploaded = terminal.upload_image(picture)

    assert (uploaded.width, uploaded.height, uploaded.url) == (300, 200, f"/api/image/{uploaded.hash}.jpg")
    assert terminal.images.get_image_path(uploaded.hash).stat().st_size == uploaded.size
    assert not proxy.images_downloaded()  # it was made here
    assert not terminal.upload_image(picture).created
