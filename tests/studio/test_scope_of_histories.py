"""A device of scope ``history`` reads one manager's history: nothing more, and no longer than that manager is staff."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from devices.models import EnrolmentCode
from devices.services import Enrolled, enroll, make_code, redeem
from studio.models import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> User:
    return User.objects.create(username=f"manager {uuid4().hex[:8]}", is_staff=True, is_superuser=True)


def client_of(enrolled: Enrolled) -> Client:
    return Client(headers={"Authorization": f"Bearer {enrolled.token}"})


def redeemed(manager: User, *, history: bool) -> Enrolled:
    code = make_code(row=EnrolmentCode(may_read_history=history), by=manager)
    return redeem(code=code, name="Tablet", address="192.0.2.1")


def item(owner: User) -> Item:
    return Item.objects.create(owner=owner, kind="drawn", provider="label", created_at=timezone.now())


def test_a_code_made_for_it_gives_the_history_of_who_made_it(manager: User) -> None:
    other = User.objects.create(username="other", is_staff=True)
    mine, theirs = item(manager), item(other)
    enrolled = redeemed(manager, history=True)
    assert enrolled.device.scopes == ["read", "history"]
    client = client_of(enrolled)
    assert [found["id"] for found in client.get("/api/history").json()["results"]] == [str(mine.pk)]
    assert [found["id"] for found in client.get("/api/history/sync?since=0").json()["items"]] == [str(mine.pk)]
    assert client.get(f"/api/history/{mine.pk}").status_code == 200
    assert client.get(f"/api/history/{theirs.pk}").status_code == 404
    assert client.get(f"/api/history/{mine.pk}/image").status_code == 404  # nothing is drawn yet
    assert client.get("/api/r2/image/nothing").status_code == 404


def test_it_writes_nothing(manager: User) -> None:
    mine = item(manager)
    client = client_of(redeemed(manager, history=True))
    kind = "application/json"
    for answer in (
        client.post("/api/image/generate", {"prompt": "soup"}, content_type=kind),
        client.patch(f"/api/history/{mine.pk}", {"favorite": True}, content_type=kind),
        client.delete(f"/api/history/{mine.pk}"),
        client.post(f"/api/history/{mine.pk}/retry"),
        client.delete(f"/api/history/{mine.pk}/use"),
        client.get("/api/studio"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert Item.objects.filter(pk=mine.pk, is_favorite=False).exists()


@pytest.mark.parametrize("may", [False, True])
def test_no_other_device_reads_a_history(manager: User, may: bool) -> None:
    item(manager)
    for client in (
        client_of(enroll(name="Till", may_upload=may, may_manage=may)),
        client_of(redeemed(manager, history=False)),
    ):
        for address in ("/api/history", "/api/history/sync?since=0", "/api/r2/image/nothing"):
            assert client.get(address).status_code == 403


@pytest.mark.parametrize("end", [{"is_active": False}, {"is_staff": False}, None])
def test_it_ends_when_the_manager_is_no_longer_active_staff(manager: User, end: dict[str, bool] | None) -> None:
    client = client_of(redeemed(manager, history=True))
    assert client.get("/api/history/sync?since=0").status_code == 200
    if end is None:
        manager.delete()
    else:
        User.objects.filter(pk=manager.pk).update(**end)
    assert client.get("/api/history/sync?since=0").status_code == 403
    assert client.get("/api/sync/status").status_code == 200  # it is a terminal all the same


def test_the_command_line_names_the_manager(manager: User, capsys: pytest.CaptureFixture[str]) -> None:
    mine = item(manager)
    call_command("enroll_device", "Tablet", history_of=manager.username)
    token = capsys.readouterr().out.split()[-1]
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/history/sync?since=0")
    assert [found["id"] for found in answer.json()["items"]] == [str(mine.pk)]
    with pytest.raises(CommandError, match="nobody"):
        call_command("enroll_device", "Tablet", history_of="nobody")


def test_the_page_of_a_new_code_offers_it(manager: User, client: Client) -> None:
    client.force_login(manager)
    answer = client.post("/admin/devices/enrolmentcode/add/", {"may_read_history": "on"})
    assert answer.status_code == 200
    assert EnrolmentCode.objects.get().may_read_history
    assert b"read, history" in answer.content
