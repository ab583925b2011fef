"""The stream of a real web process, read over HTTP."""

import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from uuid import UUID

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from catalog.models import Category, Product, Tag
from devices.models import Device
from devices.services import enroll
from syncing import epochs, log, registry
from syncing.models import SyncedResource
from tests.parts import wait_until
from tests.syncing.conftest import web_process
from tests.syncing.objects import held_objects, objects_of
from tests.syncing.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)

Listen = Callable[..., Terminal]


def test_hello_comes_first_and_speaks_of_the_head(listen: Listen, product: Product) -> None:
    heads = log.heads()
    till = listen()
    hello = till.until("hello")
    assert till.frames[0] is hello
    assert hello.data == {"epoch": str(heads.epoch), "versions": heads.versions}
    assert hello.retry is not None
    assert till.headers is not None
    assert till.headers["content-type"].startswith("text/event-stream")
    assert till.headers["x-accel-buffering"] == "no"
    assert till.headers.get("content-encoding", "identity") == "identity"


def test_a_change_arrives_with_its_object_and_ends_in_a_cut(listen: Listen, product: Product) -> None:
    till = listen()
    version = till.until("hello").data["versions"]["product"]
    Product.objects.filter(pk=product.pk).update(price="3.20")
    frame = till.until("sync", resource="product")
    (row,) = objects_of("product", [product.id])
    assert frame.data == {
        "resource": "product",
        "action": "updated",
        "id": str(product.id),
        "version": version + 1,
        "data": row,
        "cut": True,
    }
    assert row["price"] == "3.20"


def test_a_deletion_has_no_data(listen: Listen, product: Product) -> None:
    till = listen()
    till.until("hello")
    key = str(product.id)
    product.delete()
    frame = till.until("sync", action="deleted")
    assert (frame.data["id"], frame.data["data"]) == (key, None)


def test_one_transaction_over_two_resources_is_one_cut(listen: Listen, category: Category) -> None:
    till = listen()
    till.until("hello")
    with transaction.atomic():
        food = Category.objects.create(name="Food")
        Product.objects.create(name="Pizza", price="9", category=food)
    last = till.until("sync", resource="product")
    assert [frame["cut"] for frame in till.synced()] == [False, True]
    assert last.data["cut"] is True


def test_a_cursor_continues_where_the_stream_was_left(listen: Listen, product: Product) -> None:
    first = listen()
    first.until("hello")
    product.save()
    left = first.until("sync", resource="product")
    for name in ("missed 1", "missed 2"):
        Tag.objects.create(name=name)
    product.save()
    for header in (
        {"last_event_id": left.id},
        {"cursor": left.id},
        {"last_event_id": left.id, "cursor": "nonsense"},
    ):
        again = listen(**header)
        hello = again.until("hello")
        assert hello.data["versions"]["product"] == left.data["version"]
        again.until("sync", resource="product", version=left.data["version"] + 1)
        again.until("sync", resource="tag", version=log.heads().versions["tag"])
        versions = [frame["version"] for frame in again.synced() if frame["resource"] == "tag"]
        assert [b - a for a, b in pairwise(versions)] == [1] * (len(versions) - 1)
        assert len(versions) == 2


def test_a_stream_of_some_resources_speaks_only_of_them(listen: Listen, product: Product) -> None:
    till = listen(resources="tag,zone")
    assert set(till.until("hello").data["versions"]) == {"tag", "zone"}
    product.save()
    Tag.objects.create(name="hot")
    frame = till.until("sync")
    assert (frame.data["resource"], frame.data["cut"]) == ("tag", True)
    assert "product" not in frame.id


def test_within_15_seconds_idle_streams_hear_a_bookmark_and_a_revoked_device_loses_its_own(
    listen: Listen, web: str, product: Product
) -> None:
    """In one test, because to wait is what takes the time."""
    stolen = enroll(name="stolen")
    till, of_some = listen(), listen(resources="tag,zone")
    with Terminal(web, stolen.token) as revoked:
        for each in (till, of_some, revoked):
            each.until("hello")
        Device.objects.filter(pk=stolen.device.pk).update(revoked_at=timezone.now())
        product.save()
        change = till.until("sync")
        # Not one that came in the moment before the change.
        mark = till.until("bookmark", seconds=16, after=till.frames.index(change) + 1)
        assert revoked.ended.wait(16)

    assert mark.data == {"epoch": str(log.heads().epoch), "versions": log.heads().versions}
    assert set(of_some.until("bookmark", seconds=16).data["versions"]) == {"tag", "zone"}
    assert revoked.frames[-1].event == "bookmark"
    assert not till.ended.is_set()
    assert not of_some.ended.is_set()


@pytest.mark.parametrize("cursor", ["nonsense", "product.5", "x:y", "é", f"{UUID(int=7).hex}:product.x", "a" * 5000])
def test_a_cursor_that_cannot_be_read_is_a_resync_of_everything(listen: Listen, cursor: str) -> None:
    till = listen(cursor=cursor)
    hello, resync = till.until("hello"), till.until("resync")
    assert hello.data["versions"] == log.heads().versions
    assert set(resync.data["resources"]) == set(log.heads().versions)
    assert resync.data["epoch"] == str(log.heads().epoch)
    Tag.objects.create(name="goes on")
    till.until("sync", resource="tag")


def test_a_cursor_of_another_epoch_is_a_resync(listen: Listen, product: Product) -> None:
    old = listen().until("hello").id
    epochs.begin()
    till = listen(last_event_id=old)
    assert till.until("hello").data["epoch"] == str(log.heads().epoch)
    assert till.until("resync").data["reason"] == "epoch"


def test_a_cursor_ahead_or_below_the_horizon_resyncs_only_that_resource(listen: Listen, product: Product) -> None:
    hello = listen().until("hello")
    product.save()
    head = log.heads().versions["product"]
    SyncedResource.objects.filter(name="product").update(horizon=head)
    behind = listen(last_event_id=hello.id)
    resync = behind.until("resync")
    assert (resync.data["resources"], resync.data["reason"]) == (["product"], "horizon")
    assert resync.data["versions"]["product"] == head
    ahead = listen(last_event_id=f"{log.heads().epoch.hex}:tag.99999")
    resync = ahead.until("resync")
    assert (resync.data["resources"], resync.data["reason"]) == (["tag"], "ahead")


def test_a_new_epoch_reaches_an_open_stream_within_two_seconds(listen: Listen, product: Product) -> None:
    till = listen()
    till.until("hello")
    epoch = epochs.begin()
    resync = till.until("resync", seconds=2)
    assert (resync.data["epoch"], resync.data["reason"]) == (str(epoch), "epoch")
    assert set(resync.data["resources"]) == set(log.heads().versions)
    product.save()
    after = till.until("sync", resource="product")
    assert after.data["version"] == resync.data["versions"]["product"] + 1


def test_state_and_events_equal_the_refetched_state(listen: Listen, category: Category) -> None:
    """Convergence: a snapshot and the events after it are a fresh snapshot."""
    till = listen()
    versions = till.until("hello").data["versions"]
    held = {name: held_objects(name) for name in registry.names()}
    start = {name: dict(rows) for name, rows in held.items()}
    tags = [Tag.objects.create(name=f"tag {n}") for n in range(3)]
    for n in range(40):
        product = Product.objects.create(name=f"p{n}", price=str(n), category=category)
        product.tags.set(tags[: n % 4])
        if n % 5 == 0:
            product.delete()
    Product.objects.filter(name__contains="1").update(is_sold_out=True)
    tags[0].delete()
    heads = log.heads().versions
    till.until("sync", resource="product", version=heads["product"])
    till.until("sync", resource="tag", version=heads["tag"])
    for frame in till.synced():
        name = frame["resource"]
        assert frame["version"] == versions[name] + 1
        versions[name] += 1
        if frame["action"] == "deleted":
            held[name].pop(frame["id"], None)
        elif frame["data"] is not None:
            held[name][frame["id"]] = frame["data"]
    assert versions == heads
    assert held == {name: held_objects(name) for name in registry.names()}
    assert held != start


def test_wrong_requests_get_problems(web: str, token: str) -> None:
    path, headers = f"{web}/api/sync/events", {"Authorization": f"Bearer {token}"}
    nobody = httpx.get(path)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated")
    assert nobody.headers["www-authenticate"] == "Bearer"
    wrong = httpx.get(path, headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")
    for names in ("nothing", "product,nothing", "", "product,"):
        unknown = httpx.get(path, headers=headers, params={"resources": names})
        assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_resource")
        assert unknown.headers["content-type"] == "application/problem+json"
    elsewhere = httpx.get(path, headers=headers | {"Host": "elsewhere.example"})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "bad_request")
    posted = httpx.post(path, headers=headers)
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


def test_the_front_takes_what_a_client_may_send(web: str, token: str) -> None:
    spoofed = httpx.get(f"{web}/api/sync/status", headers={"HTTP_AUTHORIZATION": f"Bearer {token}"})
    assert spoofed.status_code == 401
    chunked = httpx.post(
        f"{web}/api/devices/enroll",
        content=iter([b'{"code": "x",', b' "name": "y"}']),
        headers={"Content-Type": "application/json"},
    )
    assert (chunked.status_code, chunked.json()["code"]) == (400, "invalid_code")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /api/sync/product/changes?since=%C3%A9&epoch=%ff HTTP/1.1", b"400"),
        (b"GET /api/sync/%ff HTTP/1.1", b"404"),
        (b"GET /api/sync/events?resources=%ff&cursor=%00 HTTP/1.1", b"400"),
        (b"POST /api/images HTTP/1.1\r\nContent-Length: 1000000000000", b"413"),
    ],
)
def test_raw_bytes_get_problems(web: str, token: str, request_line: bytes, status: bytes) -> None:
    host, _, port = web.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        auth = f"Authorization: Bearer {token}\r\nHost: {host}\r\nConnection: close".encode()
        wire.sendall(request_line + b"\r\n" + auth + b"\r\n\r\n")
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.split()[1] == status
    assert b"application/problem+json" in answer


def test_an_upload_that_is_cut_off_takes_no_effect(web: str, token: str) -> None:
    host, _, port = web.removeprefix("http://").partition(":")
    for _ in range(20):  # more than there are threads for requests
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            head = f"POST /api/devices/rotate HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            wire.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert httpx.get(f"{web}/api/sync/status", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_of_many_that_come_at_once_no_more_are_taken_than_there_is_room_for(token: str) -> None:
    with web_process(STREAM_CAPACITY="2", STREAMS_PER_DEVICE="12") as (address, _), ExitStack() as stack:
        host, _, port = address.removeprefix("http://").partition(":")
        request = f"GET /api/sync/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        herd = [stack.enter_context(socket.create_connection((host, int(port)), timeout=20)) for _ in range(12)]
        for wire in herd:
            wire.sendall(request)

        heads = [wire.recv(65536) for wire in herd]

        refused = [head for head in heads if not head.startswith(b"HTTP/1.1 200 ")]
        assert len(heads) - len(refused) == 2
        for head in refused:
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: " in head

        for wire in herd:
            wire.close()

        def there_is_room() -> bool:
            with httpx.stream("GET", f"{address}/api/sync/events", headers={"Authorization": f"Bearer {token}"}) as one:
                return one.status_code == 200

        wait_until(there_is_room, what="room for another")


def test_sigterm_ends_open_streams_with_a_bookmark(token: str) -> None:
    with web_process(STREAMS_PER_DEVICE="20") as (address, process), ExitStack() as stack:
        tills = [stack.enter_context(Terminal(address, token)) for _ in range(20)]
        for till in tills:
            till.until("hello")
        process.terminate()
        for till in tills:
            assert till.ended.wait(3)
            assert till.frames[-1].event == "bookmark"
        assert process.wait(3) in (0, -signal.SIGTERM)


def test_staff_opens_a_stream_of_what_it_may_look_at(web: str, product: Product) -> None:
    user = User.objects.create_user("mira", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client = Client()
    client.force_login(user)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    for query in ("", "?resources=product,employee"):
        refused = httpx.get(f"{web}/api/sync/events{query}", cookies=cookies)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    with httpx.stream("GET", f"{web}/api/sync/events?resources=product", cookies=cookies) as stream:
        assert stream.status_code == 200
