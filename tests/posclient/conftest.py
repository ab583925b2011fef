"""A whole server of the session, terminals of it in folders of their own, and a proxy for faults between them."""

import gc
import itertools
import json
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from posclient import Bridge, Terminal, Timeouts, _console
from posclient.__main__ import main
from tests.images.pictures import normal_jpeg
from tests.parts import ROOT
from tests.posclient.proxy import Proxy
from tests.running import SERVE, RunningServer

BRISK = Timeouts(connect=5, read=10, write=10, pool=10, silence=20, whole=30, probe=5)
SOURCE = ROOT / "clients" / "python" / "src"
numbers = itertools.count(int.from_bytes(secrets.token_bytes(3)) * 1000)

NewTerminal = Callable[..., Terminal]


# A client that is closed while another of its threads connects may still leave that socket to the garbage collector,
# when the connection fails before an answer comes. Nobody is harmed, but the warning would fail a test that runs then.
LEFT_SOCKET = "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings(LEFT_SOCKET))


@pytest.fixture(scope="module", autouse=True)
def no_socket_is_left_to_other_rooms() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@dataclass
class Shop:
    """A running server, a manager who edits its catalogue, and what it takes to be one of its terminals."""

    server: RunningServer

    @property
    def url(self) -> str:
        return self.server.url

    @cached_property
    def _tokens(self) -> dict[str, list[str]]:
        """Of several devices, made at once: each call of manage.py takes seconds."""
        upload, manage, *read = self.server.manage("shell", "-c", ENROLL).split()[-28:]
        return {"upload": [upload], "manage": [manage], "read": read}

    def new_token(self) -> str:
        """Of a device of its own that may only read."""
        return self._tokens["read"].pop()

    @property
    def token(self) -> str:
        """Of a device that may read and upload."""
        return self._tokens["upload"][0]

    @cached_property
    def manager(self) -> httpx.Client:
        token = self._tokens["manage"][0]
        client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        return self.server.clients.enter_context(client)

    @cached_property
    def category(self) -> str:
        return str(self.post("/api/categories", name=f"Category {next(numbers)}")["id"])

    def post(self, path: str, **values: Any) -> Any:
        return self.manager.post(path, json=values).raise_for_status().json()

    def product(self, **values: Any) -> dict[str, Any]:
        """A new product."""
        return self.post(
            "/api/products", **{"name": f"Product {next(numbers)}", "price": "1.00", **values}, category=self.category
        )

    def change(self, product: str, **values: Any) -> dict[str, Any]:
        return self.manager.patch(f"/api/products/{product}", json=values).raise_for_status().json()

    def delete(self, product: str) -> None:
        self.manager.delete(f"/api/products/{product}").raise_for_status()

    def image(self) -> tuple[str, bytes]:
        """A new picture that the server has: its hash and its bytes."""
        data = new_picture()
        answer = self.manager.post("/api/images", content=data, headers={"Content-Type": "image/jpeg"})
        assert answer.raise_for_status().json()["hash"] == sha256(data).hexdigest()
        return sha256(data).hexdigest(), data

    def snapshot(self, resource: str) -> dict[str, dict[str, Any]]:
        items = self.manager.get(f"/api/sync/{resource}").raise_for_status().json()["items"]
        return {item["id"]: item for item in items}

    def versions(self) -> dict[str, int]:
        return dict(self.manager.get("/api/sync/status").raise_for_status().json()["versions"])

    def stored(self, hash: str) -> bool:
        return self.manager.head(f"/api/image/{hash}.jpg").status_code == 200


ENROLL = """
from devices.services import enroll
print(enroll(name="Till", may_upload=True).token)
print(enroll(name="Manager", may_upload=True, may_manage=True).token)
for number in range(26):
    print(enroll(name=f"Screen {number}").token)
"""


def new_picture() -> bytes:
    """A small JPEG in normal form that nobody has seen before."""
    return normal_jpeg(seed=next(numbers), width=160, height=120)


@pytest.fixture(scope="session")
def shop(new_database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One server for all tests; each makes the objects that it needs."""
    data = tmp_path_factory.mktemp("shop") / "data"
    with RunningServer(data, new_database(), (*SERVE, "--no-demo", "--access-log")) as server:
        yield Shop(server.until_ready())


@pytest.fixture
def proxy(shop: Shop) -> Iterator[Proxy]:
    with Proxy(shop.server.port) as between:
        yield between


@pytest.fixture
def new_terminal(shop: Shop, tmp_path: Path) -> Iterator[NewTerminal]:
    """Makes terminals; ``via`` is the proxy that they talk through, ``folder`` the name of their folder."""
    with ExitStack() as open_ones:

        def make(
            *,
            via: Proxy | None = None,
            folder: str = "till",
            token: str | None = None,
            timeouts: Timeouts = BRISK,
            **options: Any,
        ) -> Terminal:
            bridge = Bridge.client((via or shop).url, token=token or shop.token, timeouts=timeouts)
            return open_ones.enter_context(Terminal(bridge, tmp_path / folder, **options))

        yield make


@pytest.fixture
def terminal(new_terminal: NewTerminal) -> Terminal:
    return new_terminal()


def follows(terminal: Terminal, shop: Shop, resource: str = "product", *, seconds: float = 30) -> bool:
    """Whether the terminal comes to hold exactly what the server has."""

    def same() -> bool:
        return {item["id"]: item for item in terminal.replica.all(resource)} == shop.snapshot(resource)

    return terminal.replica.wait_for(same, seconds=seconds)


@dataclass
class CommandLine:
    """``posclient`` with folders of its own, in this process: a new one takes a second to import what it needs."""

    home: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def own(self) -> dict[str, str]:
        return {"POSCLIENT_CONFIG": str(self.home / "config"), "POSCLIENT_DATA": str(self.home / "data")}

    def __call__(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """What it prints; it has to end with the exit code ``code``."""
        return self.run(*words, code=code, stdin=stdin)[0]

    def complains(self, *words: str, code: int, stdin: str = "") -> str:
        """What it prints of an error."""
        return self.run(*words, code=code, stdin=stdin)[1]

    def run(self, *words: str, code: int, stdin: str) -> tuple[str, str]:
        ended: object = 0
        with self.monkeypatch.context() as patch:
            for name, value in self.own.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["posclient", *words])
            patch.setattr(sys, "stdin", StringIO(stdin))
            patch.setattr(_console.out, "_width", 200)
            self.capsys.readouterr()
            try:
                main()
            except SystemExit as stop:
                ended = stop.code or 0
        said = self.capsys.readouterr()
        assert ended == code, said
        return said.out, said.err

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code))


@pytest.fixture
def posclient(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(tmp_path / "home", capsys, monkeypatch)


@pytest.fixture
def enrolled(posclient: CommandLine, shop: Shop) -> CommandLine:
    posclient("enroll", shop.url, "-", stdin=shop.token)
    return posclient
