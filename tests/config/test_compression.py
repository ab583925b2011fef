"""Answers are compressed when they are asked for so, and worth it."""

import pytest
from django.test import Client

from devices.services import enroll

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Client:
    client = Client(headers={"Authorization": f"Bearer {enroll(name='till', may_manage=True).token}"})
    for number in range(10):
        made = client.post("/api/tags", {"name": f"tag {number}"}, content_type="application/json")
        assert made.status_code == 201
    return client


@pytest.mark.parametrize(
    ("asked", "compressed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("gzip; q=1", True),
        ("GZip", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("br, gzip; q=0.000", False),
    ],
)
def test_a_long_answer_is_compressed_when_asked_for_so(till: Client, asked: str, compressed: bool) -> None:
    answer = till.get("/api/tags", headers={"Accept-Encoding": asked})

    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_short_answer_is_not(till: Client) -> None:
    assert "Content-Encoding" not in till.get("/api/sync/status", headers={"Accept-Encoding": "gzip"}).headers
