"""Terminals read; writing takes the scope ``manage``, or staff with the permission for that model."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from .conftest import ADDRESSES

EVERY = pytest.mark.parametrize("resource", sorted(ADDRESSES))


def login(*permissions):
    user = User.objects.create_user("mira", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@EVERY
def test_a_till_reads_and_does_not_write(api, till, minimal, resource):
    here = api.post(ADDRESSES[resource], minimal(resource))["Location"]
    assert till.get(here).status_code == 200
    assert till.get(ADDRESSES[resource]).status_code == 200
    for answer in (
        till.post(ADDRESSES[resource], {}),
        till.put(here, {}),
        till.patch(here, {}),
        till.delete(here),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert answer["Content-Type"] == "application/problem+json"


@EVERY
def test_nobody_learns_nothing(db, resource):
    for answer in (
        Client().get(ADDRESSES[resource]),
        Client().post(ADDRESSES[resource], {}, "application/json"),
    ):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer["Content-Type"] == "application/problem+json"


def test_staff_write_what_their_permissions_name(db):
    client = login("add_tag", "change_zone")
    made = client.post("/api/tags", {"name": "hot"}, "application/json")
    assert made.status_code == 201
    assert client.get(made["Location"]).status_code == 200
    assert client.patch(made["Location"], {"name": "x"}, "application/json").status_code == 403
    assert client.delete(made["Location"]).status_code == 403
    assert client.post("/api/zones", {"name": "Bar"}, "application/json").status_code == 403


def test_a_staff_session_needs_the_csrf_token(db):
    client = login("add_tag")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post("/api/tags", {"name": "hot"}, "application/json").status_code == 403
    assert strict.get("/api/tags").status_code == 200
