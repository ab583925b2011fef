"""The short way of a status request through the server answers as the long one does, by one statement."""

import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.middleware import StatusMiddleware
from devices.contacts import last_contacts
from devices.models import Device
from devices.services import Enrolled, enroll, revoke, rotate
from syncing import epochs
from syncing.models import SyncedResource

pytestmark = pytest.mark.django_db

URL = "/api/sync/status"
SHORT = f"{StatusMiddleware.__module__}.{StatusMiddleware.__qualname__}"


@pytest.fixture
def till() -> Enrolled:
    return enroll(name="Till 1")


@pytest.fixture
def get(till: Enrolled) -> Callable[..., Any]:
    def ask(**headers: str) -> Any:
        return Client().get(URL, headers={"Authorization": f"Bearer {till.token}", **headers})

    return ask


@pytest.fixture
def statements() -> CaptureQueriesContext:
    return CaptureQueriesContext(connection)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"If-None-Match": "*"},
        {"If-None-Match": '"another"'},
        {"If-Match": '"another"'},
        {"Accept": "text/html"},
        {"Accept-Encoding": "gzip"},
        {"Accept-Language": "es"},
        {"Accept-Language": "zh-Hans", "Cookie": "django_language=es; sessionid=nonsense; csrftoken=nonsense"},
        {"Origin": "https://elsewhere.example"},
        {"Range": "bytes=0-1"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer two words"},
        {"Authorization": "Bearer \x00"},
        {"Authorization": "Basic dGlsbDp0aWxs"},
    ],
)
@pytest.mark.parametrize("method", ["get", "head", "options", "post"])
def test_both_ways_give_one_answer(
    till: Enrolled, settings: LazySettings, headers: dict[str, str], method: str
) -> None:
    def ask() -> Any:
        return getattr(Client(), method)(URL, headers={"Authorization": f"Bearer {till.token}", **headers})

    short = ask()
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != SHORT]
    long = ask()

    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert dict(short.headers) == dict(long.headers)
    assert set(short.cookies) == set(long.cookies)
    assert {"Content-Language", "X-Frame-Options", "X-Content-Type-Options", "Vary"} <= set(short.headers)


def test_a_device_is_known_again_and_answered_by_one_statement(
    get: Callable[..., Any], statements: CaptureQueriesContext
) -> None:
    etag = get()["ETag"]
    for headers, status in (({}, 200), ({"If-None-Match": etag}, 304)):
        with statements:
            assert get(**headers).status_code == status
        assert len(statements) == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no wire to make a round trip on")
@pytest.mark.django_db(transaction=True)
def test_a_status_request_makes_two_round_trips(get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The question whether the connection lives, and the statement: no transaction, no time zone around it."""
    trips: list[str] = []
    wait = psycopg.Connection.wait

    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        caller = sys._getframe(1).f_code.co_name
        if caller != "set_autocommit":  # which sends nothing
            trips.append(caller)
        return wait(self, *arguments, **options)

    get()
    connection.close()  # each request takes a connection from the pool, which asks whether it lives
    monkeypatch.setattr(psycopg.Connection, "wait", counted)

    assert get().status_code == 200
    assert trips == ["execute", "execute"]


def test_a_status_request_is_a_contact(get: Callable[..., Any], till: Enrolled) -> None:
    assert last_contacts.get(till.device.id) is None
    get()
    assert last_contacts.get(till.device.id) is not None


def test_a_wrong_token_is_no_contact_on_the_short_way_either(get: Callable[..., Any]) -> None:
    assert get(Authorization="Bearer wrong").status_code == 401
    assert last_contacts.flush() == 0


def test_a_revoked_device_is_refused_at_once(get: Callable[..., Any]) -> None:
    assert get().status_code == 200
    revoke(devices=Device.objects.all())
    refused = get()
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert refused["WWW-Authenticate"] == "Bearer"


def test_a_replaced_token_is_refused_at_once(get: Callable[..., Any], till: Enrolled) -> None:
    assert get().status_code == 200
    token = rotate(token_hash=till.device.token_hash)
    assert get().status_code == 401
    assert get(Authorization=f"Bearer {token}").status_code == 200


def test_another_version_and_another_epoch_are_seen_at_once(get: Callable[..., Any]) -> None:
    before = get().json()
    SyncedResource.objects.filter(name="tag").update(version=before["versions"]["tag"] + 1)
    assert get().json()["versions"] == {**before["versions"], "tag": before["versions"]["tag"] + 1}
    epoch = epochs.begin()
    assert get().json()["epoch"] == str(epoch)


def test_a_database_that_is_away_is_asked_once_and_named(get: Callable[..., Any]) -> None:
    asked = []

    def away(*_arguments: object) -> None:
        asked.append(1)
        raise OperationalError("the connection is closed")

    with connection.execute_wrapper(away):
        answer = get(**{"Accept-Language": "es"})

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert (answer["Content-Type"], answer["Retry-After"]) == ("application/problem+json", "2")
    assert "base de datos" in answer.json()["detail"]
    assert len(asked) == 1


def test_a_wrong_host_is_refused(get: Callable[..., Any], settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["till.example"]
    assert get(Host="elsewhere.example").status_code == 400
    assert get(Host="till.example").status_code == 200
