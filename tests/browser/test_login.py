"""A person logs in, in a real browser."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django_otp.oath import totp as code_of
from django_otp.plugins.otp_totp.models import TOTPDevice

from catalog.demo.loading import make_superuser
from devices import totp

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def log_in(page: "Page", live_server: Any, **typed: str) -> str:
    """Where the browser is then."""
    page.goto(f"{live_server.url}/admin/login/")
    for name, value in typed.items():
        page.fill(f"[name={name}]", value)
    with page.expect_navigation():
        page.click("#login-form button[type=submit]")
    return page.url.removeprefix(live_server.url)


def test_the_demo_login_is_told_and_works_on_the_machine_itself(page: "Page", live_server: Any) -> None:
    make_superuser()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.goto(f"{live_server.url}/admin/login/")
    assert "only on the machine that the server runs on" in page.inner_text("#demo-login")

    assert log_in(page, live_server, username="demo", password="demo") == "/admin/"
    assert said == []


def test_a_login_with_an_app_is_asked_for_its_code(page: "Page", live_server: Any) -> None:
    boss = User.objects.create_superuser("boss", password="secret")
    totp.give(boss)
    app = TOTPDevice.objects.get()
    page.goto(f"{live_server.url}/admin/login/")
    assert page.is_visible("text=Code of your authenticator app")

    assert log_in(page, live_server, username="boss", password="secret") == "/admin/login/"
    code = f"{code_of(app.bin_key):06d}"
    assert log_in(page, live_server, username="boss", password="secret", code=code) == "/admin/"
