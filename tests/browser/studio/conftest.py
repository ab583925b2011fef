"""The page at /studio/ in several browsers, on this process' server behind a proxy that counts and breaks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image as Pillow

from studio import queueing, storing
from studio.models import Item
from tests.images.pictures import normal_jpeg
from tests.posclient.proxy import Fault, Proxy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ORIGINALS = "/api/r2/image/"
PATIENCE = 20_000  # ms; the machine may be busy
OpenStudio = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works here."""
    monkeypatch.setattr(queueing, "send", lambda items, until: None)


@pytest.fixture
def manager(transactional_db: None) -> User:
    return User.objects.create_superuser("manager", password="secret")


@pytest.fixture
def proxy(live_server: Any) -> Iterator[Proxy]:
    port = urlsplit(live_server.url).port
    assert port is not None
    with Proxy(port) as between:
        yield between


def small(number: int) -> bytes:
    """Some kilobytes."""
    return normal_jpeg(seed=number, width=320, height=240)


def large(number: int) -> bytes:
    """About a megabyte: noise."""
    file = BytesIO()
    Pillow.effect_noise((1200, 1200), 90).save(file, "JPEG", quality=95)
    return file.getvalue()


def pictures(owner: User, count: int, *, made_by: Callable[[int], bytes] = small) -> list[Item]:
    """So many stored pictures in the history of ``owner``, the newest last; each is another."""
    made = []
    first = Item.objects.count()
    for number in range(first, first + count):
        now = timezone.now()
        item = Item.objects.create(
            owner=owner, prompt=f"picture {number}", kind="generated", provider="openai", status="ready", ready_at=now
        )
        data = made_by(number)
        looked = storing.look(data)
        storing.finish(item, looked, key=storing.store(item, data, looked), now=now)
        made.append(Item.objects.get(pk=item.pk))
    return made


@dataclass
class Stalling:
    """Lets so many originals through; the next ones hang."""

    left: int
    stalled: list[str] = field(default_factory=list)

    def __call__(self, path: str) -> Fault | None:
        if not path.startswith(ORIGINALS):
            return None
        self.left -= 1
        if self.left >= 0:
            return None
        self.stalled.append(path)
        return Fault("stall")


def downloaded(proxy: Proxy) -> list[str]:
    """The keys of originals that came through whole, in order."""
    asked = proxy.asked_below(ORIGINALS)
    return [passed.path.removeprefix(ORIGINALS) for passed in asked if passed.whole and passed.status == 200]


@pytest.fixture
def new_browser(chromium: "Browser") -> Iterator[Callable[..., "BrowserContext"]]:
    """A browser that was never here."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> "BrowserContext":
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def open_studio(proxy: Proxy, new_browser: Callable[..., "BrowserContext"]) -> OpenStudio:
    """A page of ``user``, in a browser of its own unless told, until it is live unless told.

    ``before`` is called with the page while it is empty.
    """

    def open_one(
        user: User,
        at: str = "#history",
        *,
        browser: "BrowserContext | None" = None,
        state: str | None = "live",
        before: Callable[["Page"], None] = lambda page: None,
        origin: str = "",
        **options: Any,
    ) -> "Page":
        context = browser or new_browser(**options)
        if browser is None:
            client = Client()
            client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": origin or proxy.url}])
        page = context.new_page()
        before(page)
        page.goto(f"{origin or proxy.url}/studio/{at}")
        if state:
            until_state(page, state)
        return page

    return open_one


def until_state(page: "Page", state: str) -> None:
    page.wait_for_selector(f".state[data-connection='{state}']", timeout=PATIENCE)


def until(page: "Page", true: str, argument: Any = None) -> None:
    """Waits until this JavaScript is true; ``studio`` is the page's History."""
    page.wait_for_function(f"(of) => globalThis.studio && ({true})(of)", arg=argument, timeout=PATIENCE)


def until_kept(page: "Page", count: int) -> None:
    """Waits until so many originals are here."""
    until(page, "(count) => studio.originals.bytes.usage.count === count", count)


def until_complete(page: "Page", count: int) -> None:
    until(
        page,
        """(count) => {
          const { state, stored } = studio.offline.getSnapshot();
          return state === "complete" && stored === count;
        }""",
        count,
    )
