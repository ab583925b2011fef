"""What the tests of the catalogue share: callers of the API, and the least that each resource needs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import models, resources, services
from catalog.demo import loading
from catalog.resources import KINDS, Kind
from catalog.serializers import fields
from devices.services import enroll
from refusals.fields import TextField

ADDRESSES = {kind.name: f"/api/{kind.address}" for kind in KINDS}
MODELS: dict[str, Any] = {kind.name: kind.model for kind in KINDS}


class Api(Client):
    """A caller with a device token, who speaks JSON."""

    def __init__(self, token: str) -> None:
        super().__init__(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)

    def post(self, path: str, data: Any = None, **options: Any) -> Any:  # type: ignore[override]
        return super().post(path, data, **{"content_type": "application/json", **options})

    def put(self, path: str, data: Any = None, **options: Any) -> Any:  # type: ignore[override]
        return super().put(path, data, **{"content_type": "application/json", **options})

    def patch(self, path: str, data: Any = None, **options: Any) -> Any:  # type: ignore[override]
        return super().patch(path, data, **{"content_type": "application/json", **options})


@pytest.fixture
def api(db: None) -> Api:
    """A back-office integration, which may write the catalogue."""
    return Api(enroll(name="back office", may_manage=True).token)


@pytest.fixture
def till(db: None) -> Api:
    """A terminal, which reads."""
    return Api(enroll(name="till").token)


@pytest.fixture
def minimal(db: None) -> Callable[[str], dict[str, Any]]:
    """The least body that makes an object of a resource; a new name each time."""
    return lambda resource: minimal_body(next(kind for kind in resources.KINDS if kind.name == resource))


def minimal_body(kind: Kind) -> dict[str, Any]:
    """The fields that the wire shape of ``kind`` requires; what they refer to is made."""
    required = {name: field for name, field in kind.shape().fields.items() if field.required}
    return {name: _some_value(kind, name, field) for name, field in required.items()}


def _some_value(kind: Kind, name: str, field: Any) -> Any:
    match field:
        case fields.IdField():
            related = resources.kind_of(kind.model._meta.get_field(name).related_model)
            asked = related.shape(data=minimal_body(related))
            asked.is_valid(raise_exception=True)
            return services.create(resource=related.resource, values=asked.validated_data).object.id
        case TextField():
            longest = kind.model._meta.get_field(name).max_length
            return f"{kind.name} {uuid4().hex[:8]}"[-longest:]
        case fields.AmountField():
            return "12.50"
        case fields.WholeNumberField():
            return 1
    raise TypeError(f"tests/catalog/conftest.py knows no value for {kind.name}.{name}")


@pytest.fixture
def category(db: None) -> models.Category:
    return models.Category.objects.create(name="Drinks")


@pytest.fixture
def admin_user(db: None) -> User:
    """pytest-django's, without a password: hashing one takes longer than most tests."""
    return User.objects.create_superuser("manager")


@pytest.fixture
def demo(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo restaurant."""
    monkeypatch.setattr(loading, "PHOTOS", tmp_path)  # its pictures are loaded in test_demo.py
    loading.load()


def send(api: Api, address: str, *operations: Any, mode: str | None = None) -> Any:
    """The answer to a batch of ``operations``."""
    return api.post(f"{address}/batch", {"operations": operations} | ({"mode": mode} if mode else {}))


def statuses(answer: Any) -> list[int]:
    """Of each operation."""
    return [one["status"] for one in answer.json()["results"]]


def statements_of(ask: Callable[[], Any]) -> int:
    """How many statements it takes to answer by 200."""
    with CaptureQueriesContext(connection) as asked:
        assert ask().status_code == 200
    return len(asked)
