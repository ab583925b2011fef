import pytest
from django.test import Client

from devices.identity import TokenInvalid
from devices.models import Device
from devices.services import Enrolled, rotate

from .conftest import bearer

pytestmark = pytest.mark.django_db


def test_the_old_token_stops_at_once_and_the_new_one_works(client: Client, till: Enrolled) -> None:
    response = client.post("/api/devices/rotate", headers=bearer(till.token))

    assert response.status_code == 200
    assert list(response.json()) == ["token"]
    assert response["Cache-Control"] == "no-store"
    assert client.get("/api/devices/me", headers=bearer(till.token)).json()["code"] == "invalid_token"
    me = client.get("/api/devices/me", headers=bearer(response.json()["token"]))
    assert me.json()["id"] == str(till.device.id)


def test_of_two_rotations_of_one_token_the_later_is_refused(till: Enrolled) -> None:
    rotate(token_hash=till.device.token_hash)

    with pytest.raises(TokenInvalid):
        rotate(token_hash=till.device.token_hash)


def test_a_revoked_device_can_not_rotate(client: Client, till: Enrolled) -> None:
    Device.objects.update(revoked_at="2026-01-01T00:00Z")

    response = client.post("/api/devices/rotate", headers=bearer(till.token))

    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_rotation_needs_a_device(client: Client) -> None:
    assert client.post("/api/devices/rotate").status_code == 401


def test_rotation_is_a_post(client: Client, till: Enrolled) -> None:
    response = client.get("/api/devices/rotate", headers=bearer(till.token))

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
