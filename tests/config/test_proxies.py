"""A trusted proxy says who really asks; anybody else may say whatever it likes."""

from typing import Any

import pytest
from django.test import Client

from devices.services import enroll

pytestmark = pytest.mark.django_db

WRONG = {"code": "WRNG-CDEE", "name": "till"}


def tries(times: int, **sender: Any) -> list[int]:
    client = Client()
    return [
        client.post("/api/devices/enroll", WRONG, content_type="application/json", **sender).status_code
        for _ in range(times)
    ]


def test_wrong_codes_of_one_till_behind_a_trusted_proxy_lock_no_other(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    one, other = ({"HTTP_X_FORWARDED_FOR": f"9.9.9.9, 192.168.1.{n}"} for n in (7, 8))
    assert tries(7, **one)[-1] == 429
    assert tries(1, **other) == [400]


@pytest.mark.parametrize("trusted", [[], ["10.0.0.1"]])
def test_whoever_is_not_trusted_cannot_choose_his_address(settings: Any, trusted: list[str]) -> None:
    settings.TRUSTED_PROXIES = trusted
    answers = [tries(1, HTTP_X_FORWARDED_FOR=f"192.168.1.{n}")[0] for n in range(7)]
    assert answers[-1] == 429


def test_what_is_no_address_changes_nothing(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    answers = [tries(1, HTTP_X_FORWARDED_FOR=f"no address {n}")[0] for n in range(7)]
    assert answers[-1] == 429


def test_links_and_cookies_follow_the_scheme_of_a_trusted_proxy(settings: Any) -> None:
    token = enroll(name="office", may_manage=True).token
    for place in range(2):
        body = {"name": f"tag {place}"}
        headers = {"Authorization": f"Bearer {token}"}
        assert Client(headers=headers).post("/api/tags", body, content_type="application/json").status_code == 201

    def next_link(**sender: Any) -> str:
        page = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/tags?limit=1", **sender)
        return str(page.json()["next"])

    assert next_link(HTTP_X_FORWARDED_PROTO="https").startswith("http://")
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert next_link(HTTP_X_FORWARDED_PROTO="https").startswith("https://")
    assert next_link(HTTP_X_FORWARDED_PROTO="gopher").startswith("http://")
