"""Terminals and people that the tests of this room begin with."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from devices.models import EnrolmentCode
from devices.services import Enrolled, enroll, make_code

Post = Callable[..., Any]


@pytest.fixture
def till(db: None) -> Enrolled:
    return enroll(name="Till 1")


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("mara", password="secret", is_staff=True)


@pytest.fixture
def manager(db: None) -> User:
    return User.objects.create_superuser("boss", password="secret")


@pytest.fixture
def code(db: None) -> str:
    """A fresh code that lets a device upload."""
    return make_code(row=EnrolmentCode(may_upload=True))


@pytest.fixture
def post() -> Post:
    """``post(path, body, client=…, **headers)`` sends JSON."""

    def send(path: str, body: Any = None, *, client: Client | None = None, **extra: Any) -> Any:
        return (client or Client()).post(path, json.dumps(body), content_type="application/json", **extra)

    return send


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
