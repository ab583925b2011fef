import re
from datetime import timedelta

import pytest
import segno
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from devices.models import Device, EnrolmentCode
from devices.services import Enrolled, enroll

from .conftest import Post, bearer

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def test_a_new_code_is_shown_once_and_works(office: Client, post: Post, manager: User) -> None:
    page = office.post("/admin/devices/enrolmentcode/add/", {"may_upload": "on"})

    assert page.status_code == 200
    found = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", page.content.decode())
    assert found is not None
    assert EnrolmentCode.objects.get().created_by == manager
    enrolled = post("/api/devices/enroll", {"code": found[0], "name": "Till 7"})
    assert enrolled.json()["scopes"] == ["read", "upload"]
    listed = office.get("/admin/devices/enrolmentcode/").content.decode()
    assert "Till 7" in listed
    assert found[0] not in listed


def test_a_new_code_is_shown_as_a_picture_for_a_camera(office: Client) -> None:
    page = office.post("/admin/devices/enrolmentcode/add/", {}, headers={"Host": "pos.local:8000"}).content.decode()
    found = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", page)
    assert found is not None

    picture = segno.make(f"http://pos.local:8000/terminal/#enrol={found[0]}")

    assert picture.svg_inline(scale=5, border=4, light="#fff") in page
    assert 'href="http://pos.local:8000/terminal/"' in page


def test_a_code_can_not_be_changed(office: Client, code: str) -> None:
    row = EnrolmentCode.objects.get()

    response = office.post(f"/admin/devices/enrolmentcode/{row.pk}/change/", {"may_manage": "on"})

    assert response.status_code == 403
    assert not EnrolmentCode.objects.get().may_manage


def test_a_device_can_not_be_added_without_a_code(office: Client) -> None:
    for answer in (office.get("/admin/devices/device/add/"), office.post("/admin/devices/device/add/", {"name": "x"})):
        assert (answer.status_code, answer["Location"]) == (302, "/admin/devices/enrolmentcode/add/")
    assert not Device.objects.filter(name="x").exists()


def test_a_list_says_which_devices_are_connected(office: Client, till: Enrolled) -> None:
    now = timezone.now()
    Device.objects.filter(pk=till.device.pk).update(last_seen=now - timedelta(seconds=40))
    assert "● connected" in office.get("/admin/devices/device/").content.decode()
    Device.objects.filter(pk=till.device.pk).update(last_seen=now - timedelta(minutes=3))
    assert "○ since" in office.get("/admin/devices/device/").content.decode()


def test_the_page_of_a_code_hears_that_its_device_is_in(office: Client) -> None:
    page = office.post("/admin/devices/enrolmentcode/add/", {}, headers={"host": "localhost"}).content.decode()
    code = EnrolmentCode.objects.get()
    address = f"/admin/devices/enrolmentcode/{code.pk}/device/"
    assert address in page
    assert office.get(address).json() == {"name": None}
    code.device = Device.objects.create(name="Bar till", token_hash="x" * 64)
    code.used_at = timezone.now()
    code.save()
    assert office.get(address).json() == {"name": "Bar till"}


def test_devices_are_found_by_name_and_state(office: Client, till: Enrolled) -> None:
    enroll(name="Old tablet")
    Device.objects.filter(name="Old tablet").update(revoked_at="2026-01-01T00:00Z")

    def listed(query: str) -> set[str]:
        page = office.get(f"/admin/devices/device/?{query}").content.decode()
        return {name for name in ("Till 1", "Old tablet") if name in page}

    assert listed("") == {"Till 1", "Old tablet"}
    assert listed("q=till") == {"Till 1"}
    assert listed("state=active") == {"Till 1"}
    assert listed("state=revoked") == {"Old tablet"}


def test_the_list_action_revokes(office: Client, till: Enrolled) -> None:
    data = {"action": "revoke_chosen", "_selected_action": str(till.device.pk)}

    response = office.post("/admin/devices/device/", data, follow=True)

    assert "1 device has lost its access." in response.content.decode()
    assert Client().get("/api/devices/me", headers=bearer(till.token)).status_code == 401


def test_the_page_of_a_device_renames_it_and_shows_no_secret(office: Client, till: Enrolled) -> None:
    address = f"/admin/devices/device/{till.device.pk}/change/"

    page = office.get(address).content.decode()
    assert till.token not in page
    assert till.device.token_hash not in page
    assert office.post(address, {"name": "Bar", "may_upload": "on"}).status_code == 302

    row = Device.objects.get()
    assert (row.name, row.scopes, row.token_hash) == ("Bar", ["read", "upload"], till.device.token_hash)


def test_who_may_only_look_can_not_revoke(client: Client, staff: User, till: Enrolled) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_device"))
    client.force_login(staff)

    client.post("/admin/devices/device/", {"action": "revoke_chosen", "_selected_action": str(till.device.pk)})

    assert Device.objects.active().exists()
