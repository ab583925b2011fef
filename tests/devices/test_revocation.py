import pytest
from django.contrib.auth.models import User
from django.test import Client

from devices.identity import Caller, DeviceCaller, still_welcome
from devices.models import Device
from devices.services import Enrolled, enroll, revoke, rotate

from .conftest import bearer

pytestmark = pytest.mark.django_db


def device_caller(enrolled: Enrolled) -> DeviceCaller:
    return DeviceCaller(
        kind="device",
        id=str(enrolled.device.id),
        name=enrolled.device.name,
        scopes=frozenset({"read"}),
        presented="bearer",
        token_hash=enrolled.device.token_hash,
    )


def test_revocation_ends_access_at_once(client: Client, till: Enrolled) -> None:
    assert client.get("/api/devices/me", headers=bearer(till.token)).status_code == 200

    assert revoke(devices=Device.objects.all()) == 1

    response = client.get("/api/devices/me", headers=bearer(till.token))
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_revoking_twice_keeps_the_first_time(till: Enrolled) -> None:
    revoke(devices=Device.objects.all())
    first = Device.objects.get().revoked_at

    assert revoke(devices=Device.objects.all()) == 0
    assert Device.objects.get().revoked_at == first


def test_revocation_concerns_the_chosen_devices_only(client: Client, till: Enrolled) -> None:
    other = enroll(name="Till 2")

    revoke(devices=Device.objects.filter(pk=other.device.pk))

    assert client.get("/api/devices/me", headers=bearer(till.token)).status_code == 200


def test_who_is_connected_is_asked_for_in_two_queries(till: Enrolled, staff: User, django_assert_num_queries) -> None:
    gone, deleted = enroll(name="Till 2"), enroll(name="Till 3")
    left = User.objects.create_user("left", is_staff=False)
    callers = [
        device_caller(till),
        device_caller(gone),
        device_caller(deleted),
        Caller("staff", str(staff.pk), "mara", frozenset({"read"})),
        Caller("staff", str(left.pk), "left", frozenset({"read"})),
    ]
    revoke(devices=Device.objects.filter(pk=gone.device.pk))
    Device.objects.filter(pk=deleted.device.pk).delete()

    with django_assert_num_queries(2):
        welcome = still_welcome(callers)

    assert welcome == {str(till.device.id), str(staff.pk)}


def test_who_came_by_a_token_that_was_replaced_has_to_come_again(till: Enrolled) -> None:
    old = device_caller(till)
    rotate(token_hash=old.token_hash)
    new = device_caller(Enrolled(Device.objects.get(), ""))

    assert still_welcome([old]) == set()
    assert still_welcome([old, new]) == set()
    assert still_welcome([new]) == {str(till.device.id)}


def test_when_nobody_is_connected_nothing_is_asked(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert still_welcome([]) == set()
