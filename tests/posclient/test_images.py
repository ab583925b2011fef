"""Pictures on a terminal's own disk: downloaded once, verified, cleaned, within a budget."""

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from posclient import Bridge, ImageCache, ImageMissing, InvalidHash, ServerUnavailable, Terminal
from tests.parts import wait_until
from tests.posclient.conftest import NewTerminal, Shop, new_picture
from tests.posclient.processes import BRISK, begin
from tests.posclient.proxy import Fault, Kind, Proxy

# How a server keeps its data makes no difference to its terminals; what it says of it is tested on both databases.
pytestmark = pytest.mark.any_database

DAY = 24 * 3600.0
UNKNOWN = sha256(b"no picture").hexdigest()


def used_ago(path: Path, seconds: float) -> None:
    """As if the picture had been used so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_picture_is_downloaded_once_and_then_comes_from_the_disk(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    hash, data = shop.image()
    terminal = new_terminal(via=proxy)

    paths = {terminal.images.get_image_path(hash) for _time in range(3)}

    (path,) = paths
    assert path.read_bytes() == data
    assert proxy.images_downloaded() == {hash: 1}
    assert new_terminal(via=proxy).images.get_image_path(hash) == path
    assert proxy.images_downloaded() == {hash: 1}


@pytest.mark.parametrize(
    "hash", ["", "../../etc/passwd", UNKNOWN.upper(), UNKNOWN[:-1], f"{UNKNOWN}\n", f"{UNKNOWN[:-1]}/", None, 7]
)
def test_what_is_no_hash_never_becomes_a_path(terminal: Terminal, hash: str) -> None:
    before = sorted(terminal.folder.rglob("*"))
    for use in (terminal.images.get_image_path, lambda hash: terminal.images.cleanup_image_cache([hash])):
        with pytest.raises(InvalidHash):
            use(hash)
    assert terminal.images.prefetch_images([hash]) == {"success_count": 0, "failed_count": 1, "already_cached": 0}
    assert sorted(terminal.folder.rglob("*")) == before


def test_an_unknown_picture_is_missing_and_leaves_nothing_behind(terminal: Terminal) -> None:
    with pytest.raises(ImageMissing):
        terminal.images.get_image_path(UNKNOWN)
    assert list(terminal.images.folder.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:50] + b"\0" + data[51:],
        lambda data: b"\0" * len(data),
        lambda data: data + b"more",
    ],
    ids=["emptied", "cut", "one byte", "zeros", "longer"],
)
def test_a_damaged_file_heals_itself(terminal: Terminal, shop: Shop, damage: Callable[[bytes], bytes]) -> None:
    hash, data = shop.image()
    path = terminal.images.get_image_path(hash)
    path.write_bytes(damage(data))

    assert terminal.images.get_image_path(hash).read_bytes() == data


def test_a_file_that_rotted_without_a_trace_is_noticed_by_the_next_process(
    shop: Shop, new_terminal: NewTerminal
) -> None:
    hash, data = shop.image()
    path = new_terminal().images.get_image_path(hash)
    then = path.stat()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))

    assert new_terminal().images.get_image_path(hash).read_bytes() == data


def test_offline_a_damaged_file_is_not_shown_and_not_lost(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    hash, data = shop.image()
    terminal = new_terminal(via=proxy)
    path = terminal.images.get_image_path(hash)
    path.write_bytes(data[:-1])
    proxy.cut_network()

    with pytest.raises(ServerUnavailable):
        terminal.images.get_image_path(hash)

    proxy.restore_network()
    assert terminal.images.get_image_path(hash).read_bytes() == data


def test_many_threads_and_two_processes_worth_of_caches_ask_and_one_download_happens(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    hash, data = shop.image()
    terminals = [new_terminal(via=proxy), new_terminal(via=proxy)]
    start = threading.Barrier(16)

    def ask(number: int) -> bytes:
        start.wait(20)
        return terminals[number % 2].images.get_image_path(hash).read_bytes()

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(ask, range(16))) == {data}
    assert proxy.images_downloaded() == {hash: 1}


def prefetch_with_another(url: str, token: str, folder: Path, own: str, other: str, hashes: list[str]) -> None:
    """A process that waits for the other one, fetches the same, and writes down what it was told."""
    with Terminal(Bridge.client(url, token=token, timeouts=BRISK), folder) as terminal:
        (folder / own).touch()
        wait_until((folder / other).exists, what="the other process")
        result = terminal.images.prefetch_images(hashes)
        assert all(sha256(terminal.images.read_image(hash)).hexdigest() == hash for hash in hashes)
        (folder / f"{own}.json").write_text(json.dumps(result))


def test_two_processes_in_one_folder_download_each_picture_once_between_them(
    shop: Shop, proxy: Proxy, tmp_path: Path
) -> None:
    hashes = [shop.image()[0] for _number in range(40)]
    names = [("one", "two"), ("two", "one")]

    processes = [
        begin(prefetch_with_another, proxy.url, shop.token, tmp_path, own, other, hashes) for own, other in names
    ]

    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert proxy.images_downloaded() == dict.fromkeys(hashes, 1)
    told = [json.loads((tmp_path / f"{own}.json").read_text()) for own, _other in names]
    assert [one["failed_count"] for one in told] == [0, 0]
    assert [one["success_count"] + one["already_cached"] for one in told] == [40, 40]
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == sorted(f"{hash}.jpg" for hash in hashes)


def test_prefetching_tells_what_came_what_failed_and_what_was_there(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    hashes = [shop.image()[0] for _number in range(6)]
    terminal = new_terminal(via=proxy)
    terminal.images.get_image_path(hashes[0])
    steps: list[tuple[int, int]] = []

    result = terminal.images.prefetch_images(
        [*hashes, hashes[1], UNKNOWN, "no hash"], progress=lambda done, of: steps.append((done, of))
    )

    assert result == {"success_count": 5, "failed_count": 2, "already_cached": 1}
    assert [done for done, _of in steps] == [2, 3, 4, 5, 6, 7, 8]
    assert {of for _done, of in steps} == {8}
    assert proxy.images_downloaded() == dict.fromkeys(hashes, 1)
    assert terminal.images.prefetch_images(hashes) == {"success_count": 0, "failed_count": 0, "already_cached": 6}


def test_prefetching_without_a_network_ends_soon_and_goes_on_where_it_stopped(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal
) -> None:
    hashes = [shop.image()[0] for _number in range(8)]
    terminal = new_terminal(via=proxy)
    terminal.images.prefetch_images(hashes[:3])
    proxy.cut_network()

    assert terminal.images.prefetch_images([*hashes, *(sha256(bytes([n])).hexdigest() for n in range(200))]) == {
        "success_count": 0,
        "failed_count": 205,
        "already_cached": 3,
    }

    proxy.restore_network()
    assert terminal.images.prefetch_images(hashes)["success_count"] == 5
    assert proxy.images_downloaded() == dict.fromkeys(hashes, 1)


@pytest.mark.parametrize(
    ("kind", "after"), [("reset", 0), ("reset", 2000), ("cut", 300), ("cut", 2000), ("corrupt", 0), ("refuse", 0)]
)
def test_a_download_that_broke_is_repeated(
    shop: Shop, proxy: Proxy, new_terminal: NewTerminal, kind: Kind, after: int
) -> None:
    hash, data = shop.image()
    terminal = new_terminal(via=proxy)
    proxy.once(kind, path="/api/image/", after=after)

    assert terminal.images.get_image_path(hash).read_bytes() == data

    assert proxy.fired[kind] == 1
    assert [path.name for path in terminal.images.folder.iterdir()] == [f"{hash}.jpg"]


def test_a_download_that_stalls_is_given_up(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    from posclient import Timeouts

    hash, data = shop.image()
    terminal = new_terminal(via=proxy, timeouts=Timeouts(read=0.5))
    proxy.once("stall", path="/api/image/", after=500)

    assert terminal.images.get_image_path(hash).read_bytes() == data
    assert proxy.fired["stall"] == 1


def test_what_always_comes_damaged_is_never_kept(shop: Shop, proxy: Proxy, new_terminal: NewTerminal) -> None:
    hash, _data = shop.image()
    terminal = new_terminal(via=proxy)
    proxy.choose = lambda path: Fault("corrupt") if path.startswith("/api/image/") else None

    with pytest.raises(ServerUnavailable, match="another hash"):
        terminal.images.get_image_path(hash)

    assert proxy.fired["corrupt"] == 3
    assert list(terminal.images.folder.iterdir()) == []


def test_cleaning_removes_what_no_product_shows(shop: Shop, terminal: Terminal) -> None:
    images = dict(shop.image() for _number in range(4))
    terminal.images.prefetch_images(images)
    kept, *unused = images

    result = terminal.images.cleanup_image_cache([kept])

    assert result == {"removed_count": 3, "freed_bytes": sum(len(images[hash]) for hash in unused)}
    assert [path.name for path in terminal.images.folder.iterdir()] == [f"{kept}.jpg"]
    assert terminal.images.usage() == {"count": 1, "bytes": len(images[kept])}
    assert terminal.images.cleanup_image_cache([kept]) == {"removed_count": 0, "freed_bytes": 0}


def test_cleaning_old_ones_goes_by_use_and_not_by_download(shop: Shop, terminal: Terminal) -> None:
    images = dict(shop.image() for _number in range(3))
    old, used, new = images
    terminal.images.prefetch_images(images)
    used_ago(terminal.images.get_image_path(old), 31 * DAY)
    used_ago(terminal.images.get_image_path(used), 31 * DAY)
    terminal.images.get_image_path(used)

    assert terminal.images.cleanup_old_cache() == {"removed_count": 1, "freed_bytes": len(images[old])}
    assert terminal.images.get_cached_path(old) is None
    used_ago(terminal.images.get_image_path(new), 3 * DAY)
    assert terminal.images.cleanup_old_cache(max_age_days=2)["removed_count"] == 1
    assert terminal.images.get_cached_path(used) is not None


def test_a_file_dated_in_the_future_grows_old_like_the_others(shop: Shop, terminal: Terminal) -> None:
    """The clock was wrong when it was used, and has been set right since."""
    hash, _data = shop.image()
    path = terminal.images.get_image_path(hash)
    used_ago(path, -1000 * DAY)

    assert terminal.images.cleanup_old_cache()["removed_count"] == 0

    assert abs(path.stat().st_mtime - time.time()) < 600


def test_a_clock_that_jumped_does_not_cost_the_cache(
    shop: Shop, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's time counts when ours is far off."""
    hash, _data = shop.image()
    terminal.images.get_image_path(hash)
    right = time.time
    monkeypatch.setattr("posclient._bridge.time.time", lambda: right() + 400 * DAY)
    assert terminal.bridge.is_network_available()

    assert terminal.bridge.clock_offset < -399 * DAY
    assert terminal.images.cleanup_old_cache() == {"removed_count": 0, "freed_bytes": 0}


def test_the_least_recently_used_make_room_within_the_budget(shop: Shop, new_terminal: NewTerminal) -> None:
    images = dict(shop.image() for _number in range(5))
    size = max(map(len, images.values()))
    terminal = new_terminal(max_cache_bytes=4 * size)
    first, second, third, fourth, fifth = images
    for age, hash in enumerate((fourth, third, second, first)):
        used_ago(terminal.images.get_image_path(hash), 3600.0 * (age + 1))
    terminal.images.get_image_path(first)  # the oldest until now

    terminal.images.get_image_path(fifth)

    there = {hash for hash in images if terminal.images.get_cached_path(hash)}
    assert second not in there
    assert {first, fifth} <= there
    assert terminal.images.usage()["bytes"] <= 4 * size


def test_what_a_crash_left_of_a_download_is_removed_but_not_what_is_under_way(shop: Shop, terminal: Terminal) -> None:
    left = terminal.images.folder / f".{UNKNOWN}.part"
    left.write_bytes(b"half a picture")
    hash, data = shop.image()

    with terminal.images._part(hash):
        terminal.images.cleanup_image_cache([])
        assert not left.exists()
        assert (terminal.images.folder / f".{hash}.part").exists()

    assert terminal.images.get_image_path(hash).read_bytes() == data


def test_what_a_crash_left_of_a_download_does_not_get_in_its_way(shop: Shop, terminal: Terminal) -> None:
    hash, data = shop.image()
    (terminal.images.folder / f".{hash}.part").write_bytes(b"half of another picture")

    assert terminal.images.get_image_path(hash).read_bytes() == data
    assert [path.name for path in terminal.images.folder.iterdir()] == [f"{hash}.jpg"]


def test_a_picture_removed_by_another_process_comes_again(shop: Shop, new_terminal: NewTerminal) -> None:
    hash, data = shop.image()
    one, other = new_terminal(), new_terminal()
    one.images.get_image_path(hash)
    other.images.cleanup_image_cache([])

    assert one.images.get_image_path(hash).read_bytes() == data
    assert one.images.read_image(hash) == data


# --- The mode *server* --------------------------------------------------------------------------------------
def test_on_the_servers_machine_its_own_file_is_the_picture(shop: Shop, tmp_path: Path) -> None:
    hash, data = shop.image()
    with Terminal(Bridge.server(shop.server.data, base_url=shop.url, token=shop.token), tmp_path / "till") as terminal:
        path = terminal.images.get_image_path(hash)

        assert path == shop.server.data / "uploads" / "images" / f"{hash}.jpg"
        assert terminal.bridge.get_bytes(f"/api/image/{hash}.jpg") == data
        assert list(terminal.images.folder.iterdir()) == []
        assert terminal.images.prefetch_images([hash, UNKNOWN]) == {
            "success_count": 0,
            "failed_count": 0,
            "already_cached": 2,
        }
        assert terminal.images.cleanup_image_cache([]) == {"removed_count": 0, "freed_bytes": 0}
        assert terminal.images.cleanup_old_cache(0) == {"removed_count": 0, "freed_bytes": 0}
        assert path.read_bytes() == data
        terminal.replica.catch_up()
        assert terminal.replica.versions == shop.versions()


def test_the_servers_files_are_read_while_the_server_is_down(tmp_path: Path) -> None:
    data = new_picture()
    hash = sha256(data).hexdigest()
    folder = tmp_path / "data" / "uploads" / "images"
    folder.mkdir(parents=True)
    (folder / f"{hash}.jpg").write_bytes(data)
    bridge = Bridge.server(tmp_path / "data", base_url="http://127.0.0.1:9")
    cache = ImageCache(bridge, tmp_path / "cache")

    assert cache.get_image_path(hash) == folder / f"{hash}.jpg"
    assert bridge.get_bytes(f"/api/image/{hash}.jpg") == data
    assert not bridge.is_network_available()
    assert cache.prefetch_images([hash]) == {"success_count": 0, "failed_count": 0, "already_cached": 1}
