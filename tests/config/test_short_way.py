"""The short way of a reconnect (status, delta) through the server answers as the long one does, by fewer statements."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Tag
from config.middleware import ShortWayMiddleware
from devices.contacts import last_contacts
from devices.models import Device
from devices.services import Enrolled, enroll, revoke, rotate
from syncing import epochs, log, retention
from syncing.models import SyncedResource

pytestmark = pytest.mark.django_db

URL = "/api/sync/status"
SHORT = f"{ShortWayMiddleware.__module__}.{ShortWayMiddleware.__qualname__}"


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
@pytest.mark.parametrize("url", [URL, "/api/sync/tag/changes?since=0&epoch={epoch}"])
def test_both_ways_give_one_answer(
    till: Enrolled, settings: LazySettings, headers: dict[str, str], method: str, url: str
) -> None:
    both_ways(settings, method, url, {"Authorization": f"Bearer {till.token}", **headers})


@pytest.mark.parametrize("url", ["", "?since=0&epoch={epoch}&limit=0", "?since=-1&epoch={epoch}", "?since=0&epoch=x",
    "?since=999&epoch={epoch}", "?since=0&epoch=5f860cee-02bf-4d5a-badf-4e5dede35e0e",
    "?since=0&since=999&epoch={epoch}", "?sinse=0&epoch={epoch}"])  # fmt: skip
@pytest.mark.parametrize("resource", ["tag", "nothing", "%00", "tag%2Ftag"])
def test_both_ways_refuse_the_same(till: Enrolled, settings: LazySettings, resource: str, url: str) -> None:
    headers = {"Authorization": f"Bearer {till.token}", "Accept-Language": "es"}
    answer = both_ways(settings, "get", f"/api/sync/{resource}/changes{url}", headers)
    assert 400 <= answer.status_code < 500


def both_ways(settings: LazySettings, method: str, url: str, headers: dict[str, str]) -> Any:
    def ask() -> Any:
        same_id = {"X-Request-ID": "of-both", **headers}
        return getattr(Client(), method)(url.format(epoch=log.heads().epoch), headers=same_id)

    short = ask()
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != SHORT]
    long = ask()

    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert dict(short.headers) == dict(long.headers)
    assert set(short.cookies) == set(long.cookies)
    assert {"Content-Language", "X-Frame-Options", "X-Content-Type-Options", "Vary"} <= set(short.headers)
    return short


def test_a_herd_is_read_for_once_until_something_changes(
    till: Enrolled, statements: CaptureQueriesContext, transactional_db: None
) -> None:
    before = log.heads()

    def get() -> Any:
        path = f"/api/sync/tag/changes?since={before.versions['tag']}&epoch={before.epoch}"
        return Client().get(path, headers={"Authorization": f"Bearer {till.token}"})

    def ask() -> tuple[int, list[str]]:
        with statements:
            answer = get()
        return len(statements), [change["data"]["name"] for change in answer.json()["changes"]]

    tag = Tag.objects.create(name="New")
    assert [ask(), ask()] == [(2, ["New"]), (1, ["New"])]
    tag.name = "Old"
    tag.save()
    assert [ask(), ask()] == [(2, ["Old"]), (1, ["Old"])]
    retention.prune(older_than=timedelta(), more_than=0, now=timezone.now())
    assert get().json()["reason"] == "horizon"


def test_a_device_is_known_again_and_answered_by_one_statement(
    get: Callable[..., Any], statements: CaptureQueriesContext
) -> None:
    etag = get()["ETag"]
    for headers, status in (({}, 200), ({"If-None-Match": etag}, 304)):
        with statements:
            assert get(**headers).status_code == status
        assert len(statements) == 1


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
