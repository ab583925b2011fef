"""A shop full of terminals, a manager who edits, and a network that fails all the time."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from posclient import Bridge, State, Terminal, Timeouts
from tests.parts import wait_until
from tests.posclient.conftest import Shop, follows
from tests.posclient.proxy import Fault, Kind, Proxy

# How a server keeps its data makes no difference to its terminals; what it says of it is tested on both databases.
pytestmark = pytest.mark.any_database

IMPATIENT = Timeouts(connect=5, read=3, write=5, pool=10, silence=4, whole=10, probe=3)
ON_THE_STREAM: tuple[Kind, ...] = ("cut", "reset", "refuse", "double frames", "stall")
ON_ANSWERS: tuple[Kind, ...] = ("cut", "reset", "refuse", "stale")
ON_PICTURES: tuple[Kind, ...] = ("cut", "reset", "refuse", "corrupt", "stall")


class Faults:
    """Which fault the next request meets, drawn at random."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def __call__(self, path: str) -> Fault | None:
        if self.chance.random() > 0.3:
            return None
        kinds = ON_ANSWERS
        if path == "/api/sync/events":
            kinds = ON_THE_STREAM
        elif path.startswith("/api/image/"):
            kinds = ON_PICTURES
        return Fault(self.chance.choice(kinds), after=self.chance.choice([0, 100, 700, 3000, 20_000]))


@contextmanager
def terminals(shop: Shop, folder: Path, count: int) -> Iterator[list[tuple[Terminal, Proxy]]]:
    with ExitStack() as open_ones:
        pairs = []
        for number in range(count):
            proxy = open_ones.enter_context(Proxy(shop.server.port, source=f"127.0.1.{number + 1}"))
            bridge = Bridge.client(proxy.url, token=shop.new_token(), timeouts=IMPATIENT)
            terminal = Terminal(bridge, folder / str(number), resources=["product", "category"], prefetch_seconds=5)
            pairs.append((open_ones.enter_context(terminal), proxy))
        yield pairs


def edit_at_random(shop: Shop, chance: random.Random, products: list[str], images: list[str]) -> None:
    """One change of the catalogue."""
    draw = chance.random()
    if draw < 0.2 or not products:
        products.append(shop.product()["id"])
    elif draw < 0.3 and len(products) > 5:
        shop.delete(products.pop(chance.randrange(len(products))))
    elif draw < 0.6:
        if chance.random() < 0.4:
            images.append(shop.image()[0])
        shop.change(chance.choice(products), image=chance.choice([None, *images[-20:]]))
    else:
        shop.change(chance.choice(products), position=chance.randrange(1000))


def run_a_shop(shop: Shop, folder: Path, *, seconds: float, seed: int, network_cuts: bool = True) -> Counter[str]:
    """Everything random for so long; then every terminal has to hold what the server has. Returns what fired."""
    chance = random.Random(seed)  # noqa: S311 - a schedule, no secret
    products: list[str] = []
    images: list[str] = [shop.image()[0] for _number in range(5)]
    with terminals(shop, folder, 20) as pairs:
        for terminal, proxy in pairs:
            proxy.choose = Faults(random.Random(chance.random()))  # noqa: S311
            terminal.replica.start()
        over = threading.Event()

        def cut_networks() -> None:
            own = random.Random(seed + 1)  # noqa: S311
            while network_cuts and not over.wait(own.uniform(0.2, 1.0)):
                _terminal, proxy = own.choice(pairs)
                proxy.cut_network()
                over.wait(own.uniform(0.1, 1.0))
                proxy.restore_network()

        cutter = threading.Thread(target=cut_networks)
        cutter.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            edit_at_random(shop, chance, products, images)
            time.sleep(chance.uniform(0, 0.15))  # the pace of the edits is drawn, nothing is waited for
        over.set()
        cutter.join()
        fired: Counter[str] = Counter()
        for terminal, proxy in pairs:
            proxy.choose = lambda path: None
            proxy.restore_network()
            fired.update(proxy.fired)
            terminal.replica.hurry()
        for terminal, proxy in pairs:
            assert follows(terminal, shop, seconds=90), (terminal.replica.state, terminal.replica.last_error)
            assert terminal.replica.state is not State.REFUSED
            shown = {p["image"] for p in terminal.replica.all("product") if p["image"]}
            assert terminal.images.prefetch_images(shown)["failed_count"] == 0
            for hash in shown:
                assert sha256(terminal.images.get_image_path(hash).read_bytes()).hexdigest() == hash
            downloaded = proxy.images_downloaded()
            assert {n for n in downloaded.values() if n > 1} == set()
            sent = images_sent(shop, proxy.source, at_least=downloaded)
            # Nobody asked twice for what had come; what a fault broke may be asked for again.
            assert sent - downloaded - proxy.images_broken() == Counter()
    return fired


def images_sent(shop: Shop, to: str, *, at_least: Counter[str]) -> Counter[str]:
    """How often the server itself says that it sent each image to an address, from its access log."""
    line = re.compile(rf"{re.escape(to)}:\d+ - \"GET /api/image/([0-9a-f]{{64}})\.jpg HTTP/1\.1\" 200")

    def sent() -> Counter[str]:
        return Counter(line.findall(shop.server.said))

    wait_until(lambda: sent() >= at_least, what="the access log")
    return sent()


@pytest.mark.timeout(240)
def test_twenty_terminals_end_up_equal_and_download_no_picture_twice(shop: Shop, tmp_path: Path) -> None:
    fired = run_a_shop(shop, tmp_path, seconds=8, seed=20)

    assert {"cut", "reset", "refuse", "cut network"} <= {kind for kind, count in fired.items() if count}


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_twenty_terminals_for_ten_minutes(shop: Shop, tmp_path: Path) -> None:
    fired = run_a_shop(shop, tmp_path, seconds=600, seed=int(time.time()))

    assert {*ON_THE_STREAM, *ON_ANSWERS, *ON_PICTURES, "cut network"} <= set(fired)
