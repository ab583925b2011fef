"""A manager who is logged in, in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.test import Client

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page


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
