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
