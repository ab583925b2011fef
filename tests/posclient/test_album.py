"""``posclient upload --album``: a folder of photos, against a server that listens and a worker that works."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid5

import pytest

from posclient import _album, _photos
from tests.images.pictures import encoded, photograph
from tests.posclient.conftest import SOURCE, CommandLine, Shop, new_picture, numbers
from tests.posclient.proxy import Fault, Kind, Proxy


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_photos, "PAUSE", 0.02)
    monkeypatch.setattr(_album, "LOOK_SECONDS", 0.05)


@dataclass
class Autumn:
    """A folder with three pictures, one of them below it, and another file; and products that they may be of."""

    shop: Shop
    folder: Path
    espresso: str
    tea: str
    cola: str
    album: str

    @property
    def album_id(self) -> str:
        return str(uuid5(_album.NAMESPACE, self.album))

    def words(self, *more: str) -> tuple[str, ...]:
        return ("upload", str(self.folder), "--album", self.album, *more)

    def photos(self) -> dict[str, dict[str, Any]]:
        """The album's, by the name of the file. Fails when there are two of one name."""
        answer = self.shop.manager.get(f"/api/albums/{self.album_id}/photos")
        listed = answer.raise_for_status().json()["photos"]
        photos = {photo["filename"]: photo for photo in listed}
        assert len(photos) == len(listed)
        return photos

    def states(self) -> list[tuple[str, int]]:
        """Status and attempts of each photo."""
        return [(photo["status"], photo["attempts"]) for photo in self.photos().values()]

    def add(self, name: str) -> None:
        (self.folder / name).write_bytes(new_picture())


@pytest.fixture
def autumn(shop: Shop, tmp_path: Path) -> Autumn:
    number = next(numbers)
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    (folder / f"ESP-{number}.png").write_bytes(encoded(photograph(300, 200, number % 1000), "PNG"))
    (folder / f"Cola {number}.jpg").write_bytes(new_picture())
    (folder / "more" / f"TEA-{number}.JPG").write_bytes(new_picture())
    (folder / "notes.txt").write_text("no picture")
    skus = {"Espresso": f"ESP-{number}", "Tea": f"TEA-{number}", "Cola": ""}
    ids = {name: shop.product(name=f"{name} {number}", sku=sku)["id"] for name, sku in skus.items()}
    return Autumn(shop, folder, ids["Espresso"], ids["Tea"], ids["Cola"], f"Autumn {number}")


@pytest.fixture
def through(posclient: CommandLine, proxy: Proxy, shop: Shop) -> CommandLine:
    """The command line of a terminal that reaches its server through the proxy."""
    posclient("enroll", proxy.url, "-", stdin=shop.token)
    return posclient


def all_sent(count: int, *without_product: str) -> dict[str, Any]:
    return {
        "refused": [],
        "uploaded_count": count,
        "waiting_count": 0,
        "failed": [],
        "without_product": list(without_product),
    }


def test_a_folder_comes_into_its_album_and_onto_its_products(enrolled: CommandLine, autumn: Autumn) -> None:
    assert enrolled.json(*autumn.words("--match", "any")) == all_sent(3)

    photos = autumn.photos()
    assert {photo["product"] for photo in photos.values()} == {autumn.espresso, autumn.tea, autumn.cola}
    assert autumn.states() == [("ready", 1)] * 3
    assert autumn.shop.manager.get(f"/api/albums/{autumn.album_id}").json()["name"] == autumn.album
    products = autumn.shop.snapshot("product")
    assert {products[photo["product"]]["image"] for photo in photos.values()} == {p["hash"] for p in photos.values()}


@pytest.mark.any_database
def test_what_has_no_product_is_said_and_comes_into_the_album(enrolled: CommandLine, autumn: Autumn) -> None:
    cola = next(path.name for path in autumn.folder.glob("Cola*"))

    said, complained = enrolled.run(*autumn.words("--match", "sku"), code=0, stdin="")

    assert said == "3 sent, 0 wait, 0 failed\n"
    assert f"{cola}: no product found; it comes into the album only\n" in complained
    assert "3/3" in complained  # the bar
    assert autumn.photos()[cola]["product"] is None
    assert enrolled.json(*autumn.words("--match", "sku")) == all_sent(3, cola)


def test_a_second_run_sends_only_what_is_new(through: CommandLine, autumn: Autumn, proxy: Proxy) -> None:
    through(*autumn.words())
    autumn.add("Water.jpg")

    assert through.json(*autumn.words()) == all_sent(4)

    assert autumn.states() == [("ready", 1)] * 4
    assert len(proxy.asked_below("/api/uploads/")) == 4
    assert len(proxy.asked("/api/albums")) == 1


@pytest.mark.any_database
def test_an_album_that_was_renamed_meanwhile_is_gone_on_with(enrolled: CommandLine, autumn: Autumn) -> None:
    enrolled(*autumn.words())
    rename = f"from uploads.models import Album; Album.objects.filter(pk='{autumn.album_id}').update(name='Winter')"
    autumn.shop.server.manage("shell", "-c", rename)
    autumn.add("Water.jpg")

    assert enrolled.json(*autumn.words()) == all_sent(4)

    assert autumn.shop.manager.get(f"/api/albums/{autumn.album_id}").json()["name"] == "Winter"
    assert autumn.states() == [("ready", 1)] * 4


def test_a_run_that_was_cut_off_is_finished_by_the_next(through: CommandLine, autumn: Autumn, proxy: Proxy) -> None:
    got_through: list[str] = []

    def cut(path: str) -> Fault | None:
        if path.startswith("/api/uploads/"):
            got_through.append(path)
            return Fault("refuse") if len(got_through) > 1 else None
        return None

    proxy.choose = cut
    first = through.json(*autumn.words(), code=1)
    assert (first["uploaded_count"], len(first["failed"])) == (1, 2)
    assert proxy.fired["refuse"] == 2 * _photos.TRIES
    proxy.choose = lambda path: None

    assert through.json(*autumn.words()) == all_sent(3)
    assert autumn.states() == [("ready", 1)] * 3


@pytest.mark.any_database
@pytest.mark.parametrize("kind", ["refuse", "reset"])
@pytest.mark.parametrize("step", ["/api/albums", "/photos", "/api/uploads/", "/process", "/match"])
def test_a_request_or_an_answer_that_is_lost_is_made_up_for_at_once(
    through: CommandLine, autumn: Autumn, proxy: Proxy, step: str, kind: Kind
) -> None:
    """``refuse`` loses the request; ``reset`` the answer, so the server has done what is asked again."""
    lost: list[str] = []

    def lose(path: str) -> Fault | None:
        if len(lost) < 2 and (step in path if step == "/api/uploads/" else path.endswith(step)):
            lost.append(path)
            return Fault(kind)
        return None

    proxy.choose = lose

    assert through.json(*autumn.words("--match", "any")) == all_sent(3)

    assert proxy.fired[kind] == len(lost) >= 1
    assert autumn.states() == [("ready", 1)] * 3


def test_a_network_that_goes_ends_the_run_and_the_next_one_goes_on(
    through: CommandLine, autumn: Autumn, proxy: Proxy
) -> None:
    for number in range(10):
        autumn.add(f"{number}.jpg")

    def cut(path: str) -> None:
        if path.endswith("/process"):
            proxy.cut_network()

    proxy.choose = cut
    through.complains(*autumn.words(), code=4)
    assert proxy.fired["cut network"] >= 1
    proxy.choose = lambda path: None
    proxy.restore_network()

    assert through.json(*autumn.words()) == all_sent(13)
    assert autumn.states() == [("ready", 1)] * 13


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_run_that_was_stopped_is_finished_by_the_next(
    through: CommandLine, autumn: Autumn, proxy: Proxy, sign: signal.Signals, code: int
) -> None:
    for number in range(10):
        autumn.add(f"{number}.jpg")
    running: list[subprocess.Popen[bytes]] = []
    told: list[str] = []

    def stop(path: str) -> None:
        if path.endswith("/process") and not told:  # once: a second Ctrl-C would end it at once
            told.append(path)
            running[0].send_signal(sign)

    proxy.choose = stop
    running.append(
        subprocess.Popen(
            [sys.executable, "-m", "posclient", *autumn.words()],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **through.own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,  # a shell may have ignored it
        )
    )
    assert running[0].wait(60) == code
    proxy.choose = lambda path: None

    assert through.json(*autumn.words()) == all_sent(13)
    assert autumn.states() == [("ready", 1)] * 13


def test_a_file_that_is_no_picture_is_named_and_the_others_become_ready(enrolled: CommandLine, autumn: Autumn) -> None:
    (autumn.folder / "more" / "broken.jpg").write_bytes(b"no picture")

    result = enrolled.json(*autumn.words(), code=1)

    assert result == {**all_sent(3), "failed": [{"file": "more/broken.jpg", "reason": "unsupported_image"}]}
    assert "  more/broken.jpg: unsupported_image\n" in enrolled(*autumn.words(), code=1)


@pytest.mark.any_database
def test_a_failed_photo_whose_original_is_gone_is_sent_anew(enrolled: CommandLine, autumn: Autumn) -> None:
    (autumn.folder / "broken.jpg").write_bytes(b"no picture")
    enrolled(*autumn.words(), code=1)
    failed = autumn.photos()["broken.jpg"]["id"]
    (original,) = autumn.shop.server.data.rglob(f"*{failed}*")
    original.unlink()

    result = enrolled.json(*autumn.words(), code=1)

    assert result["failed"] == [{"file": "broken.jpg", "reason": "unsupported_image"}]
    assert autumn.photos()["broken.jpg"]["attempts"] == 1


@pytest.mark.any_database
@pytest.mark.parametrize("match", ["none", "any"])
@pytest.mark.parametrize("into", ["album", "outbox"])
def test_a_name_that_is_no_text_is_named_and_the_others_go(
    enrolled: CommandLine, autumn: Autumn, match: str, into: str
) -> None:
    (autumn.folder / os.fsdecode(b"caf\xe9.jpg")).write_bytes(new_picture())
    words = autumn.words("--match", match) if into == "album" else ("upload", str(autumn.folder), "--match", match)

    result = enrolled.json(*words, code=1)

    assert result["refused"] == [{"file": "caf\ufffd.jpg", "reason": "its name is no text in UTF-8: rename it"}]
    assert (result["uploaded_count"], result["failed"]) == (3, [])


@pytest.mark.any_database
def test_what_the_server_refuses_is_told_so_and_taken_back(through: CommandLine, autumn: Autumn, proxy: Proxy) -> None:
    (autumn.folder / "empty.jpg").touch()
    proxy.once("refuse", path="/api/photos/", times=2)

    result = through.json(*autumn.words(), code=1)

    ((file, reason),) = [(failed["file"], failed["reason"]) for failed in result["failed"]]
    assert file == "empty.jpg"
    assert "size: " in reason
    assert result["uploaded_count"] == 3
    assert proxy.fired["refuse"] == 2
    assert [asked.status for asked in proxy.asked_below("/api/photos/") if asked.method == "DELETE"] == [204]


@pytest.mark.any_database
def test_equal_files_of_one_name_are_one_photo(enrolled: CommandLine, autumn: Autumn) -> None:
    (cola,) = autumn.folder.glob("Cola*")
    (autumn.folder / "more" / cola.name).write_bytes(cola.read_bytes())

    assert enrolled.json(*autumn.words()) == all_sent(4)

    assert len(autumn.photos()) == 3


@pytest.mark.any_database
def test_a_single_picture_may_come_into_an_album(enrolled: CommandLine, autumn: Autumn) -> None:
    (cola,) = autumn.folder.glob("Cola*")

    assert enrolled.json("upload", str(cola), "--album", autumn.album, "--match", "name") == all_sent(1)

    assert autumn.photos()[cola.name]["product"] == autumn.cola


@pytest.mark.any_database
def test_many_names_are_matched_in_several_questions(
    through: CommandLine, autumn: Autumn, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_photos, "MATCHED_AT_ONCE", 2)

    assert through.json(*autumn.words("--match", "any")) == all_sent(3)

    assert len(proxy.asked("/api/photos/match")) == 2
    assert {photo["product"] for photo in autumn.photos().values()} == {autumn.espresso, autumn.tea, autumn.cola}


def test_a_device_that_may_not_upload_is_refused(posclient: CommandLine, autumn: Autumn) -> None:
    posclient("enroll", autumn.shop.url, "-", stdin=autumn.shop.new_token())

    assert "403" in posclient.complains(*autumn.words(), code=3)

    assert autumn.shop.manager.get(f"/api/albums/{autumn.album_id}").status_code == 404


@pytest.mark.any_database
def test_a_server_that_is_away_is_said_so(through: CommandLine, autumn: Autumn, proxy: Proxy) -> None:
    proxy.cut_network()

    assert through.complains(*autumn.words(), code=4)


@pytest.mark.any_database
def test_a_token_may_end_in_a_line_break(posclient: CommandLine, autumn: Autumn) -> None:
    posclient("enroll", autumn.shop.url, "-", stdin=f"{autumn.shop.token}\n")

    assert posclient.json(*autumn.words()) == all_sent(3)


@pytest.mark.any_database
def test_what_can_not_be_is_wrong_usage(enrolled: CommandLine, autumn: Autumn, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    said: Callable[..., str] = enrolled.complains

    assert "--help" in said("upload", str(tmp_path / "none"), "--album", "A", code=2)
    assert "no photos" in said("upload", str(empty), "--album", "A", code=2)
    assert "--offline" in said(*autumn.words("--offline"), code=2)
    assert "--offline" in said("upload", str(autumn.folder), "--match", "any", "--offline", code=2)
