from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from devices.models import EnrolmentCode, FailedTry
from devices.services import make_code

from .conftest import Post

pytestmark = pytest.mark.django_db
ENROLL = "/api/devices/enroll"
WRONG = {"code": "AAAA-AAAA", "name": "Till"}


def guess(post: Post, times: int) -> list[int]:
    return [post(ENROLL, WRONG).status_code for _guess in range(times)]


def test_the_sixth_wrong_code_from_one_address_has_to_wait(post: Post) -> None:
    assert guess(post, 5) == [400] * 5

    response = post(ENROLL, WRONG)

    assert response.status_code == 429
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    wait = int(response["Retry-After"])
    assert 0 < wait <= 15 * 60
    assert problem == {
        "type": "/api/errors#throttled",
        "title": "Too Many Requests",
        "status": 429,
        "code": "throttled",
        "detail": f"Request was throttled. Expected available in {wait} seconds.",
        "request_id": response["X-Request-ID"],
    }


def test_a_right_code_has_to_wait_too(post: Post, code: str) -> None:
    guess(post, 5)

    assert post(ENROLL, {"code": code, "name": "Till"}).status_code == 429


def test_another_address_does_not_wait(post: Post, code: str) -> None:
    guess(post, 5)

    response = post(ENROLL, {"code": code, "name": "Till"}, client=Client(REMOTE_ADDR="192.168.1.9"))

    assert response.status_code == 201


def test_a_header_does_not_make_another_address(post: Post) -> None:
    guess(post, 5)

    assert post(ENROLL, WRONG, headers={"X-Forwarded-For": "192.168.1.9"}).status_code == 429


def test_a_right_code_resets_nothing(post: Post, code: str) -> None:
    guess(post, 4)
    assert post(ENROLL, {"code": code, "name": "Till"}).status_code == 201

    assert guess(post, 2) == [400, 429]


def test_right_codes_are_not_counted(post: Post) -> None:
    codes = [make_code(row=EnrolmentCode()) for _code in range(7)]

    assert {post(ENROLL, {"code": code, "name": "Till"}).status_code for code in codes} == {201}
    assert not FailedTry.objects.exists()


def test_after_fifteen_minutes_nobody_waits(post: Post, code: str) -> None:
    guess(post, 5)
    FailedTry.objects.update(at=F("at") - timedelta(minutes=15))

    assert post(ENROLL, {"code": code, "name": "Till"}).status_code == 201


def test_a_body_that_can_not_be_read_is_no_guess(post: Post) -> None:
    assert {post(ENROLL, {"code": "AAAA-AAAA"}).status_code for _body in range(7)} == {400}
