"""Mixed work on a running server, which goes on through faults and remembers what it was promised."""

import http.client
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.main_job.sending import upload
from tests.posclient.conftest import new_picture

MAY_BE_REPEATED = {429, 503, 507}
PROBE_SECONDS = 2.0


@dataclass
class Load:
    """A back office that writes, a till that sends photos, and screens that read, each in a thread."""

    url: str
    office: str  # tokens
    till: str
    tags: dict[str, str] = field(default_factory=dict)  # what was answered with 2xx: the name by id
    photos: list[str] = field(default_factory=list)  # accepted for processing
    answers: Counter[str] = field(default_factory=Counter)  # by who asked and the status, or the kind of failure
    unexpected: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Until the block ends. What a thread fails with fails the test then."""
        with ThreadPoolExecutor(3) as pool:
            threads = [
                pool.submit(self._repeat, self._write, 0.1, self.office),
                pool.submit(self._repeat, self._send_a_photo, 3.0, self.till),
                pool.submit(self._repeat, self._read, 0.3, self.till),
            ]
            try:
                yield
            finally:
                self.over.set()
        for thread in threads:
            thread.result()

    def _repeat(self, work: Callable[[httpx.Client], object], pause: float, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=30) as client:
            while not self.over.wait(pause):
                name = work.__name__.strip("_")
                try:
                    work(client)
                    self.answers[f"{name} done"] += 1
                except httpx.HTTPStatusError as error:
                    self.answers[f"{name} {error.response.status_code}"] += 1
                    if error.response.status_code not in MAY_BE_REPEATED:
                        self.unexpected.append(f"{error}: {error.response.text[:200]}")
                except httpx.TransportError as error:
                    self.answers[f"{name} {type(error).__name__}"] += 1

    def _write(self, client: httpx.Client) -> None:
        id = str(uuid4())
        client.put(f"/api/tags/{id}", json={"name": f"Tag {id}"}).raise_for_status()
        self.tags[id] = f"Tag {id}"

    def _send_a_photo(self, client: httpx.Client) -> None:
        id = upload(client, new_picture())
        client.post(f"/api/photos/{id}/process").raise_for_status()
        self.photos.append(id)

    def _read(self, client: httpx.Client) -> None:
        for path in ("/api/sync/status", "/api/products", "/terminal/"):
            client.get(path).raise_for_status()


@dataclass
class Pulse:
    """/livez, ten times a second on connections of its own; what was answered, and when it wasn't."""

    port: int
    took: list[float] = field(default_factory=list)  # seconds
    silences: list[tuple[float, float]] = field(default_factory=list)  # from when to when (monotonic) nothing came
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def felt(self) -> Iterator[None]:
        thread = threading.Thread(target=self._feel)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()

    def _feel(self) -> None:
        silent_since = None
        while not self.over.wait(0.1):
            began = time.monotonic()
            if self._answers():
                self.took.append(time.monotonic() - began)
                if silent_since is not None:
                    self.silences.append((silent_since, began))
                silent_since = None
            else:
                silent_since = silent_since or began

    def _answers(self) -> bool:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PROBE_SECONDS)
        try:
            wire.request("GET", "/livez")
            return wire.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            wire.close()

    @property
    def p99(self) -> float:
        """Seconds, of what was answered."""
        return statistics.quantiles(self.took, n=100)[98]
