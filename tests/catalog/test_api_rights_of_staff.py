"""The API asks staff the same model permissions as the admin: by object, by list, by snapshot, delta, and stream."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from catalog.models import Employee, Role
from catalog.resources import KINDS
from devices.identity import Caller
from devices.rights import NotPermitted
from syncing import log
from syncing.events import refuse_unseen, whose_are_unseen
from syncing.feed import Hub
from syncing.stream import Asked, Stream

from .conftest import ADDRESSES

pytestmark = pytest.mark.django_db


def client_with(*permissions: str) -> Client:
    user = User.objects.create_user(f"mira{uuid4()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_who_may_not_look_at_a_kind_does_not_read_it(kind):
    heads = log.heads()
    addresses = {
        ADDRESSES[kind.name]: 200,
        f"{ADDRESSES[kind.name]}/{uuid4()}": 404,
        f"/api/sync/{kind.name}": 200,
        f"/api/sync/{kind.name}/changes?since={heads.versions[kind.name]}&epoch={heads.epoch}": 200,
    }
    nobody, looker = client_with("view_user"), client_with(f"view_{kind.model._meta.model_name}")

    for address, status in addresses.items():
        answer = nobody.get(address)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), address
        assert looker.get(address).status_code == status, address


def test_who_may_not_look_at_employees_tries_no_pins():
    employee = Employee.objects.create(name="Ana", code="1", role=Role.objects.create(name="Service"))
    employee.set_pin("1234")
    employee.save()
    address = f"/api/employees/{employee.pk}/verify_pin"

    assert client_with("view_tag").post(address, {"pin": "1234"}, "application/json").status_code == 403


def test_a_login_without_permissions_knows_where_things_stand():
    nobody = client_with()
    assert nobody.get("/api/sync/status").status_code == 200
    assert nobody.get("/api/shop").status_code == 200


def test_an_unknown_resource_is_not_found_for_staff():
    assert client_with().get("/api/sync/nothing").json()["code"] == "unknown_resource"


def test_a_stream_tells_staff_what_it_may_look_at():
    user = User.objects.create_user("mira", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    caller = Caller("staff", str(user.pk), "mira", frozenset({"read"}))
    stream = Stream(Hub(), Asked(("product",), None), None)  # type: ignore[arg-type]  # it isn't run

    refuse_unseen(caller=caller, names=["product"])
    with pytest.raises(NotPermitted):
        refuse_unseen(caller=caller, names=["product", "employee"])
    assert whose_are_unseen(streams={stream: caller}) == set()

    user.user_permissions.clear()
    assert whose_are_unseen(streams={stream: caller}) == {stream}
