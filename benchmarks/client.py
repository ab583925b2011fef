"""What posclient costs beside doing the same by hand: ratios within one run, on a server of its own.

``python -m benchmarks.client`` (``make bench-client``) starts a server with 10,000 products and 500 pictures of 100 kB,
and prints a table with the targets. SQLite and local files; everything goes over loopback.
"""

import argparse
import json
import multiprocessing
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

from posclient import Bridge, Replica, Terminal
from tests.running import SERVE, RunningServer

PRODUCTS = 10_000
PICTURES = 500
PICTURE_BYTES = 100_000
EVENTS_A_SECOND = 1000
EPOCH = "0a5e1f6e-0000-4000-8000-000000000001"
FILL = f"""
from catalog.models import Category, Product
category = Category.objects.create(name="All")
Product.objects.bulk_create(
    [Product(name=f"Product {{n}}", price=n % 50, category=category, description="x" * 100) for n in range({PRODUCTS})],
    batch_size=2000,
)
"""


def picture(seed: int) -> bytes:
    """About 100 kB of JPEG in normal form: noise, so that nothing compresses it further."""
    noise = random.Random(seed).randbytes(330 * 330 * 3)  # noqa: S311 - no secret
    file = BytesIO()
    Image.frombytes("RGB", (330, 330), noise).save(file, "JPEG", quality=89)
    return file.getvalue()


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleaved(rounds: int, *works: Callable[[int], object]) -> list[float]:
    """The median seconds of each, alternately, so that what else the machine does meets all of them."""
    spent: list[list[float]] = [[] for _work in works]
    for number in range(rounds):
        for index, work in enumerate(works):
            spent[index].append(seconds_of(lambda work=work, number=number: work(number)))  # type: ignore[misc]
    return [statistics.median(each) for each in spent]


def prefetching(url: str, token: str, folder: Path, hashes: list[str], rounds: int) -> float:
    """posclient's speed as a part of plain httpx' (which neither verifies nor keeps anything)."""

    def by_hand(_number: int) -> None:
        with (
            httpx.Client(base_url=url, limits=httpx.Limits(max_connections=4)) as client,
            ThreadPoolExecutor(4) as four,
        ):
            got = list(four.map(lambda hash: len(client.get(f"/api/image/{hash}.jpg").content), hashes))
            assert len(got) == len(hashes)

    def by_posclient(number: int) -> None:
        with Terminal(Bridge.client(url, token=token), folder / f"prefetch-{number}") as terminal:
            assert terminal.images.prefetch_images(hashes)["success_count"] == len(hashes)

    by_hand(0)
    plain, ours = interleaved(rounds, by_hand, by_posclient)
    print(f"  plain httpx {len(hashes) / plain:6.0f} pictures/s, posclient {len(hashes) / ours:6.0f} pictures/s")
    return plain / ours


def warm_path(url: str, token: str, folder: Path, hashes: list[str]) -> float:
    """Median µs of get_image_path for a picture that is here."""
    with Terminal(Bridge.client(url, token=token), folder / "prefetch-0") as terminal:
        for hash in hashes:
            terminal.images.get_image_path(hash)
        return statistics.median(seconds_of(lambda h=h: terminal.images.get_image_path(h)) for h in hashes * 4) * 1e6  # type: ignore[misc]


def first_sync(url: str, token: str, folder: Path, rounds: int) -> float:
    """How many times as long as downloading the snapshot and json.loads."""
    headers = {"Authorization": f"Bearer {token}"}

    def by_hand(_number: int) -> None:
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            assert len(json.loads(client.get("/api/sync/product").content)["items"]) == PRODUCTS

    def by_posclient(number: int) -> None:
        bridge = Bridge.client(url, token=token)
        with bridge, Replica(bridge, folder / f"sync-{number}", resources=["product"]) as replica:
            replica.catch_up()
            assert replica.count("product") == PRODUCTS

    by_hand(0)
    plain, ours = interleaved(rounds, by_hand, by_posclient)
    print(f"  httpx and json.loads {plain * 1000:6.0f} ms, posclient {ours * 1000:6.0f} ms")
    return ours / plain


def serve_events(listener: socket.socket, seconds: float) -> None:
    """A server that has nothing but a stream: so many events a second, each a cut of its own."""
    while True:
        connection, _address = listener.accept()
        streams = b"/api/sync/events" in connection.recv(65536)
        threading.Thread(target=send_events if streams else send_nothing, args=(connection, seconds)).start()


def send_nothing(connection: socket.socket, _seconds: float) -> None:
    """The snapshot of no products."""
    body = json.dumps({"epoch": EPOCH, "resource": "product", "version": 0, "items": []}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)


def send_events(connection: socket.socket, seconds: float) -> None:
    hello = {"epoch": EPOCH, "versions": {"product": 0}}
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    connection.sendall(f"{head}id: 0\nevent: hello\ndata: {json.dumps(hello)}\n\n".encode())
    time.sleep(1)
    began, version = time.monotonic(), 0
    while version < seconds * EVENTS_A_SECOND:
        due = int((time.monotonic() - began) * EVENTS_A_SECOND)
        connection.sendall("".join(frame(number) for number in range(version + 1, due + 1)).encode())
        version = due
        time.sleep(0.01)


def frame(version: int) -> str:
    id = f"7a90f5a0-0000-4000-8000-{version % 2000:012d}"
    data = {"id": id, "name": "Espresso", "price": "2.50", "description": "x" * 300, "image": None, "position": version}
    change = {"resource": "product", "action": "updated", "id": id, "version": version, "data": data, "cut": True}
    return f"id: {version}\nevent: sync\ndata: {json.dumps(change)}\n\n"


def applying_events(folder: Path, seconds: float) -> float:
    """Per cent of a core that a replica takes for 1,000 events a second."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = multiprocessing.get_context("fork").Process(target=serve_events, args=(listener, seconds), daemon=True)
        server.start()
        with Bridge.client(f"http://127.0.0.1:{listener.getsockname()[1]}") as bridge:
            replica = Replica(bridge, folder / "events", resources=["product"]).start()
            assert replica.wait_until_live(20)
            cpu, began = time.process_time(), time.monotonic()
            while (replica.versions.get("product") or 0) < int(seconds * EVENTS_A_SECOND):
                time.sleep(0.5)
            share = (time.process_time() - cpu) / (time.monotonic() - began)
            replica.close()
        server.terminate()
        server.join()
    return share * 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of the stream of events")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="redcoral-bench-") as temporary:
        folder = Path(temporary)
        share = applying_events(folder, asked.seconds)
        with RunningServer(folder / "data", {}, (*SERVE, "--no-demo")) as server:
            server.until_ready()
            server.manage("shell", "-c", FILL)
            client = server.device("Bench", "--upload")
            token = client.headers["Authorization"].split()[-1]
            images = [client.post("/api/images", content=picture(n)).raise_for_status().json() for n in range(PICTURES)]
            hashes = [image["hash"] for image in images]
            print(f"{PICTURES} pictures of {statistics.mean(image['size'] for image in images) / 1000:.0f} kB")
            speed = prefetching(server.url, token, folder, hashes, asked.rounds)
            warm = warm_path(server.url, token, folder, hashes)
            sync = first_sync(server.url, token, folder, asked.rounds)
    print()
    print(f"  {'prefetch: speed of plain httpx with 4 connections':<58} {speed:8.2f} ×   (target ≥ 0.85)")
    print(f"  {'get_image_path, warm':<58} {warm:8.1f} µs  (target ≤ 100)")
    print(f"  {'first sync of 10,000 products: of httpx and json.loads':<58} {sync:8.2f} ×   (target ≤ 3)")
    print(f"  {'1,000 events a second: of a core':<58} {share:8.1f} %   (target < 25)")


if __name__ == "__main__":
    main()
