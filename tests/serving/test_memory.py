"""What clients make the web process keep is bounded, and let go of when they are gone."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO, StringIO

import httpx
import pytest
from django.core.management import call_command
from PIL import Image

from catalog.models import Category, Product
from serving.members import FRUGAL
from tests.parts import wait_until
from tests.serving.attacks import Web, connected, web_process

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]

logger = logging.getLogger(__name__)

MOST = 400  # MB, while it is attacked
BACK_WITHIN = 80  # MB of where it was
LONG = [pytest.mark.soak, pytest.mark.timeout(900)]
SECONDS = [pytest.param(2, id="short"), pytest.param(600, id="long", marks=LONG)]


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_process(tmp_path_factory.mktemp("web") / "log", **FRUGAL) as web:
        yield web


@pytest.fixture
def api(web: Web) -> Iterator[httpx.Client]:
    said = StringIO()
    call_command("enroll_device", "office", "--upload", stdout=said)
    headers = {"Authorization": f"Bearer {said.getvalue().split()[-1]}"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=120) as client:
        assert client.get("/livez").is_success
        yield client


def attacked(web: Web, attack: Callable[[], None], seconds: float) -> int:
    """How often ``attack`` was repeated; memory was looked at all the time, and has come back at the end."""
    before, most, rounds, began = web.megabytes(), 0.0, 0, time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        while not rounds or time.monotonic() < began + seconds:
            under_way = pool.submit(attack)
            while not under_way.done():
                most = max(most, web.megabytes())
                time.sleep(0.02)
            under_way.result()
            rounds += 1
    said = f"{before:.0f} MB, at most {most:.0f}, at the end {web.megabytes():.0f}, {rounds} rounds"
    logger.warning(said)  # -o log_cli=true shows it
    assert most < MOST, said
    wait_until(lambda: web.megabytes() < before + BACK_WITHIN, seconds=30, what="the memory")
    assert httpx.get(f"{web.url}/livez", timeout=5).is_success
    return rounds


@pytest.mark.parametrize("seconds", SECONDS)
def test_refused_pictures_are_let_go_of(web: Web, api: httpx.Client, seconds: float) -> None:
    broken = b"\xff\xd8\xff" + os.urandom(1000) + bytes(20_000_000)

    def attack() -> None:
        for files in ({"content": broken}, {"files": {"file": broken}}, {"content": b"no picture" + broken}):
            assert api.post("/api/images", **files).status_code in (415, 422)

    assert attacked(web, attack, seconds) * 3 * 20 > BACK_WITHIN  # MB: kept, they would be seen


@pytest.mark.parametrize("seconds", SECONDS)
def test_large_pictures_are_decoded_two_at_a_time(web: Web, api: httpx.Client, seconds: float) -> None:
    file = BytesIO()
    Image.linear_gradient("L").resize((7000, 7000)).convert("RGB").save(file, "PNG", compress_level=1)

    def attack() -> None:
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(api.post, "/api/images", content=file.getvalue()) for _ in range(4)]
            codes = [one.result().status_code for one in sent]
        assert set(codes) <= {200, 201, 503}, codes
        assert 200 in codes or 201 in codes

    attacked(web, attack, seconds)


@pytest.fixture
def snapshot(api: httpx.Client) -> int:
    """The size in bytes of a snapshot that was never asked for."""
    category = Category.objects.create(name="Drinks")
    Product.objects.bulk_create(
        Product(name=f"{number} {os.urandom(8).hex()}", price=1, category=category, description="x" * 2000)
        for number in range(3000)
    )
    return len(api.get("/api/sync/product", headers={"Accept-Encoding": "identity"}).raise_for_status().content)


@pytest.mark.parametrize("seconds", SECONDS)
def test_clients_that_never_read_wait_for_a_bounded_answer(
    web: Web, api: httpx.Client, snapshot: int, seconds: float
) -> None:
    assert 50 * snapshot > 300_000_000  # kept for all, that would be seen
    request = (
        "GET /api/sync/product HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n"
        f"Authorization: {api.headers['Authorization']}\r\n\r\n"
    ).encode()
    refused: list[int] = []

    def attack() -> None:
        with ExitStack() as stack:
            wires = [stack.enter_context(connected(web.port, buffer=4096)) for _ in range(50)]
            for wire in wires:
                wire.sendall(request)
            wait_until(lambda: all(map(has_answer, wires)), seconds=60, what="an answer for each")
            refused.append(sum(wire.recv(12).endswith(b"503") for wire in wires))
            assert httpx.get(f"{web.url}/livez", timeout=5).is_success
            whole = until_it_is_served(api)
            assert len(whole.content) == snapshot

    attacked(web, attack, seconds)
    assert min(refused) > 10  # and the others really didn't read
    assert max(refused) < 50


def has_answer(wire: socket.socket) -> bool:
    wire.setblocking(False)
    try:
        return len(wire.recv(12, socket.MSG_PEEK)) == 12
    except BlockingIOError:
        return False
    finally:
        wire.settimeout(20)


def until_it_is_served(api: httpx.Client) -> httpx.Response:
    """A client that does as it is told: those that don't read give way to it."""
    for _ in range(10):
        answer = api.get("/api/sync/product", headers={"Accept-Encoding": "identity"})
        if answer.status_code == 200:
            return answer
        assert (answer.status_code, answer.json()["code"]) == (503, "over_capacity")
        time.sleep(int(answer.headers["Retry-After"]))
    pytest.fail("never served")
