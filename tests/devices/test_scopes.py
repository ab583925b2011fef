"""What devices and staff may do, through real views; the catalogue stands in as a list of groups."""

import uuid
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import path
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from devices.authentication import MayUpload, MayWriteCatalogue
from devices.services import enroll

from .conftest import bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Reading(GenericAPIView):
    def get(self, request: Request) -> Response:
        return Response({})


class Uploading(Reading):
    permission_classes = (MayUpload,)
    rights: ClassVar = {"POST": ("auth.add_group", "auth.change_group")}

    def post(self, request: Request) -> Response:
        return Response({})


class Catalogue(GenericAPIView):
    permission_classes = (MayWriteCatalogue,)
    queryset = Group.objects.all()

    def get(self, request: Request, pk: str = "") -> Response:
        return Response({})

    post = put = patch = delete = get


urlpatterns = [
    path("read", Reading.as_view()),
    path("upload", Uploading.as_view()),
    path("catalogue", Catalogue.as_view()),
    path("catalogue/<str:pk>", Catalogue.as_view()),
]


@pytest.mark.parametrize(
    ("scopes", "answers"),
    [
        ({}, {"read": 200, "upload": 403, "look": 200, "write": 403}),
        ({"may_upload": True}, {"read": 200, "upload": 200, "look": 200, "write": 403}),
        ({"may_manage": True}, {"read": 200, "upload": 403, "look": 200, "write": 200}),
        ({"may_upload": True, "may_manage": True}, {"read": 200, "upload": 200, "look": 200, "write": 200}),
    ],
)
def test_a_device_may_what_its_scopes_say(client: Client, scopes: dict[str, Any], answers: dict[str, int]) -> None:
    headers = bearer(enroll(name="Till", **scopes).token)

    assert client.get("/read", headers=headers).status_code == answers["read"]
    assert client.post("/upload", headers=headers).status_code == answers["upload"]
    assert client.get("/catalogue", headers=headers).status_code == answers["look"]
    for write in (client.post, client.put, client.patch, client.delete):
        assert write("/catalogue", headers=headers).status_code == answers["write"]


def test_what_is_refused_is_named_forbidden(client: Client) -> None:
    response = client.post("/upload", headers=bearer(enroll(name="Till").token))

    assert response.json()["code"] == "forbidden"


@pytest.mark.parametrize("address", ["/read", "/upload", "/catalogue"])
def test_nobody_may_nothing(client: Client, address: str) -> None:
    assert client.get(address).status_code == 401


def test_staff_without_permissions_reads_what_is_no_record(client: Client, staff: User) -> None:
    client.force_login(staff)

    assert client.get("/read").status_code == 200
    assert client.post("/upload").status_code == 403
    assert client.get("/catalogue").status_code == 403
    assert client.post("/catalogue").status_code == 403


@pytest.mark.parametrize("permission", ["view_group", "add_group", "change_group", "delete_group"])
def test_staff_who_may_do_something_with_a_record_may_look_at_it(client: Client, staff: User, permission: str) -> None:
    staff.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(staff)

    assert client.get("/catalogue").status_code == 200
    assert client.post("/upload").status_code == (200 if permission in ("add_group", "change_group") else 403)


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [("add_group", "POST"), ("change_group", "PATCH"), ("delete_group", "DELETE")],
)
def test_staff_write_what_their_model_permissions_say(
    client: Client, staff: User, permission: str, allowed: str
) -> None:
    staff.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(staff)

    answers = {verb: client.generic(verb, "/catalogue").status_code for verb in ("POST", "PATCH", "DELETE")}

    assert {verb for verb, status in answers.items() if status == 200} == {allowed}


@pytest.mark.parametrize(("permission", "new", "known"), [("add_group", 200, 403), ("change_group", 403, 200)])
def test_a_put_adds_or_changes(client: Client, staff: User, permission: str, new: int, known: int) -> None:
    group = Group.objects.create(name="known")
    staff.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(staff)

    assert client.put(f"/catalogue/{group.pk}").status_code == known
    assert client.put(f"/catalogue/{group.pk + 1}").status_code == new


def test_a_put_on_a_malformed_id_is_no_failure_of_ours(client: Client, staff: User) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="change_group"))
    client.force_login(staff)

    assert client.put(f"/catalogue/{uuid.uuid4()}").status_code == 200
