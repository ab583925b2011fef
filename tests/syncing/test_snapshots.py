"""A snapshot is built once for a herd, also when its builder is killed. Without a cache every caller still gets one."""

import fcntl
import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from uuid import uuid4

import httpx
import orjson
import pytest
from django.core.cache import cache
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from catalog.models import Product
from serving import turns
from syncing import epochs, log, registry, snapshots
from tests.parts import ROOT, free_port, shared_environment, wait_until

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


def herd(ask: Callable[[], snapshots.Packed], *, size: int = 12) -> list[snapshots.Packed]:
    """What so many get who ask at once."""

    def ask_and_leave(_: int) -> snapshots.Packed:
        try:
            return ask()
        finally:
            connection.close()

    with ThreadPoolExecutor(size) as terminals:
        return list(terminals.map(ask_and_leave, range(size)))


def test_a_herd_is_served_by_one_build(product: Product, builds: list[str]) -> None:
    etag = snapshots.current_etag(name="product")

    got = herd(lambda: snapshots.packed(name="product", etag=etag))

    assert builds == ["product"]
    assert len(set(got)) == 1
    assert orjson.loads(gzip.decompress(got[0].body))["items"][0]["id"] == str(product.id)


def test_a_builder_that_takes_long_stays_the_only_one_until_the_others_lose_patience(
    product: Product, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    etag, build = snapshots.current_etag(name="product"), snapshots.build

    def take_long(name: str) -> snapshots.Packed:
        time.sleep(2.5)
        return build(name)

    monkeypatch.setattr(snapshots, "build", take_long)
    herd(lambda: snapshots.packed(name="product", etag=etag), size=4)
    assert builds == ["product"]

    monkeypatch.setattr(snapshots, "PATIENCE_SECONDS", 0.5)
    cache.delete(snapshots.key(etag))
    herd(lambda: snapshots.packed(name="product", etag=etag), size=4)
    assert builds == ["product"] * 5


A_BUILDER = """
import sys, time

import django

django.setup()
from syncing import snapshots


def build(name):
    print("building", flush=True)
    time.sleep(120)


snapshots.build = build
snapshots.packed(name="product", etag=sys.argv[1])
"""


def test_a_builder_that_is_killed_is_succeeded_within_seconds(product: Product, builds: list[str]) -> None:
    etag = snapshots.current_etag(name="product")
    command = [sys.executable, "-c", A_BUILDER, etag]
    with subprocess.Popen(command, cwd=ROOT, env=shared_environment(), stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "building\n"
        assert is_being_built(etag)
        builder.kill()

    began = time.monotonic()
    got = herd(lambda: snapshots.packed(name="product", etag=etag))

    assert time.monotonic() - began < snapshots.PATIENCE_SECONDS / 3
    assert builds == ["product"]
    assert {packed.etag for packed in got} == {etag}


@contextmanager
def a_builder_at_work(etag: str) -> Iterator[None]:
    """Somebody elsewhere holds the lock and isn't done."""
    with snapshots.lock_of(etag) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def is_being_built(etag: str) -> bool:
    try:
        with a_builder_at_work(etag):
            return False
    except BlockingIOError:
        return True


def test_who_waits_for_a_builder_holds_no_connection(product: Product) -> None:
    etag = snapshots.current_etag(name="product")
    held: Future[BaseDatabaseWrapper] = Future()

    def ask() -> snapshots.Packed:
        connection.ensure_connection()
        held.set_result(connections["default"])
        try:
            return snapshots.packed(name="product", etag=etag)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as terminal, a_builder_at_work(etag):
        waits = terminal.submit(ask)
        wait_until(lambda: held.result().connection is None, seconds=10, what="a connection given back")
        assert not waits.done()
    assert waits.result().etag == etag


def test_a_herd_that_waits_for_a_builder_leaves_threads_for_others(product: Product, web: str, token: str) -> None:
    etag = snapshots.current_etag(name="product")
    with ExitStack() as stack:
        http = stack.enter_context(httpx.Client(base_url=web, headers={"Authorization": f"Bearer {token}"}))
        terminals = stack.enter_context(ThreadPoolExecutor(turns.THREADS + 2))
        with a_builder_at_work(etag):
            waits = [terminals.submit(http.get, "/api/sync/product", timeout=60) for _ in range(turns.THREADS + 2)]
            paths = ["/livez", "/api/sync/status", "/api/products"] * 3
            others = [http.get(path, timeout=10).status_code for path in paths]
            assert not any(terminal.done() for terminal in waits)
    assert set(others) == {200}
    assert {terminal.result().headers["ETag"].removeprefix("W/") for terminal in waits} == {f'"{etag}"'}


@pytest.mark.parametrize("step", ["build", "current_etag"])
def test_a_build_that_fails_keeps_nobody_waiting(product: Product, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    etag = snapshots.current_etag(name="product")

    def fail(name: str) -> snapshots.Packed:
        raise OperationalError("the connection was cut")

    with monkeypatch.context() as broken:
        broken.setattr(snapshots, step, fail)
        with pytest.raises(OperationalError):
            snapshots.packed(name="product", etag=etag)

    assert not is_being_built(etag)
    assert snapshots.packed(name="product", etag=etag).etag == etag


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
