from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from devices.identity import COOKIE
from devices.models import Device

from .conftest import Post

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def enrolment(browser: Client, post: Post, code: str) -> Any:
    return post("/api/devices/enroll", {"code": code, "name": "Tablet", "cookie": True}, client=browser)


def csrf(browser: Client) -> dict[str, str]:
    return {"X-CSRFToken": browser.cookies["csrftoken"].value}


def test_a_browser_gets_a_cookie_that_no_script_can_read_and_no_token(enrolment: Any) -> None:
    assert enrolment.status_code == 201
    assert list(enrolment.json()) == ["id", "name", "scopes"]
    cookie = enrolment.cookies[COOKIE]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert cookie["secure"] == ""
    assert int(cookie["max-age"]) > 365 * 24 * 3600


def test_over_https_the_cookie_is_secure(post: Post, code: str) -> None:
    body = {"code": code, "name": "Tablet", "cookie": True}

    assert post("/api/devices/enroll", body, secure=True).cookies[COOKIE]["secure"] is True


def test_the_cookie_opens_the_door(browser: Client, enrolment: Any) -> None:
    assert browser.get("/api/devices/me").json()["id"] == enrolment.json()["id"]


def test_a_write_by_cookie_needs_the_csrf_header(browser: Client, enrolment: Any) -> None:
    response = browser.post("/api/devices/rotate")

    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")


def test_a_wrong_csrf_header_is_refused(browser: Client, enrolment: Any) -> None:
    response = browser.post("/api/devices/rotate", headers={"X-CSRFToken": "x" * 32})

    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")


def test_enrolment_gives_the_csrf_token_that_writes_need(browser: Client, enrolment: Any) -> None:
    assert browser.post("/api/devices/rotate", headers=csrf(browser)).status_code == 200


def test_a_browser_that_lost_its_csrf_token_gets_one_by_asking_who_it_is(browser: Client, enrolment: Any) -> None:
    del browser.cookies["csrftoken"]

    browser.get("/api/devices/me")

    assert browser.post("/api/devices/rotate", headers=csrf(browser)).status_code == 200


def test_asking_who_it_is_renews_the_cookie(browser: Client, enrolment: Any) -> None:
    renewed = browser.get("/api/devices/me").cookies[COOKIE]

    assert renewed.value == enrolment.cookies[COOKIE].value
    assert int(renewed["max-age"]) > 365 * 24 * 3600


def test_rotation_by_cookie_sets_a_new_cookie_and_shows_no_token(browser: Client, enrolment: Any) -> None:
    old = browser.cookies[COOKIE].value

    response = browser.post("/api/devices/rotate", headers=csrf(browser))

    assert response.json() == {}
    assert browser.cookies[COOKIE].value != old
    assert browser.get("/api/devices/me").status_code == 200
    browser.cookies[COOKIE] = old
    assert browser.get("/api/devices/me").json()["code"] == "invalid_token"


def test_a_revoked_cookie_is_an_invalid_token(browser: Client, enrolment: Any) -> None:
    Device.objects.update(revoked_at="2026-01-01T00:00Z")

    response = browser.get("/api/devices/me")

    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_a_revoked_cookie_steps_back_for_a_login(browser: Client, enrolment: Any, staff: User) -> None:
    Device.objects.update(revoked_at="2026-01-01T00:00Z")
    browser.force_login(staff)

    assert browser.get("/api/devices/me").status_code == 403  # let in as staff, who are no device


def test_a_staff_write_needs_the_csrf_header(browser: Client, manager: User) -> None:
    browser.force_login(manager)

    response = browser.post("/api/devices/rotate")

    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
