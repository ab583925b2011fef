"""A snapshot is built once for a herd, and without a cache each still gets his own."""

import gzip
import threading
import time
from dataclasses import replace
from uuid import uuid4

import orjson
import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from catalog.models import Product
from syncing import epochs, log, registry, snapshots
from tests.parts import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts how often a snapshot is really built; each build takes a while."""
    built: list[str] = []
    build = snapshots.build

    def counted(name: str) -> snapshots.Packed:
        built.append(name)
        time.sleep(0.2)
        return build(name)

    monkeypatch.setattr(snapshots, "build", counted)
    return built


@pytest.fixture
def no_cache(settings: object) -> None:
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}",
            "OPTIONS": {"socket_connect_timeout": 0.2},
        }
    }
    with pytest.raises(Exception, match="refused"):
        cache.get("proves-that-nobody-answers")


def test_a_herd_is_served_by_one_build(product: Product, builds: list[str]) -> None:
    etag, got = snapshots.current_etag(name="product"), []

    def ask() -> None:
        try:
            got.append(snapshots.packed(name="product", etag=etag))
        finally:
            connection.close()

    herd = [threading.Thread(target=ask) for _ in range(12)]
    for terminal in herd:
        terminal.start()
    for terminal in herd:
        terminal.join()
    assert builds == ["product"]
    assert len(set(got)) == 1
    assert orjson.loads(gzip.decompress(got[0].body))["items"][0]["id"] == str(product.id)


def test_a_build_that_fails_keeps_nobody_waiting(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    etag, build = snapshots.current_etag(name="product"), snapshots.build

    def fail(name: str) -> snapshots.Packed:
        raise OperationalError("the connection was cut")

    monkeypatch.setattr(snapshots, "build", fail)
    with pytest.raises(OperationalError):
        snapshots.packed(name="product", etag=etag)
    monkeypatch.setattr(snapshots, "build", build)

    began = time.monotonic()
    assert snapshots.packed(name="product", etag=etag).etag == etag
    assert time.monotonic() - began < snapshots.BUILDING_SECONDS / 3


def test_a_change_is_another_snapshot(product: Product, builds: list[str]) -> None:
    for _ in range(2):
        packed = snapshots.packed(name="product", etag=snapshots.current_etag(name="product"))
        answer = orjson.loads(gzip.decompress(packed.body))
        assert answer["version"] == log.heads().versions["product"]
        product.save()
    assert builds == ["product", "product"]


def test_an_epoch_at_the_same_version_is_another_snapshot(product: Product) -> None:
    before = snapshots.current_etag(name="product")
    epochs.begin()
    assert snapshots.current_etag(name="product") != before
    assert snapshots.etag_of(uuid4(), "product", 1) != snapshots.etag_of(uuid4(), "product", 1)


def test_another_wire_shape_at_the_same_version_is_another_snapshot(transactional_db: None) -> None:
    """Of the object, and of what travels inside it: after an update of the server nobody gets yesterday's shape."""
    resource = registry.resource("attribute")
    (options,) = resource.children
    shapes = {
        resource.shape,
        replace(resource, fields=resource.fields[:-1]).shape,
        replace(resource, fields=resource.fields[::-1]).shape,
        replace(resource, children=(replace(options, fields=options.fields[:-1]),)).shape,
    }
    assert len(shapes) == 4
    assert replace(resource).shape == resource.shape


def test_without_a_cache_each_request_builds_its_own(product: Product, no_cache: None, builds: list[str]) -> None:
    for _ in range(2):
        packed = snapshots.packed(name="product", etag=snapshots.current_etag(name="product"))
        assert orjson.loads(gzip.decompress(packed.body))["version"] == log.heads().versions["product"]
    assert builds == ["product", "product"]


def test_the_same_words_with_and_without_compression(product: Product, token: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    plain = client.get("/api/sync/product")
    packed = client.get("/api/sync/product", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"] == f"W/{plain['ETag']}"
    assert "Accept-Encoding" in packed["Vary"]
    for etag in (plain["ETag"], packed["ETag"]):
        again = client.get("/api/sync/product", headers={"Accept-Encoding": "gzip", "If-None-Match": etag})
        assert again.status_code == 304


@pytest.mark.parametrize(("asked", "coding"), [("br, gzip;q=0.5", "gzip"), ("gzip;q=0", None), ("br", None)])
def test_who_refuses_gzip_gets_plain_json(product: Product, token: str, asked: str, coding: str | None) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    answer = client.get("/api/sync/product", headers={"Accept-Encoding": asked})

    assert answer.headers.get("Content-Encoding") == coding
    if coding is None:
        assert answer.json()["items"][0]["id"] == str(product.id)


def test_the_database_is_let_go_before_the_body_goes_out(product: Product, token: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        connection.ensure_connection()
        answer = client.get("/api/sync/product", headers=headers)
        assert connection.connection is None
        assert answer.status_code == 200
