"""A disk without a free byte takes nothing away from those who read, also at a start; and all goes on when it has room.

One server lives the whole story on a small disk, with its log there too; tests look at what was seen.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import redis

from tests.disks import fill, kept_full
from tests.images.pictures import normal_jpeg
from tests.parts import wait_until
from tests.running import RunningServer, is_alive
from tests.serving.conftest import NewServer, serve_with

pytestmark = [pytest.mark.timeout(300), pytest.mark.any_database]

READS = ("/api/sync/status", "/api/sync/tag", "/api/tags", "/terminal/", "/admin/login/")
FULL_SECONDS = 4.0  # it ended after 2


@dataclass
class Story:
    reads: dict[str, list[int]] = field(default_factory=dict)  # by when they were asked
    parts: dict[str, dict[str, str]] = field(default_factory=dict)  # what /readyz said then
    upload: tuple[int, str] = 0, ""
    writes: set[tuple[int, str]] = field(default_factory=set)
    web_stayed: bool = False
    stopped: int | None = None
    after: int = 0  # the status of a write when there was room again
    said: str = ""


@pytest.fixture(scope="module")
def story(new_server: NewServer, small_disk: Callable[[str], Path]) -> Story:
    story, disk = Story(), small_disk("64m")
    server = new_server(serve_with(LONGEST_PAUSE=2.0))
    server.data = disk / "data"
    with server:
        server.until_ready()
        office = server.device("Office", "--upload", "--manage")
        office.post("/api/tags", json={"name": "Vegan"}).raise_for_status()
        picture = office.post("/api/images", content=normal_jpeg(1), headers={"Content-Type": "image/jpeg"})
        image = f"/api/image/{picture.raise_for_status().json()['hash']}.jpg"
        (web,) = server.members("uvicorn")

        ballast = fill(disk)
        broker = redis.Redis(unix_socket_path=str(server.data / "valkey" / "valkey.sock"))
        with kept_full(disk), broker, suppress(redis.RedisError):
            broker.set("ballast", "x" * 64_000)  # more than fits into what its log has
        with kept_full(disk):
            story.reads["full"] = read(office, image, seconds=FULL_SECONDS)
            story.parts["full"] = parts(server)
            another = office.post("/api/images", content=normal_jpeg(2), headers={"Content-Type": "image/jpeg"})
            story.upload = said(another)
            story.writes = {said(office.post("/api/tags", json={"name": f"Hot {number}"})) for number in range(200)}
            story.web_stayed = is_alive(web)
        server.stop(signal.SIGTERM)
        story.stopped = server.process.returncode

        ballast = fill(disk)
        server.start()
        wait_until(lambda: answers(office) or server.process.poll() is not None, seconds=60, what="a start")
        with kept_full(disk):
            story.reads["started full"] = read(office, image, seconds=2)
            story.parts["started full"] = parts(server)

        ballast.unlink()
        wait_until(lambda: server.is_ready(), seconds=60, what="/readyz")
        story.after = office.post("/api/tags", json={"name": "Later"}).status_code
        story.said = server.said
    return story


def read(client: httpx.Client, image: str, *, seconds: float) -> list[int]:
    over, statuses = time.monotonic() + seconds, []
    while time.monotonic() < over:
        statuses += [client.get(path).status_code for path in (*READS, image)]
        time.sleep(0.2)
    return statuses


def parts(server: RunningServer) -> dict[str, str]:
    answer = httpx.get(f"{server.url}/readyz", timeout=20)
    return {"status": str(answer.status_code), **dict(line.split(": ", 1) for line in answer.text.splitlines())}


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def answers(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/livez").status_code == 200
    return False


def test_what_is_there_is_read_from_a_full_disk(story: Story) -> None:
    assert len(story.reads["full"]) > 20
    assert set(story.reads["full"]) == {200}
    assert story.web_stayed


def test_readyz_says_that_disk_and_broker_are_full(story: Story) -> None:
    assert story.parts["full"]["status"] == "503"
    assert story.parts["full"]["disk"] == "failed: OSError: [Errno 28] No space left on device"
    assert "MISCONF" in story.parts["full"]["broker"], "the fault that ended all"


def test_a_picture_is_refused_with_a_code_of_its_own(story: Story) -> None:
    assert story.upload == (507, "storage_full")


def test_a_write_is_refused_as_one_that_may_be_tried_again(story: Story) -> None:
    assert story.writes - {(201, "")} == {(503, "database_unavailable")}, "some fit into what SQLite has"


def test_it_stops_in_order_on_a_full_disk(story: Story) -> None:
    assert story.stopped == 0


def test_a_start_on_a_full_disk_serves_what_is_there(story: Story) -> None:
    assert len(story.reads["started full"]) > 6
    assert set(story.reads["started full"]) == {200}
    assert story.parts["started full"]["status"] == "503"


def test_all_goes_on_when_there_is_room(story: Story) -> None:
    assert story.after == 201
