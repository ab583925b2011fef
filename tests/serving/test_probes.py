"""The probes: what runs, what is ready, and who may see the numbers."""

import os
from typing import Any

import pytest
import redis
from django.test import Client

from catalog.models import Tag
from serving import heartbeats, probes
from syncing import capture
from tests.parts import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def lines(response: Any) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in response.content.decode().splitlines())


@pytest.fixture
def worker() -> Any:
    """The mark that a worker leaves; that a real one leaves it is another test's claim."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.set(f"{heartbeats.KEYS}tests", "", ex=60)
        yield
        broker.delete(f"{heartbeats.KEYS}tests")


def test_livez_is_open() -> None:
    assert Client().get("/livez").status_code == 200


def test_readyz_has_a_line_for_each_part(worker: None) -> None:
    response = Client().get("/readyz")
    found = lines(response)
    assert list(found) == ["database", "migrations", "triggers", "storage", "broker", "workers"]
    assert all(answer.startswith("ok") for answer in found.values()), found
    assert response.status_code == 200


def test_readyz_names_what_is_wrong_and_still_asks_the_rest(worker: None, settings: Any) -> None:
    capture.drop()
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    response = Client().get("/readyz")
    found = lines(response)
    assert response.status_code == 503
    assert "run manage.py migrate" in found["triggers"]
    assert found["broker"].startswith("failed")
    assert found["workers"].startswith("failed")
    assert found["database"].startswith("ok")
    capture.install()


def test_a_real_worker_makes_the_server_ready(celery_worker_process: object) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.delete(f"{heartbeats.KEYS}tests")
        assert list(broker.scan_iter(f"{heartbeats.KEYS}*")), "the worker shows its heartbeat"
    assert probes.workers().startswith("ok")


def test_metrics_are_for_loopback() -> None:
    Tag.objects.create(name="hot")
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert b'redcoral_sync_version{resource="tag"} 1.0' in response.content
    assert b'redcoral_photos{status="failed"} 0.0' in response.content


@pytest.mark.parametrize(
    "from_outside", [{"REMOTE_ADDR": "192.168.1.9"}, {"HTTP_X_FORWARDED_FOR": "192.168.1.9"}, {"REMOTE_ADDR": ""}]
)
def test_metrics_from_outside_need_the_token(from_outside: dict[str, Any], settings: Any) -> None:
    settings.METRICS_TOKEN = "s3cret"
    client = Client()
    refused = client.get("/metrics", **from_outside)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer wrong", **from_outside).status_code == 403
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer s3cret", **from_outside).status_code == 200


def test_without_a_token_nobody_outside_sees_metrics() -> None:
    assert Client().get("/metrics", REMOTE_ADDR="10.0.0.1", HTTP_AUTHORIZATION="Bearer ").status_code == 403


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_probe_is_only_read(path: str, method: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, path)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "method_not_allowed"


def test_strangers_read_states_only(worker: None, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    settings.METRICS_TOKEN = "s3cret"
    stranger = Client(REMOTE_ADDR="192.168.1.9")

    found = lines(stranger.get("/readyz"))
    assert set(found.values()) == {"ok", "failed"}
    assert found["broker"] == "failed"
    for told in (stranger.get("/readyz", HTTP_AUTHORIZATION="Bearer s3cret"), Client().get("/readyz")):
        assert "Error" in lines(told)["broker"]
        assert told.status_code == 503
