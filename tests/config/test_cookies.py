"""A cookie may say anything; the answer is never a failure of ours."""

import pytest
from django.test import Client

NUL = '"' + r"\000" * 12 + '"'


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/sync/status", "/api/products"])
@pytest.mark.parametrize("cookie", [f"sessionid={NUL}", f"redcoral_device={NUL}", f"csrftoken={NUL}", "sessionid=é"])
def test_a_strange_cookie_is_nobody(path: str, cookie: str) -> None:
    response = Client(headers={"Cookie": cookie}).get(path)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "words"), [("en", "copy what you typed"), ("es", "copie lo que escribió")])
def test_a_form_of_before_another_login_says_what_to_do(language: str, words: str) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
    answer = client.post("/admin/login/", {"username": "demo", "password": "demo"})
    assert answer.status_code == 403
    assert words in answer.content.decode()
    assert 'href="/admin/"' in answer.content.decode()
