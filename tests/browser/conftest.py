"""Debian's Chromium, driven by Playwright, and a manager who is logged in there."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.test import Client

from tests.parts import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

CHROMIUM = "/usr/bin/chromium"
STORAGE = "local_storage,indexeddb,service_workers,cache_storage"
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.lan 127.0.0.1",  # a shop's own names: plain http there is no secure context
]


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """Debian's Chromium, driven by Playwright."""
    if not Path(CHROMIUM).exists():
        missing("Debian's chromium")
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller of the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_profile(chromium: "Browser") -> Iterator["BrowserContext"]:
    """What the pages share: the cache of scripts and styles, as with any browser that was here before."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(browser_profile: "BrowserContext") -> Iterator["Page"]:
    """A page that begins without cookies and storage."""
    page = browser_profile.new_page()
    yield page
    everything = {"origin": page.evaluate("origin"), "storageTypes": STORAGE}
    browser_profile.new_cdp_session(page).send("Storage.clearDataForOrigin", everything)
    browser_profile.clear_cookies()
    page.close()


@pytest.fixture(autouse=True)
def files(settings: LazySettings, tmp_path: Path) -> None:
    """The stored files of this test alone."""
    settings.FILES_DIR = tmp_path / "uploads"


@pytest.fixture
def complaints() -> list[str]:
    """What the console complained about; a test that breaks something on purpose empties it."""
    return []


@pytest.fixture
def manager(page: "Page", live_server: Any, complaints: list[str]) -> Iterator["Page"]:
    """A page of a manager who is logged in; fails the test for whatever the console complains about."""

    def listen(said: "ConsoleMessage") -> None:
        if said.type in {"error", "warning"}:
            complaints.append(said.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(20_000)
    client = Client()
    client.force_login(User.objects.create_superuser("demo"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield page
    assert complaints == []


@pytest.fixture
def open_page(manager: "Page", live_server: Any) -> Callable[[str], "Page"]:
    def go(address: str) -> "Page":
        manager.goto(f"{live_server.url}{address}", wait_until="load")
        return manager

    return go
