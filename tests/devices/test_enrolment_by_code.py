from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from devices.models import ALPHABET, Device, EnrolmentCode
from devices.services import make_code

from .conftest import Post, bearer

pytestmark = pytest.mark.django_db
ENROLL = "/api/devices/enroll"


def test_a_code_makes_a_device_with_the_scopes_of_the_code(post: Post, code: str) -> None:
    response = post(ENROLL, {"code": code, "name": "Till 7"})

    assert response.status_code == 201
    assert list(response.json()) == ["id", "name", "token", "scopes"]
    assert response.json()["name"] == "Till 7"
    assert response.json()["scopes"] == ["read", "upload"]
    assert str(UUID(response.json()["id"])) == response.json()["id"]
    assert response["Cache-Control"] == "no-store"


def test_the_token_of_enrolment_opens_the_door(post: Post, code: str, client) -> None:
    enrolled = post(ENROLL, {"code": code, "name": "Till 7"}).json()

    me = client.get("/api/devices/me", headers=bearer(enrolled["token"]))

    assert me.status_code == 200
    assert list(me.json()) == ["id", "name", "scopes", "last_seen"]
    assert me.json()["id"] == enrolled["id"]
    assert me.json()["last_seen"].endswith("Z")


def test_a_code_is_eight_letters_that_nobody_confuses(code: str) -> None:
    assert len(code) == 9
    assert code[4] == "-"
    assert set(code) <= set(ALPHABET) | {"-"}
    assert not set("01OIL") & set(ALPHABET)


@pytest.mark.parametrize("typed", [str.lower, lambda c: c.replace("-", ""), lambda c: f"  {c[:4]} \u2013 {c[5:]} "])
def test_a_code_may_be_typed_in_any_manner(post: Post, code: str, typed) -> None:
    assert post(ENROLL, {"code": typed(code), "name": "Till 7"}).status_code == 201


def test_a_code_works_once(post: Post, code: str) -> None:
    post(ENROLL, {"code": code, "name": "Till 7"})

    again = post(ENROLL, {"code": code, "name": "Till 8"})

    assert again.status_code == 400
    assert again["Content-Type"] == "application/problem+json"
    assert again.json()["code"] == "invalid_code"
    assert Device.objects.count() == 1


def test_a_code_expires_after_fifteen_minutes(post: Post) -> None:
    now = timezone.now()
    old = make_code(row=EnrolmentCode(), now=now - timedelta(minutes=15, seconds=1))
    fresh = make_code(row=EnrolmentCode(), now=now - timedelta(minutes=14))

    assert post(ENROLL, {"code": old, "name": "Till 7"}).json()["code"] == "invalid_code"
    assert post(ENROLL, {"code": fresh, "name": "Till 7"}).status_code == 201


def test_a_wrong_code_is_refused_and_leaves_the_right_one_usable(post: Post, code: str) -> None:
    wrong = post(ENROLL, {"code": "AAAA-AAAA", "name": "Till 7"})

    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_code")
    assert post(ENROLL, {"code": code, "name": "Till 7"}).status_code == 201


def test_a_code_remembers_its_device(post: Post, code: str) -> None:
    enrolled = post(ENROLL, {"code": code, "name": "Till 7"}).json()

    row = EnrolmentCode.objects.get()

    assert str(row.device_id) == enrolled["id"]
    assert row.used_at is not None


def test_enrolling_needs_no_login_and_minds_no_stale_one(post: Post, code: str) -> None:
    response = post(ENROLL, {"code": code, "name": "Till 7"}, headers=bearer("stale"))

    assert response.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        7,
        None,
        {"code": "AAAA-AAAA"},
        {"name": "Till"},
        {"code": "AAAA-AAAA", "name": ""},
        {"code": "AAAA-AAAA", "name": "x" * 101},
        {"code": "A" * 65, "name": "Till"},
        {"code": ["AAAA-AAAA"], "name": "Till"},
        {"code": {"is": 1}, "name": "Till"},
        {"code": True, "name": "Till"},
        {"code": "AAAA\0AAA", "name": "Till"},
        {"code": "AAAA-AAAA", "name": "Ti\0ll"},
        {"code": "AAAA-AAAA", "name": "Till", "cookie": "perhaps"},
        {"code": "AAAA-AAAA", "name": "Till", "cookie": None},
        {"code": "AAAA-AAAA", "name": "Till", "cookie": [[]]},
    ],
)
def test_a_wrong_body_is_answered_by_a_problem(post: Post, body: object) -> None:
    response = post(ENROLL, body)

    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert response.json()["errors"]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"code": NaN}', b'{"code": "\\ud800"}', b"[" * 5000, b'{"code": ' + b"9" * 5000]
)
def test_what_is_not_json_is_answered_by_a_problem(client, body: bytes) -> None:
    response = client.post(ENROLL, body, content_type="application/json")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_only_json_is_read(client) -> None:
    assert client.post(ENROLL, {"code": "AAAA-AAAA", "name": "Till"}).status_code == 415


def test_a_huge_number_as_a_code_is_only_a_wrong_code(client) -> None:
    body = b'{"code": ' + b"9" * 30 + b', "name": "Till"}'

    assert client.post(ENROLL, body, content_type="application/json").json()["code"] == "invalid_code"


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_a_code_of_a_login_without_access_is_worth_nothing(post: Post, staff: User, lost: str) -> None:
    code = make_code(row=EnrolmentCode(may_upload=True), by=staff)
    User.objects.update(**{lost: False})

    assert post("/api/devices/enroll", {"code": code, "name": "Till"}).json()["code"] == "invalid_code"

    User.objects.update(**{lost: True})
    assert post("/api/devices/enroll", {"code": code, "name": "Till"}).status_code == 201
