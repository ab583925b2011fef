"""One request can be followed: through its answer, the log, and the tasks that it sends."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signing import dumps
from django.db import connection
from django.test import Client

from config.celery import app, take_request
from devices.services import enroll
from telemetry import counters, requests
from telemetry.lines import Json, Text, masked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What is logged, as LOG_FORMAT=json writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Json())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def test_the_id_of_the_proxy_is_in_answer_problem_and_log(log: Callable[[], list[dict[str, Any]]]) -> None:
    answer = Client(REMOTE_ADDR="192.168.1.9").get("/api/products", headers={"X-Request-ID": "from-nginx-1"})

    assert answer["X-Request-ID"] == "from-nginx-1"
    assert answer.json()["request_id"] == "from-nginx-1"
    (line,) = [line for line in log() if line["logger"] == "redcoral.refused"]
    assert line["request_id"] == "from-nginx-1"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/products", 401)
    assert (line["code"], line["who"], line["from"]) == ("not_authenticated", "", "192.168.1.9")
    assert line["at"].endswith("Z")


def test_a_request_without_an_id_gets_one() -> None:
    ids = {Client().get(path)["X-Request-ID"] for path in ("/livez", "/api/products", "/nowhere")}

    assert len(ids) == 3
    assert requests.current.get() == ""


def test_a_refusal_says_who_and_is_one_line(log: Callable[[], list[dict[str, Any]]]) -> None:
    token = enroll(name="Till 1").token
    Client(headers={"Authorization": f"Bearer {token}"}).post("/api/products", {}, content_type="application/json")

    (line,) = [line for line in log() if line["level"] in ("INFO", "WARNING") and "/api/products" in line["message"]]
    assert line["code"] == "forbidden"
    assert line["who"].startswith("device ")
    assert line["who"].endswith("Till 1")


@pytest.mark.parametrize("path", ["/api/products", "/admin/"])
def test_a_name_that_is_not_ours_is_one_line_that_says_so(log: Callable[[], list[dict[str, Any]]], path: str) -> None:
    assert Client().get(path, headers={"Host": "elsewhere.example"}).status_code == 400

    (line,) = log()
    assert (line["logger"], line["level"], line["status"]) == ("redcoral.refused", "INFO", 400)
    assert line["reason"].startswith("Invalid HTTP_HOST header: 'elsewhere.example'.")


def test_upload_tokens_are_in_no_line(log: Callable[[], list[dict[str, Any]]]) -> None:
    token = dumps(["0" * 32, 1], salt="uploads.targets")
    Client().put(f"/api/uploads/{token}", b"x", content_type="image/jpeg")

    (line,) = [line for line in log() if line["logger"] == "redcoral.refused"]
    assert line["path"] == "/api/uploads/***"
    assert token not in json.dumps(line)
    assert masked("GET https://s3/x?X-Amz-Signature=abc&b=1") == "GET https://s3/x?X-Amz-Signature=***&b=1"


def test_a_line_for_people_has_the_time_in_utc_and_the_id() -> None:
    record = logging.LogRecord("some.logger", logging.WARNING, __file__, 1, "It %s", ("happened",), None)
    record.created = 0.25
    token = requests.current.set("r-1")
    try:
        line = Text().format(record)
    finally:
        requests.current.reset(token)

    assert line == "1970-01-01T00:00:00.250Z WARNING some.logger: It happened request=r-1"


def test_a_task_carries_the_id_of_the_request_that_sent_it() -> None:
    token = requests.current.set("r-2")
    try:
        with app.connection_for_write() as broker:
            queue = broker.SimpleQueue("tests-of-requests")
            app.send_task("no.such.task", queue="tests-of-requests", connection=broker)
            message = queue.get(timeout=5)
            message.ack()
    finally:
        requests.current.reset(token)
    assert message.headers["request_id"] == "r-2"

    class Task:
        class request:
            id, request_id = "t", message.headers["request_id"]

    take_request(task=Task)
    assert requests.current.get() == "r-2"
    requests.current.set("")


def test_requests_are_counted_by_route_and_status() -> None:
    counters.write()
    counters.broker().delete(counters.KEY)
    for path in ("/livez", "/livez", "/made-up-1", "/made-up-2"):
        Client().get(path)

    shown = Client().get("/metrics").content.decode()

    assert 'redcoral_requests_total{method="GET",route="/livez",status="200"} 2.0' in shown
    assert 'redcoral_requests_total{method="GET",route="none",status="404"} 2.0' in shown
    assert 'redcoral_request_seconds_total{method="GET",route="/livez"}' in shown
    for name in (
        "redcoral_queue_length",
        "redcoral_workers",
        "redcoral_beat_age_seconds",
        "redcoral_build",
        "redcoral_disk_free_bytes",
    ):
        assert f"\n{name}" in shown
    assert "\nredcoral_up 1.0" in shown


def test_metrics_answer_without_the_database(settings: Any, tmp_path: Path) -> None:
    class Away:
        def __call__(self, *_: Any) -> Any:
            from django.db import OperationalError

            raise OperationalError("the database is away")

    with connection.execute_wrapper(Away()):
        answer = Client().get("/metrics")

    assert answer.status_code == 200
    assert "\nredcoral_up 0.0" in answer.content.decode()
    assert "\nredcoral_queue_length" in answer.content.decode()
