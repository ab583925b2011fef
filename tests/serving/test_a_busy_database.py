"""SQLite has one writer. While one holds it, others are told so after 5 s; nobody else waits."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from uuid import uuid4

import httpx
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from catalog.models import Employee, Role, Tag
from tests.serving.attacks import Web, web_process

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has many writers")
    with web_process(tmp_path_factory.mktemp("web") / "log") as web:
        yield web


@contextmanager
def another_writer() -> Iterator[sqlite3.Connection]:
    """Holds the write lock from the beginning to the end of the block."""
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=20)
    try:
        writer.execute("BEGIN IMMEDIATE")
        yield writer
        assert writer.in_transaction
        writer.execute("ROLLBACK")
    finally:
        writer.close()


@pytest.fixture
def clients(web: Web) -> Iterator[tuple[httpx.Client, httpx.Client, httpx.Client]]:
    """A back office, a manager in the admin, and somebody who isn't logged in."""
    # The tests hash with MD5, which the server doesn't know.
    password = PBKDF2PasswordHasher().encode("a long password", "salt")
    User.objects.create(username="boss", password=password, is_staff=True, is_superuser=True)
    nobody = partial(httpx.Client, base_url=web.url, timeout=30, headers={"Accept": "text/html"})
    with office(web) as api, nobody() as admin, nobody() as stranger:
        assert log_in(admin).status_code == 302
        yield api, admin, stranger


def office(web: Web) -> httpx.Client:
    said = StringIO()
    call_command("enroll_device", "office", "--upload", "--manage", stdout=said)
    headers = {"Authorization": f"Bearer {said.getvalue().split()[-1]}"}
    return httpx.Client(base_url=web.url, headers=headers, timeout=30, limits=httpx.Limits(max_connections=100))


def log_in(client: httpx.Client) -> httpx.Response:
    token = client.get("/admin/login/").cookies.get("csrftoken") or client.cookies["csrftoken"]
    form = {"username": "boss", "password": "a long password", "csrfmiddlewaretoken": token, "next": "/admin/"}
    return client.post("/admin/login/", data=form, follow_redirects=False)


def timed(ask: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def test_every_writer_is_told_after_five_seconds_and_no_reader_waits(
    clients: tuple[httpx.Client, httpx.Client, httpx.Client],
) -> None:
    api, admin, stranger = clients
    tag = Tag.objects.create(name="Hot")
    waiter = Employee.objects.create(name="Ann", code="1", role=Role.objects.create(name="Waiter"))
    waiter.set_pin("1234")
    waiter.save()
    album = api.post("/api/albums", json={"name": "Menu"}).raise_for_status().json()["id"]
    photo = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10}
    stranger.get("/admin/login/")
    csrf = admin.cookies["csrftoken"]
    form = {"name": "New", "kind": "", "color": "", "csrfmiddlewaretoken": csrf}
    batch = {"operations": [{"op": "update", "id": str(tag.pk), "data": {"color": "#ffffff"}}]}
    writes: dict[str, Callable[[], httpx.Response]] = {
        "a product's tag is made": lambda: api.post("/api/tags", json={"name": str(uuid4())}),
        "it is changed": lambda: api.patch(f"/api/tags/{tag.pk}", json={"color": "#000000"}),
        "it is put": lambda: api.put(f"/api/tags/{uuid4()}", json={"name": str(uuid4())}),
        "it is deleted": lambda: api.delete(f"/api/tags/{tag.pk}"),
        "a batch": lambda: api.post("/api/tags/batch", json=batch),
        "an album": lambda: api.post("/api/albums", json={"name": "Menu"}),
        "a photo": lambda: api.post(f"/api/albums/{album}/photos", json=photo),
        "a token": lambda: api.post("/api/devices/rotate"),
        "a wrong PIN": lambda: api.post(f"/api/employees/{waiter.pk}/verify_pin", json={"pin": "9999"}),
        "a form": lambda: admin.post("/admin/catalog/tag/add/", data=form),
        "a login": lambda: log_in(stranger),
    }
    many = [lambda: api.post("/api/tags", json={"name": str(uuid4())}) for _ in range(16)]
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))  # whoever reads with it writes it as well
    reads = ["/livez", "/readyz", "/api/sync/status", "/api/sync/tag", "/api/tags", "/api/devices/me", "/terminal/"]

    with another_writer(), ThreadPoolExecutor(40) as pool:
        told = {name: pool.submit(timed, ask) for name, ask in writes.items()}
        crowd = [pool.submit(timed, ask) for ask in many]
        time.sleep(0.5)
        read = {path: timed(lambda path=path: api.get(path)) for path in [*reads, *reads]}  # type: ignore[misc]
        page = timed(lambda: admin.get("/admin/catalog/tag/"))
        assert not any(one.done() for one in [*told.values(), *crowd])  # they waited while these were read
        answers = {name: one.result() for name, one in told.items()}
        answers |= {f"one of many {number}": one.result() for number, one in enumerate(crowd)}
    afterwards = api.post("/api/tags", json={"name": "Afterwards"})

    assert {path: took for path, (_answer, took) in read.items() if took > 1.5} == {}
    assert {
        path: a.status_code for path, (a, _took) in read.items() if a.status_code != 200 and path != "/readyz"
    } == {}
    assert (page[0].status_code, page[1] < 3) == (200, True)
    for name, (answer, took) in answers.items():
        assert answer.status_code == 503, (name, answer.status_code, answer.text[:300])
        assert int(answer.headers["Retry-After"]) >= 1, name
        assert 3 < took < 12, (name, took)
        if answer.url.path.startswith("/api/"):
            assert answer.json()["code"] == "database_unavailable", name
        else:
            assert re.search("<h1>.*ask again soon", answer.text, re.DOTALL), name
    assert afterwards.status_code == 201
    assert Tag.objects.filter(pk=tag.pk, color="").exists()
