"""What the tests of the catalogue share: callers of the API, and the least that each resource needs."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog import models
from devices.services import enroll

ADDRESSES = {
    "product": "/api/products",
    "category": "/api/categories",
    "tag": "/api/tags",
    "attribute": "/api/attributes",
    "zone": "/api/zones",
    "dining_table": "/api/dining-tables",
    "employee": "/api/employees",
    "role": "/api/roles",
    "price_rule": "/api/price-rules",
    "print_destination": "/api/print-destinations",
}
MODELS: dict[str, Any] = {
    "product": models.Product,
    "category": models.Category,
    "tag": models.Tag,
    "attribute": models.Attribute,
    "zone": models.Zone,
    "dining_table": models.DiningTable,
    "employee": models.Employee,
    "role": models.Role,
    "price_rule": models.PriceRule,
    "print_destination": models.PrintDestination,
}


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

    def body(resource: str) -> dict[str, Any]:
        name = f"{resource} {uuid4().hex[:8]}"
        match resource:
            case "product":
                category = models.Category.objects.create(name=f"Drinks {uuid4().hex[:8]}")
                return {"name": name, "price": "12.50", "category": str(category.pk)}
            case "dining_table":
                zone = models.Zone.objects.create(name=f"Terrace {uuid4().hex[:8]}")
                return {"name": name[:30], "zone": str(zone.pk)}
            case "employee":
                role = models.Role.objects.create(name=f"Waiter {uuid4().hex[:8]}")
                return {"name": name, "code": uuid4().hex[:8], "role": str(role.pk)}
            case "price_rule":
                return {"name": name, "value": "-10.00"}
        return {"name": name}

    return body


@pytest.fixture
def category(db: None) -> models.Category:
    return models.Category.objects.create(name="Drinks")


@pytest.fixture
def admin_user(db: None) -> User:
    """pytest-django's, without a password: hashing one takes longer than most tests."""
    return User.objects.create_superuser("manager")
