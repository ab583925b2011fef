"""Several stream processes at one port: they share the streams, each hears of every change, and each is replaced."""

import re
import resource
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest

from serving import descriptors
from tests.parts import wait_until
from tests.running import Listener, RunningServer
from tests.serving.conftest import NewServer

pytestmark = [pytest.mark.timeout(240), pytest.mark.any_database]

STREAMS = 16  # that all of them go to one of two processes is a matter of 1 in 30,000


@pytest.fixture
def server(new_server: NewServer) -> Iterator[RunningServer]:
    with new_server(STREAM_PROCESSES="2", STREAMS_PER_DEVICE=str(STREAMS)) as server:
        yield server.until_ready()


def carried(server: RunningServer) -> dict[str, int]:
    """The open streams of each process, as /metrics says."""
    text = httpx.get(f"{server.url}/metrics", timeout=30).raise_for_status().text
    return {name: int(float(count)) for name, count in re.findall(r'redcoral_streams{process="(.+)"} (\S+)', text)}


def test_two_processes_share_the_streams_and_one_that_dies_is_replaced(server: RunningServer) -> None:
    till = server.device("Till", "--manage")

    with ExitStack() as stack:
        listeners = [stack.enter_context(Listener(till)) for _ in range(STREAMS)]
        for listener in listeners:
            listener.first(lambda frame: frame.event == "hello")
        wait_until(lambda: sum(carried(server).values()) == STREAMS, what="the count of open streams")
        shares = carried(server)
        assert len(shares) == 2
        assert all(shares.values()), shares
        tag = till.post("/api/tags", json={"name": "Vegan"}).raise_for_status().json()
        for listener in listeners:
            assert listener.first(lambda frame: frame.event == "sync").data["data"] == tag

        name, share = min(shares.items(), key=lambda one: one[1])
        psutil.Process(int(name.rpartition(":")[2])).kill()
        wait_until(lambda: sum(listener.is_cut_off for listener in listeners) == share, what="the end of its streams")
        till.patch(f"/api/tags/{tag['id']}", json={"name": "Vegetarian"}).raise_for_status()
        for listener in listeners:
            if not listener.is_cut_off:
                listener.first(lambda frame: frame.event == "sync" and frame.data["data"]["name"] == "Vegetarian")
        wait_until(lambda: len(carried(server).keys() - {name}) == 2, what="the process in its place", seconds=60)
        assert server.process.poll() is None
        server.stop()  # or the listeners would wait for a bookmark


def test_a_process_takes_as_many_streams_as_the_hard_limit_of_open_files_has_room_for() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, hard))
        assert descriptors.room_for_streams() == hard - descriptors.OTHERS
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
