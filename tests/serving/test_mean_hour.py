"""An hour of mixed work on ``make run``, in which each fault comes in turn; at the end nothing is lost.

``MEAN_SECONDS`` makes it shorter; every fault comes once at least. Clocks that jump are left to
tests/config/test_beat.py, since the machine's own can't be set here.
"""

import itertools
import logging
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import redis
from PIL import Image

from posclient import Bridge, Terminal
from tests.disks import kept_full
from tests.parts import wait_until
from tests.posclient.conftest import Shop, follows
from tests.running import RunningServer, is_alive
from tests.serving.attacks import connected, is_closed
from tests.serving.conftest import NewServer, serve_with
from tests.serving.load import Load, Pulse

SECONDS = float(os.environ.get("MEAN_SECONDS", "3600"))

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 900)]

logger = logging.getLogger(__name__)

MOST = 400  # MB of the web process
BACK_WITHIN = 80  # MB of where it was
SLOWEST = 0.2  # seconds of /livez, at the 99th percentile of what is answered
RESTART_SECONDS = 15.0  # of a web that was killed, on a machine with other work
SILENT_SECONDS = 8.0  # the supervisor's own are 30
CALM = 10.0  # seconds between two faults, at least


@dataclass
class Place:
    """The server that is treated badly, and where its things are."""

    server: RunningServer
    disk: Path
    shop: Shop
    memory: list[float] = field(default_factory=list)  # MB of the web process, now and then

    @property
    def token(self) -> str:
        """Of a device that may do everything."""
        return str(self.shop.manager.headers["Authorization"]).split()[-1]

    @property
    def web(self) -> psutil.Process:
        self.server.remember_family()
        (web,) = self.server.members("uvicorn")
        return web

    def broker(self, *words: str) -> Any:
        with redis.Redis(unix_socket_path=str(self.server.data / "valkey" / "valkey.sock")) as client:
            return client.execute_command(*words)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=60)

    def readyz(self) -> str:
        return httpx.get(f"{self.server.url}/readyz", timeout=30).text


# --- Section 1: what would end it ------------------------------------------------------------------------------------
def killed(words: str) -> Callable[[Place], None]:
    def fault(place: Place) -> None:
        place.server.remember_family()
        found = place.server.members(words)
        assert found, f"nobody is {words}"
        found[0].kill()
        wait_until(lambda: not is_alive(found[0]), what=f"the end of {words}")

    return fault


def frozen_web(place: Place) -> None:
    web = place.web
    web.send_signal(signal.SIGSTOP)
    wait_until(lambda: not is_alive(web), seconds=SILENT_SECONDS + 20, what="the end of the silent web")


def full_disk(place: Place) -> None:
    with kept_full(place.disk):
        wait_until(lambda: "\ndisk: failed: OSError" in place.readyz(), what="a full disk")
        time.sleep(4)


def broker_that_refuses(begin: tuple[str, ...], end: tuple[str, ...]) -> Callable[[Place], None]:
    def fault(place: Place) -> None:
        place.broker(*begin)
        try:
            with pytest.raises(redis.RedisError):
                place.broker("SET", "redcoral:mean", "1")
            time.sleep(6)
        finally:
            place.broker(*end)

    return fault


def database_that_is_held_or_lost(place: Place) -> None:
    if url := place.server.settings.get("DATABASE_URL"):
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(url, autocommit=True) as connection:
            ended = connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            assert ended.fetchall()
        return
    writer = sqlite3.connect(place.server.data / "db.sqlite3", isolation_level=None, timeout=20)
    try:
        writer.execute("BEGIN IMMEDIATE")
        with place.client() as client:
            assert client.post("/api/tags", json={"name": "Held"}).status_code == 503
    finally:
        writer.close()


# --- Section 2: what would take it away from others ------------------------------------------------------------------
def silent_connections(place: Place) -> None:
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(place.server.port)) for _ in range(400)]
        wait_until(lambda: sum(map(is_closed, wires)) > 200, what="the end of those that are too many")


def refused_pictures(place: Place) -> None:
    broken = b"\xff\xd8\xff" + os.urandom(1000) + bytes(20_000_000)
    with place.client() as client:
        for _ in range(10):
            assert client.post("/api/images", content=broken).status_code in {413, 415, 422}


def large_pictures(place: Place) -> None:
    with place.client() as client, ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(client.post, "/api/images", content=large_picture()) for _ in range(4)]
        codes = {one.result().status_code for one in sent}
    assert codes <= {200, 201, 503}
    assert codes & {200, 201}


def large_picture() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((7000, 7000)).convert("RGB").save(file, "PNG", compress_level=1)
    return file.getvalue()


def too_many_streams(place: Place) -> None:
    head = "GET /api/sync/events HTTP/1.1\r\nHost: localhost\r\nConnection: close"
    request = f"{head}\r\nAuthorization: Bearer {place.token}\r\n\r\n"
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(place.server.port)) for _ in range(8)]
        for wire in wires:
            wire.sendall(request.encode())
        wait_until(lambda: sum(map(is_closed, wires)) >= 4, seconds=60, what="the end of the oldest")


ENDS_WEB = {"web killed", "web frozen"}
FAULTS: dict[str, Callable[[Place], None]] = {
    "web killed": killed("uvicorn"),
    "silent connections": silent_connections,
    "worker killed": killed(" worker "),
    "refused pictures": refused_pictures,
    "beat killed": killed(" beat "),
    "large pictures": large_pictures,
    "Valkey killed": killed("valkey-server"),
    "too many streams": too_many_streams,
    "web frozen": frozen_web,
    "database": database_that_is_held_or_lost,
    "disk full": full_disk,
    "broker read-only": broker_that_refuses(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "broker full": broker_that_refuses(("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
}


def test_after_a_mean_hour_nothing_is_lost(
    new_server: NewServer, small_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    disk = small_disk("512m")
    server = new_server(
        serve_with(SILENT_SECONDS=SILENT_SECONDS, LONGEST_PAUSE=2.0),
        PENDING_PHOTO_SCAN_INTERVAL_MS="2000",
        PENDING_PHOTO_MIN_AGE_MS="1000",
    )
    server.data = disk / "data"
    with server:
        shop = Shop(server.until_ready())
        place = Place(server, disk, shop)
        load = Load(server.url, office=place.token, till=shop.token)
        pulse = Pulse(server.port)
        bridge = Bridge.client(server.url, token=shop.new_token())
        with Terminal(bridge, tmp_path / "screen", resources=["tag"]) as screen:
            screen.replica.start()
            fired, outages = be_mean(place, load, pulse)
            kept_its_word(place, load, screen)

    said = (
        f"{dict(fired)}; {dict(load.answers)}; /livez p99 {pulse.p99 * 1000:.0f} ms of {len(pulse.took)}, "
        f"silent {[round(end - began, 1) for began, end in pulse.silences]}; "
        f"web MB: {[round(one) for one in place.memory]}"
    )
    logger.warning(said)  # -o log_cli=true shows it
    assert load.unexpected == [], said
    assert pulse.p99 < SLOWEST, said
    for began, end in pulse.silences:
        assert any(since - 1 < began < until for since, until in outages), f"/livez was silent by itself: {said}"
        assert end - began < SILENT_SECONDS + RESTART_SECONDS, said
    assert max(place.memory) < MOST, said
    assert place.memory[-1] < place.memory[0] + BACK_WITHIN, said


def be_mean(place: Place, load: Load, pulse: Pulse) -> tuple[Counter[str], list[tuple[float, float]]]:
    """What fired how often, and when /livez had reason to be silent."""
    fired, outages = Counter[str](), list[tuple[float, float]]()
    end = time.monotonic() + SECONDS
    with load.going_on(), pulse.felt():
        time.sleep(CALM)
        place.memory.append(megabytes(place))
        for name in itertools.cycle(FAULTS):
            if time.monotonic() > end and len(fired) == len(FAULTS):
                return fired, outages
            logger.warning(name)
            began = time.monotonic()
            FAULTS[name](place)
            fired[name] += 1
            wait_until(lambda: is_well(place.server), seconds=90, what=f"/readyz after: {name}")
            if name in ENDS_WEB:
                outages.append((began, time.monotonic()))
            time.sleep(CALM)
            place.memory.append(megabytes(place))
    raise AssertionError  # it goes round for ever


def is_well(server: RunningServer) -> bool:
    with suppress(httpx.TransportError):
        return server.is_ready()
    return False


def megabytes(place: Place) -> float:
    return float(place.web.memory_info().rss) / 1024 / 1024


def kept_its_word(place: Place, load: Load, screen: Terminal) -> None:
    """What was answered with 2xx is there, and a screen that listened all the time holds just that."""
    with place.client() as client:
        tags = {item["id"]: item["name"] for item in client.get("/api/sync/tag").raise_for_status().json()["items"]}
        assert load.tags.items() <= tags.items()
        assert len(load.tags) > SECONDS
        states = lambda: Counter(client.get(f"/api/photos/{id}").json()["status"] for id in load.photos)  # noqa: E731
        wait_until(lambda: set(states()) == {"ready"}, seconds=120, what="the last photo")
    assert follows(screen, place.shop, "tag", seconds=90), (screen.replica.state, screen.replica.last_error)
