"""Over https cookies stay on https; sessions end twelve hours after they were used last."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

pytestmark = pytest.mark.django_db
LOGIN = {"username": "boss", "password": "secret"}


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="secret")


def cookies_of(answer: Any) -> dict[str, bool]:
    return {name: bool(cookie["secure"]) for name, cookie in answer.cookies.items()}


@pytest.mark.parametrize(("secure", "configured"), [(True, False), (False, True), (True, True)])
def test_cookies_of_https_are_secure(boss: User, settings: Any, secure: bool, configured: bool) -> None:
    settings.HTTPS = configured

    answer = Client().post("/admin/login/", LOGIN, secure=secure)

    assert cookies_of(answer) == {"sessionid": True, "csrftoken": True}
    assert answer["Strict-Transport-Security"] == "max-age=2592000"


def test_cookies_of_http_are_not(boss: User) -> None:
    answer = Client().post("/admin/login/", LOGIN)

    assert cookies_of(answer) == {"sessionid": False, "csrftoken": False}
    assert "Strict-Transport-Security" not in answer


def test_https_is_what_a_trusted_proxy_says(boss: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    told = Client(headers={"X-Forwarded-For": "192.168.1.9", "X-Forwarded-Proto": "https"})

    assert all(cookies_of(told.post("/admin/login/", LOGIN)).values())


def test_a_session_ends_after_twelve_hours_and_begins_anew_when_it_is_used(boss: User) -> None:
    client = Client()
    answer = client.post("/admin/login/", LOGIN)
    assert answer.cookies["sessionid"]["max-age"] == 12 * 3600
    assert answer.cookies["sessionid"]["httponly"]

    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    answer = client.get("/admin/")
    assert answer.cookies["sessionid"]["max-age"] == 12 * 3600
    assert Session.objects.get().expire_date > timezone.now() + timedelta(hours=11)

    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/admin/").status_code == 302


def test_reading_with_a_young_session_writes_nothing(boss: User) -> None:
    client = Client()
    client.force_login(boss)
    with CaptureQueriesContext(connection) as statements:
        client.get("/api/tags")
    assert not [one for one in statements if one["sql"].startswith(("UPDATE", "INSERT"))]


WRITING = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
}


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_in_a_database_that_takes_no_writes_stays_logged_in(boss: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(boss)
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    end, begin = WRITING[connection.vendor]

    with connection.cursor() as cursor:
        cursor.execute(end)
        try:
            answers = [client.get("/admin/").status_code, client.get("/api/tags").status_code]
        finally:
            cursor.execute(begin)
    assert answers == [200, 200]

    client.get("/admin/")
    assert Session.objects.get().expire_date > timezone.now() + timedelta(hours=11)
