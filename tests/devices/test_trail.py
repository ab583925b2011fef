"""What concerns who may do what is told: a line of JSON each, a row for the admin, and nothing secret."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Employee, Role
from devices.models import Device, EnrolmentCode, SecurityEvent
from devices.services import Enrolled, enroll, make_code

from .conftest import Post, bearer

pytestmark = pytest.mark.django_db
Lines = Callable[[], list[dict[str, Any]]]
HERE: dict[str, Any] = {"REMOTE_ADDR": "192.168.1.9"}


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the logger wrote since it was asked last, by its own handler."""
    (handler,) = logging.getLogger("redcoral.security").handlers
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(io.StringIO())

    def read() -> list[dict[str, Any]]:
        written = handler.setStream(io.StringIO())
        assert isinstance(written, io.StringIO)
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield read
    handler.setStream(before)


def one(lines: Lines, event: str) -> dict[str, Any]:
    (line,) = [line for line in lines() if line["event"] == event]
    assert {"at", "event", "who", "from", "request_id"} <= line.keys()
    return line


def test_a_failed_login_says_who_from_where_and_in_which_request(lines: Lines, manager: User) -> None:
    client = Client(**HERE)
    answer = client.post(
        "/admin/login/", {"username": "boss", "password": "hunter2"}, headers={"X-Request-ID": "abc-1"}
    )

    line = one(lines, "login_failed")

    assert (line["name"], line["from"], line["request_id"]) == ("boss", "192.168.1.9", "abc-1")
    assert answer["X-Request-ID"] == "abc-1"
    assert "hunter2" not in json.dumps(line)
    row = SecurityEvent.objects.get(event="login_failed")
    assert (row.event, row.address, row.request_id, row.about) == (
        "login_failed",
        HERE["REMOTE_ADDR"],
        "abc-1",
        {"name": "boss"},
    )


def test_a_name_that_nobody_has_is_not_written_down(lines: Lines, manager: User) -> None:
    Client().post("/admin/login/", {"username": "my-Password-7", "password": "x"})

    line = one(lines, "login_failed")

    assert line["name"] == ""
    assert not SecurityEvent.objects.filter(about__name="my-Password-7").exists()


def test_a_request_without_an_id_gets_one_and_a_strange_one_is_not_taken() -> None:
    ids = [
        Client().post("/admin/login/", {"username": "x", "password": "x"}, headers=headers)["X-Request-ID"]
        for headers in ({}, {"X-Request-ID": 'x"} {"'}, {})
    ]

    assert len(set(ids)) == 3
    assert len(Client().get("/livez")["X-Request-ID"]) == 32
    assert Client().get("/livez", headers={"X-Request-ID": "given"})["X-Request-ID"] == "given"
    assert all(len(one) == 32 for one in ids)


def test_guesses_after_too_many_are_logged_and_fill_no_table(lines: Lines, manager: User) -> None:
    lines()
    for _ in range(13):
        Client(**HERE).post("/admin/login/", {"username": "boss", "password": "wrong"})

    events = [line["event"] for line in lines()]

    assert events == ["login_failed"] * 10 + ["login_throttled"] * 3
    assert SecurityEvent.objects.filter(event__startswith="login").count() == 10


def test_the_life_of_a_device_is_told(lines: Lines, client: Client, manager: User, post: Post) -> None:
    client.force_login(manager)
    page = client.post("/admin/devices/enrolmentcode/add/", {"may_upload": "on"})
    code = page.context["code"]
    made = one(lines, "code_made")
    assert (made["who"], made["scopes"]) == ("staff boss", ["read", "upload"])

    assert post("/api/devices/enroll", {"code": "WRONG", "name": "x"}).status_code == 400
    assert one(lines, "code_failed")["who"] == ""

    enrolled = post("/api/devices/enroll", {"code": code, "name": "Till 1"}, **HERE).json()
    line = one(lines, "enrolled")
    assert (line["device"], line["name"], line["scopes"]) == (enrolled["id"], "Till 1", ["read", "upload"])
    assert (line["from"], line["who"]) == ("192.168.1.9", f"code {made['code']}")

    token = post("/api/devices/rotate", headers=bearer(enrolled["token"])).json()["token"]
    assert one(lines, "rotated")["who"] == f"device {enrolled['id']} Till 1"

    address = reverse("admin:devices_device_change", args=[enrolled["id"]])
    client.post(address, {"name": "Till 1", "may_manage": "on"})
    assert one(lines, "scopes_changed")["scopes"] == ["read", "manage"]

    client.post("/admin/devices/device/", {"action": "revoke_chosen", "_selected_action": enrolled["id"]})
    line = one(lines, "revoked")
    assert (line["who"], line["device"]) == ("staff boss", enrolled["id"])

    client.post(reverse("admin:devices_device_delete", args=[enrolled["id"]]), {"post": "yes"})
    assert one(lines, "device_deleted")["device"] == enrolled["id"]

    said = json.dumps(list(SecurityEvent.objects.values("who", "about")))
    for secret in (code, code.replace("-", ""), enrolled["token"], token):
        assert secret not in said


def test_a_wrong_pin_names_the_device_and_the_employee_and_no_pin(lines: Lines, till: Enrolled, post: Post) -> None:
    ana = Employee.objects.create(name="Ana", code="1", role=Role.objects.create(name="Service"))
    ana.set_pin("0123")
    ana.save()
    for _ in range(6):
        post(f"/api/employees/{ana.pk}/verify_pin", {"pin": "98765"}, headers=bearer(till.token))

    told = lines()

    assert [line["event"] for line in told] == ["pin_failed"] * 5 + ["pin_throttled"]
    assert (told[0]["employee"], told[0]["who"]) == (str(ana.pk), f"device {till.device.pk} Till 1")
    assert "98765" not in json.dumps(told)


def test_changes_of_rights_are_told(lines: Lines, client: Client, manager: User) -> None:
    client.force_login(manager)
    lines()
    permission = Permission.objects.get(codename="view_tag")
    client.post(reverse("admin:auth_group_add"), {"name": "Waiters", "permissions": [permission.pk]})
    assert [(line["event"], line["kind"], line["name"]) for line in lines()] == [
        ("account_added", "group", "Waiters"),
        ("permissions_changed", "group", "Waiters"),
    ]
    ana = User.objects.create_user("ana")
    group = Group.objects.get()
    form = {"username": "ana", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    when = {
        "date_joined_0": ana.date_joined.strftime("%Y-%m-%d"),
        "date_joined_1": ana.date_joined.strftime("%H:%M:%S"),
    }
    client.post(reverse("admin:auth_user_change", args=[ana.pk]), {**form, **when})
    assert one(lines, "permissions_changed")["fields"] == ["groups", "is_staff"]

    password = {"password1": "Ourselves-7", "password2": "Ourselves-7", "usable_password": "true"}
    client.post(reverse("admin:auth_user_password_change", args=[ana.pk]), password)
    line = one(lines, "password_changed")
    assert (line["who"], line["name"]) == ("staff boss", "ana")
    assert "Ourselves-7" not in json.dumps(line)

    own = {"old_password": "secret", "new_password1": "Ourselves-8", "new_password2": "Ourselves-8"}
    assert client.post(reverse("admin:password_change"), own).status_code == 302
    assert one(lines, "password_changed")["name"] == "boss"

    client.post(reverse("admin:auth_user_delete", args=[ana.pk]), {"post": "yes"})
    assert one(lines, "account_deleted")["name"] == "ana"


def test_what_the_operator_does_is_told(lines: Lines, capsys: Any) -> None:
    call_command("enroll_device", "Office", "--upload")

    line = one(lines, "enrolled")

    assert (line["who"], line["name"], line["from"]) == ("operator", "Office", "")
    assert capsys.readouterr().out.split()[-1] not in json.dumps(line)


def test_the_first_page_counts_those_of_the_last_day(client: Client, manager: User) -> None:
    SecurityEvent.objects.all().delete()
    for hours in (1, 23, 25):
        SecurityEvent.objects.create(event="pin_failed", at=timezone.now() - timedelta(hours=hours))
    SecurityEvent.objects.create(event="revoked", at=timezone.now())
    client.force_login(manager)

    cards = {card["href"]: card["number"] for card in client.get("/admin/").context["cards"]}

    page = reverse("admin:devices_securityevent_changelist")
    assert (cards[f"{page}?event=failed"], cards[page]) == (2, 1)
    assert client.get(f"{page}?event=failed").content.decode().count("pin_failed") >= 0
    assert client.get(page).status_code == 200


def test_who_may_not_see_it_has_no_card(client: Client, staff: User) -> None:
    client.force_login(staff)
    assert client.get("/admin/").context["cards"] == []
    assert client.get(reverse("admin:devices_securityevent_changelist")).status_code == 403


def test_nobody_changes_it(client: Client, manager: User) -> None:
    client.force_login(manager)
    row = SecurityEvent.objects.create(event="pin_failed", at=timezone.now())
    for what in ("change", "delete"):
        client.post(reverse(f"admin:devices_securityevent_{what}", args=[row.pk]), {"post": "yes", "event": "login"})
    assert SecurityEvent.objects.get().event == "pin_failed"


def test_rows_go_after_a_week(lines: Lines) -> None:
    SecurityEvent.objects.create(event="pin_failed", at=timezone.now() - timedelta(days=8))
    make_code(row=EnrolmentCode())
    assert [row.event for row in SecurityEvent.objects.all()] == ["code_made"]
    assert Device.objects.count() == 0
    enroll(name="x")
