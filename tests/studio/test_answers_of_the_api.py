"""What the API of the studio answers while it waits for a picture, when one fails, and to what it can't take."""

from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from studio import pipeline, queueing, waiting
from studio.models import Item

from .conftest import Ask
from .provider import Running

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "application/json"
Generate = Callable[..., Any]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is done with an item before the request begins to wait."""

    def work(items: list[Any], until: Any) -> None:
        for item_id in items:
            pipeline.generate(item_id=item_id)

    monkeypatch.setattr(queueing, "send", work)


@pytest.fixture
def generate(manager: User) -> Generate:
    client = Client()
    client.force_login(manager)

    def post(prefer: str = "", **wish: Any) -> Any:
        headers = {"Prefer": prefer} if prefer else {}
        return client.post("/api/image/generate", wish, content_type=JSON, headers=headers)

    return post


def test_a_picture_that_is_made_meanwhile_is_created(at_once: None, generate: Generate, staff: Client) -> None:
    answer = generate(prompt="a soup")
    item = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"/api/history/{item['id']}")
    assert (item["status"], item["r2_url"]) == ("ready", f"/api/r2/image/{item['r2_key']}")
    assert item["image_url"] == f"/api/image/{item['hash']}.jpg"
    for address in (item["image_url"], item["r2_url"], f"/api/history/{item['id']}/image"):
        assert staff.get(address).status_code == 200
    assert staff.get(answer["Location"]).json() == item


@pytest.mark.parametrize(
    ("words", "status", "code", "reason"),
    [
        ("[moderation_blocked]", 422, "prompt_refused", None),
        ("[401]", 502, "provider_failed", "provider_refused"),
        ("[no-picture]", 502, "provider_failed", "no_picture"),
        ("[cut]", 502, "provider_failed", "outcome_unknown"),
    ],
)
def test_a_picture_that_fails_meanwhile_says_why_and_stays_in_the_history(
    paid: Running, at_once: None, generate: Generate, staff: Client,
    words: str, status: int, code: str, reason: str | None,
) -> None:  # fmt: skip
    wish = {"id": str(uuid4()), "prompt": words}
    answer = generate(**wish)
    problem = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (problem["code"], problem.get("reason"), problem["id"]) == (code, reason, wish["id"])
    again = generate(**wish)
    assert (again.status_code, again.json()["status"]) == (200, "failed")
    assert again.json()["error"] == (reason or code)
    assert paid.count() == 1
    retried = staff.post(f"/api/history/{wish['id']}/retry")
    assert (retried.status_code, paid.count()) == (202, 2)


def test_what_waits_for_its_provider_is_accepted(paid: Running, at_once: None, generate: Generate) -> None:
    answer = generate(prompt="[429]", prefer="wait=0")
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "pending", "provider_busy")


@pytest.mark.parametrize(("setting", "scope"), [("STUDIO_DAILY_PICTURES", "you"), ("STUDIO_DAILY_PICTURES_ALL", "all")])
def test_beyond_the_limit_it_says_whose_it_is_and_when_it_ends(
    paid: Running, settings: LazySettings, staff: Client, generate: Generate, setting: str, scope: str
) -> None:
    setattr(settings, setting, 1)
    assert generate(prompt="a soup", prefer="respond-async").status_code == 202
    assert staff.get("/api/studio").json()["left"][scope] == 0
    answer = generate(prompt="another", prefer="respond-async")
    assert (answer.status_code, answer.json()["code"], answer.json()["scope"]) == (429, "limit_reached", scope)
    assert 1 <= int(answer["Retry-After"]) <= 25 * 3600
    assert Item.objects.count() == 1


def test_four_wait_in_a_process_and_the_fifth_has_its_answer_at_once(generate: Generate) -> None:
    with ExitStack() as places:
        for _ in range(4):
            assert waiting.places.acquire(blocking=False)
            places.callback(waiting.places.release)
        assert not waiting.places.acquire(blocking=False)
        began = monotonic()
        assert generate(prompt="a soup", prefer="wait=10").status_code == 202
        assert monotonic() - began < 9


def test_a_request_that_waits_holds_no_connection_to_the_database(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    item, held = ask(), []

    def sleep(_seconds: float) -> None:
        held.append(connection.connection is not None)
        if len(held) == 2:
            pipeline.generate(item_id=item.pk)

    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=sleep, monotonic=monotonic))
    waiting.wait_for(item.pk, seconds=600)
    assert held == [False, False], "and it ends with its picture"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [("", 2), ("respond-async", 0), ("wait=3", 3), ("respond-async, wait=3", 3), ("wait=600", 10), ("wait=soon", 2)],
)
def test_how_long_it_waits(prefer: str, seconds: int) -> None:
    assert waiting.seconds_of(prefer) == seconds


NOBODY = "/api/history/00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("post", "/api/image/generate", ["a soup"], 400),
        ("post", "/api/image/generate", {"prompt": "a\0soup"}, 400),
        ("post", "/api/image/generate", {"prompt": "a soup", "model": "\0"}, 400),
        ("post", "/api/image/generate", {"prompt": {"a": 1}}, 400),
        ("post", "/api/image/generate", {"prompt": "a soup", "model": "x" * 101}, 400),
        ("get", "/api/image/generate", None, 405),
        ("get", "/api/history/sync", None, 400),
        ("get", "/api/history/sync?since=-1", None, 400),
        ("get", "/api/history/sync?since=x", None, 400),
        ("get", "/api/history/sync?since=0&limit=0", None, 400),
        ("get", "/api/history/sync?since=0&epoch=x", None, 400),
        ("get", "/api/history/sync?since=99999999999999999999999", None, 410),
        ("get", "/api/history/sync?since=1000", None, 410),
        ("get", "/api/history?limit=0", None, 400),
        ("get", "/api/history?cursor=x", None, 400),
        ("get", "/api/history?status=done", None, 400),
        ("get", "/api/history?product=x", None, 400),
        ("get", "/api/history?search=%00", None, 400),
        ("get", "/api/history?colour=red", None, 400),
        ("get", NOBODY, None, 404),
        ("patch", NOBODY, {"favorite": True}, 404),
        ("delete", NOBODY, None, 404),
        ("post", f"{NOBODY}/retry", {}, 404),
        ("delete", f"{NOBODY}/use", None, 404),
        ("get", "/api/r2/image/images/1/1_x.jpg", None, 404),
        ("get", "/api/r2/image/%00", None, 404),
    ],
)
def test_what_it_cant_take_is_refused(staff: Client, method: str, address: str, body: Any, status: int) -> None:
    answer = getattr(staff, method)(address, body, **({} if body is None else {"content_type": JSON}))
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"favorite": "perhaps"}, {"favorite": None}, {"favorite": True, "prompt": "a"}, []]
)
def test_only_a_favourite_can_be_changed(ask: Ask, staff: Client, body: Any) -> None:
    own = f"/api/history/{ask().pk}"
    before = staff.get(own).json()
    assert staff.patch(own, body, content_type=JSON).status_code == 400
    assert staff.get(own).json() == before
    assert staff.patch(own, {"favorite": True}, content_type=JSON).json() == before | {"favorite": True}


def test_trying_again_changes_nothing_of_what_did_not_fail(ask: Ask, staff: Client) -> None:
    waiting_one, done = ask(), ask()
    pipeline.generate(item_id=done.pk)
    for item in (waiting_one, done):
        own = f"/api/history/{item.pk}"
        before = staff.get(own).json()
        again = staff.post(f"{own}/retry")
        assert (again.status_code, again.json()) == (202, before)


@pytest.mark.parametrize("body", [{}, {"product": "x"}, {"product": str(uuid4())}, {"product": None}])
def test_a_picture_goes_to_a_product_that_there_is(ask: Ask, staff: Client, body: Any) -> None:
    item = ask()
    pipeline.generate(item_id=item.pk)
    answer = staff.post(f"/api/history/{item.pk}/use", body, content_type=JSON)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["product"])
    assert staff.get(f"/api/history/{item.pk}").json()["placed"] is False


def test_a_change_needs_the_token_of_its_session(manager: User, ask: Ask) -> None:
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(manager)
    own = f"/api/history/{ask().pk}"
    for answer in (
        stranger.post("/api/image/generate", {"prompt": "a"}, content_type=JSON),
        stranger.patch(own, {"favorite": True}, content_type=JSON),
        stranger.delete(own),
        stranger.post(f"{own}/retry"),
    ):
        assert answer.status_code == 403
    assert Item.objects.count() == 1


def test_what_was_deleted_is_told_by_its_id_and_an_unchanged_history_is_empty(ask: Ask, staff: Client) -> None:
    one, other = str(ask().pk), str(ask().pk)
    whole = staff.get("/api/history/sync?since=0").json()
    assert ({item["id"] for item in whole["items"]}, whole["deleted"]) == ({one, other}, [])
    since = f"/api/history/sync?epoch={whole['epoch']}&since="
    assert staff.get(f"{since}{whole['version']}").json()["items"] == []
    assert staff.delete(f"/api/history/{one}").status_code == 204
    staff.patch(f"/api/history/{other}", {"favorite": True}, content_type=JSON)
    changes = staff.get(f"{since}{whole['version']}").json()
    assert (changes["deleted"], [item["id"] for item in changes["items"]]) == ([one], [other])
    assert changes["items"][0] == staff.get(f"/api/history/{other}").json()
    assert changes["version"] == changes["head"] > whole["version"]
    foreign = staff.get(f"/api/history/sync?since=1&epoch={uuid4()}")
    assert (foreign.status_code, foreign.json()["code"]) == (410, "resync_required")
