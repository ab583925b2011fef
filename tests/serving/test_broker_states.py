"""A broker that answers "no" takes nothing away, and what it delayed is done when it says "yes" again.

One server lives through all states of its broker; a full disk, where it is MISCONF, has test_full_disk.py.
"""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from serving.valkey import answers, valkey_command
from tests.main_job.photograph import photograph
from tests.main_job.sending import finished, upload
from tests.parts import start, wait_until
from tests.running import RunningServer
from tests.serving.conftest import NewServer, serve_with

pytestmark = [pytest.mark.timeout(300), pytest.mark.any_database]

STATE_SECONDS = 2.5
KEYS = 2000  # that a broker loads, each with a delay


@dataclass
class Broker:
    folder: Path
    process: Any = None

    @property
    def socket(self) -> Path:
        return self.folder / "valkey.sock"

    def start(self, stack: ExitStack, *options: str) -> None:
        command = [*valkey_command(data=self.folder, unix_socket=self.socket), *options]
        self.process = start(command, ready=lambda: answers(self.socket), log=self.folder / "log", on=stack)

    def say(self, *words: str, password: str | None = None) -> Any:
        with redis.Redis(unix_socket_path=str(self.socket), password=password) as client:
            return client.execute_command(*words)

    def load_slowly(self, stack: ExitStack) -> None:
        with redis.Redis(unix_socket_path=str(self.socket)) as client, client.pipeline() as pipe:
            for number in range(KEYS):
                pipe.set(f"ballast:{number}", "x", ex=600)
            pipe.execute()
        self.process.kill()
        self.process.wait()
        self.start(stack, "--key-load-delay", "3000", "--loading-process-events-interval-bytes", "1024")


STATES: dict[str, tuple[Callable[[Broker, ExitStack], Any], Callable[[Broker], Any], str]] = {
    "READONLY": (
        lambda broker, _stack: broker.say("REPLICAOF", "127.0.0.1", "1"),
        lambda broker: broker.say("REPLICAOF", "NO", "ONE"),
        "ReadOnlyError",
    ),
    "OOM": (
        lambda broker, _stack: broker.say("CONFIG", "SET", "maxmemory", "1"),
        lambda broker: broker.say("CONFIG", "SET", "maxmemory", "0"),
        "OutOfMemoryError",
    ),
    "NOAUTH": (
        lambda broker, _stack: broker.say("CONFIG", "SET", "requirepass", "secret"),
        lambda broker: broker.say("CONFIG", "SET", "requirepass", "", password="secret"),
        "AuthenticationError",
    ),
    "LOADING": (Broker.load_slowly, lambda broker: None, "(BusyLoading|Timeout)Error"),
}


@dataclass
class Lived:
    """What was seen while the broker was in one state, and afterwards."""

    reads: list[int]
    registered: int
    broker: str  # the line of /readyz
    photo: str  # the state in the end of a photo that was sent meanwhile


@pytest.fixture(scope="module")
def lived(new_server: NewServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lived]:
    found = {}
    with ExitStack() as stack:
        broker = Broker(tmp_path_factory.mktemp("broker"))
        broker.start(stack)
        server = new_server(
            serve_with(LONGEST_PAUSE=1.0),
            REDIS_URL=f"unix://{broker.socket}",
            PENDING_PHOTO_SCAN_INTERVAL_MS="1000",
            PENDING_PHOTO_MIN_AGE_MS="0",
        )
        with server:
            server.until_ready()
            till = server.device("Till", "--upload")
            for number, (name, (begin, end, _says)) in enumerate(STATES.items()):
                begin(broker, stack)
                found[name] = live(server, till, number, lambda end=end: end(broker))  # type: ignore[misc]
    return found


def live(server: RunningServer, till: httpx.Client, number: int, end: Callable[[], None]) -> Lived:
    photo_id = upload(till, photograph() + bytes([number]))
    registered = till.post(f"/api/photos/{photo_id}/process").status_code
    line = next(
        line for line in httpx.get(f"{server.url}/readyz", timeout=30).text.splitlines() if line.startswith("broker")
    )
    over = time.monotonic() + STATE_SECONDS
    reads: list[int] = []
    while time.monotonic() < over or len(reads) < 6:  # each twice: a snapshot waits for a cache that hangs
        reads += [till.get(path).status_code for path in ("/api/sync/status", "/api/sync/product", "/terminal/")]
        time.sleep(0.1)
    end()
    wait_until(server.is_ready, seconds=60, what="/readyz")
    return Lived(reads, registered, line, finished(till, photo_id, seconds=60)["status"])


@pytest.mark.parametrize("state", STATES)
def test_what_is_there_is_read_while_the_broker_says_no(lived: dict[str, Lived], state: str) -> None:
    assert set(lived[state].reads) == {200}


@pytest.mark.parametrize("state", STATES)
def test_readyz_says_what_the_broker_says(lived: dict[str, Lived], state: str) -> None:
    assert re.match(f"broker: failed: {STATES[state][2]}: ", lived[state].broker), lived[state].broker


@pytest.mark.parametrize("state", STATES)
def test_a_photo_that_was_sent_meanwhile_becomes_ready_afterwards(lived: dict[str, Lived], state: str) -> None:
    assert (lived[state].registered, lived[state].photo) == (202, "ready")
