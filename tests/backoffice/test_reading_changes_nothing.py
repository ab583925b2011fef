"""No address changes anything when it is read: a link in a mail, or a picture in a page, would do it."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from catalog.models import Product
from devices.models import EnrolmentCode
from devices.services import enroll, make_code
from studio.models import Item
from tests.catalog.conftest import demo as demo
from uploads.models import Album, Photo

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|TRUNCATE)\b", re.IGNORECASE)
PLACE = "§"


def addresses(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    """Each address that there is, with a sign in the place of its parameters."""
    for one in (resolver or get_resolver()).url_patterns:
        path = before + re.sub(r"<[^>]*>", PLACE, str(one.pattern))
        if isinstance(one, URLResolver):
            yield from addresses(one, path)
        elif "(?P" not in str(one.pattern):
            yield path


def of_a_record(path: str) -> str | None:
    """The address of a record that there is, for a page of the admin; of anything, for others."""
    page = re.match(r"/admin/(\w+)/(\w+)/", path)
    if page is None:
        known = str(Product.objects.first().pk)  # type: ignore[union-attr]
        return path.replace(PLACE, known if path.startswith("/api/products") else str(uuid4()))
    try:
        model: type[Model] = apps.get_model(page[1], page[2])
    except LookupError:
        return None
    record = model._default_manager.first()
    return path.replace(PLACE, str(record.pk)) if record else None


@pytest.mark.django_db
def test_reading_changes_nothing(demo: None, client: Client) -> None:
    boss = User.objects.create_superuser("boss")
    client.force_login(boss)
    album = Album.objects.create(name="Autumn")
    now = timezone.now()
    Photo.objects.create(album=album, filename="a.jpg", content_type="image/jpeg", size=5, upload_expires_at=now)
    Item.objects.create(owner=boss, kind="drawn", provider="label")
    Group.objects.create(name="Waiters")
    enroll(name="Till")
    make_code(row=EnrolmentCode())
    client.get("/readyz")  # marks a new storage, once

    written, answers = {}, {}
    asked = [address for path in addresses() if (address := of_a_record(path))]
    for address in asked:
        with CaptureQueriesContext(connection) as statements:
            answers[address] = client.get(address).status_code
        if found := [one["sql"][:200] for one in statements.captured_queries if WRITES.match(one["sql"])]:
            written[address] = found

    assert written == {}
    assert {address: status for address, status in answers.items() if status == 500} == {}
    opened = [address for address, status in answers.items() if status == 200]
    assert len([address for address in opened if "/change/" in address]) > 15
