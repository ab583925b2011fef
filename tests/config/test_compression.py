"""Answers are compressed when they are asked for so, and worth it."""

from contextlib import closing
from typing import Any

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


STATIC = "/static/admin/css/base.css"


def read(answer: Any) -> bytes:
    """All of it; a file is closed."""
    with closing(answer):
        return b"".join(answer)


def test_a_static_file_that_the_client_has_is_no_body(client: Client) -> None:
    whole = client.get(STATIC, headers={"Accept-Encoding": "gzip"})
    read(whole)

    answer = client.get(STATIC, headers={"If-Modified-Since": whole["Last-Modified"], "Accept-Encoding": "gzip"})

    assert (answer.status_code, read(answer)) == (304, b"")
    assert not {"Content-Encoding", "Content-Length", "Content-Type"} & answer.headers.keys()


def test_a_part_is_the_bytes_that_its_range_says(client: Client) -> None:
    whole = read(client.get(STATIC))

    answer = client.get(STATIC, headers={"Range": "bytes=100-4099", "Accept-Encoding": "gzip"})

    assert (answer.status_code, answer["Content-Length"]) == (206, "4000")
    assert "Content-Encoding" not in answer.headers
    assert read(answer) == whole[100:4100]
