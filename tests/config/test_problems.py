"""An error is a problem in JSON, also where the answers themselves are something else."""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/api/schema", {"Authorization": "Bearer wrong"}, 401, "invalid_token"),
        ("POST", "/api/schema", {}, 405, "method_not_allowed"),
        ("POST", "/api/docs", {}, 405, "method_not_allowed"),
        ("OPTIONS", "/api/docs", {}, 405, "method_not_allowed"),
        ("GET", "/api/devices/me", {"Accept": "text/html"}, 401, "not_authenticated"),
        ("GET", "/api/products", {"Accept": "application/problem+json"}, 401, "not_authenticated"),
        ("GET", "/api", {}, 404, "not_found"),
    ],
)
def test_a_problem_is_json_whatever_its_address_answers_otherwise(
    method: str, path: str, headers: dict[str, Any], status: int, code: str
) -> None:
    response = Client().generic(method, path, headers=headers)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["status"] == status
