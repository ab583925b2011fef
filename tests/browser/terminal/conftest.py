"""The page at /terminal/ in Chromium, on a real server through a proxy that counts and breaks.

``open_terminal()`` is a device that is enrolled and live; each call is a browser of its own, which keeps nothing of
others. A test fails on whatever the console says, on what the page's policy forbids, and on a request to another host;
what a test breaks on purpose it names before, by ``watch.allow("ERR_CONNECTION_REFUSED")``.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from devices.identity import COOKIE
from tests.posclient.conftest import Shop
from tests.posclient.proxy import Proxy
from tests.running import SERVE, RunningServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, WebError

OpenTerminal = Callable[..., "Page"]
TERMINAL = "/terminal/"
PHONE = {"width": 390, "height": 844}
PATIENCE = 20_000  # ms; the machine may be busy

MAKE_CODES = """
from devices.models import EnrolmentCode
from devices.services import make_code
for number in range({count}):
    print(make_code(row=EnrolmentCode(may_upload={may_upload})))
"""
REVOKE = """
from devices.models import Device
from devices.services import revoke
print(revoke(devices=Device.objects.filter(name={name!r})))
"""


class House(Shop):
    """A shop, with what a person does in its admin."""

    def codes(self, count: int = 1, *, may_upload: bool = False) -> list[str]:
        """New enrolment codes."""
        said = self.server.manage("shell", "-c", MAKE_CODES.format(count=count, may_upload=may_upload))
        return re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}", said)

    def revoke(self, name: str) -> None:
        """Takes the access from every device of this name."""
        assert int(self.server.manage("shell", "-c", REVOKE.format(name=name)).split()[-1]) > 0

    def clear(self) -> None:
        """Deletes the whole catalogue."""
        self.__dict__.pop("category", None)
        # What refers before what it refers to; a category may lie in another.
        for name in ("price_rule", "product", "dining_table", "zone", "attribute", "tag", *["category"] * 3):
            path = "/api/categories" if name == "category" else f"/api/{name.replace('_', '-')}s"
            ids = list(self.snapshot(name))
            for start in range(0, len(ids), 500):
                gone = [{"op": "delete", "id": id} for id in ids[start : start + 500]]
                self.manager.post(f"{path}/batch", json={"mode": "each", "operations": gone}).raise_for_status()
        assert self.snapshot("price_rule") | self.snapshot("category") == {}

    def a_token(self, *, may_upload: bool = False) -> str:
        """Of a device that others may be, too."""
        return self._tokens["upload" if may_upload else "read"][0]


@dataclass
class Watch:
    """What went wrong in the browsers of a test, and what was asked of whom."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, *texts: str) -> None:
        """From now on the console may say what has one of these in it: the test breaks it on purpose."""
        self.allowed += texts
        if any("ERR_" in text for text in texts):  # the browser may just then look for another worker
            self.allowed.append("error occurred when fetching the script")

    def over(self, context: "BrowserContext", origin: str) -> None:
        """Watches all pages and workers of ``context``, which may ask ``origin`` alone."""
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", lambda request: self._asked(request, origin))

    def _complain(self, text: str) -> None:
        if not any(allowed in text for allowed in self.allowed):
            self.complaints.append(text)

    def _said(self, message: "ConsoleMessage") -> None:
        # A report of the policy is an error of the console, too.
        if message.type in {"error", "warning", "assert"}:
            self._complain(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, error: "WebError") -> None:
        self._complain(f"uncaught: {error.error}")

    def _asked(self, request: "Request", origin: str) -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in {"blob", "data"} and f"{parts.scheme}://{parts.netloc}" != origin:
            self._complain(f"request to another host: {request.url}")


@pytest.fixture(scope="session")
def house(new_database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for all tests; each makes the objects that it needs."""
    data = tmp_path_factory.mktemp("house") / "data"
    settings = {**new_database(), "SHOP_NAME": "Casa Roja", "TIME_ZONE": "Europe/Madrid"}
    with RunningServer(data, settings, (*SERVE, "--no-demo", "--access-log")) as server:
        yield House(server.until_ready())


@pytest.fixture(scope="module", autouse=True)
def cleared(house: House) -> Iterator[None]:
    """What the tests of one file make, those of the next don't meet."""
    yield
    house.clear()


@pytest.fixture
def proxy(house: House) -> Iterator[Proxy]:
    """What lies between the browsers of a test and the server; the server sees an address of this test alone."""
    source = f"127.{secrets.randbelow(200) + 10}.{secrets.randbelow(256)}.{secrets.randbelow(200) + 10}"
    with Proxy(house.server.port, source=source) as between:
        yield between


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Iterator[None]:
    """A test that did all that it wanted still fails when the browser complained."""
    yield
    watch = item.funcargs.get("watch", Watch())
    assert isinstance(watch, Watch)
    assert watch.complaints == []


@pytest.fixture
def new_browser(chromium: "Browser", watch: Watch, proxy: Proxy) -> Iterator[Callable[..., "BrowserContext"]]:
    """A browser that was never here; ``origin`` is the one that it may ask. Closed at the end, before the proxy is."""
    contexts: list[BrowserContext] = []

    def make(origin: str, **options: Any) -> "BrowserContext":
        context = chromium.new_context(
            **{"viewport": PHONE, "locale": "en-GB", "timezone_id": "Europe/Madrid", **options}
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watch.over(context, origin)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def open_terminal(proxy: Proxy, new_browser: Callable[..., "BrowserContext"], house: House) -> OpenTerminal:
    """Opens the page in a browser of its own: enrolled unless told (``token=None``), until it is live unless told.

    ``at`` is the part of the address behind `#`; ``before`` is called with the browser while it is empty; further
    options are those of the browser, such as ``viewport``.
    """

    def open_one(
        at: str = "/menu",
        *,
        token: str | None = "",
        origin: str = "",
        state: str | None = "live",
        before: Callable[["BrowserContext"], Any] = lambda context: None,
        **options: Any,
    ) -> "Page":
        origin = origin or proxy.url
        context = new_browser(origin, **options)
        before(context)
        if token is not None:
            context.add_cookies([{"name": COOKIE, "value": token or house.a_token(), "url": origin}])
        page = context.new_page()
        page.goto(f"{origin}{TERMINAL}#{at}")
        if token is not None and state is not None:
            until_connection(page, state)
        return page

    return open_one


def until_connection(page: "Page", state: str = "live", *, seconds: float = PATIENCE / 1000) -> None:
    """Waits until the page's indicator says so."""
    page.wait_for_selector(f"[data-connection='{state}']", timeout=seconds * 1000)


def with_changed_answer(context: "BrowserContext", address: str, change: Callable[[str], str]) -> None:
    """Has the page get the text of ``address`` as ``change`` makes it."""

    def answer(route: "Route") -> None:
        response = route.fetch()
        route.fulfill(response=response, body=change(response.text()))

    context.route(address, answer)
