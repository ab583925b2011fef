"""The short way of a picture through the server answers as the long one does."""

from hashlib import sha256

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from images.middleware import PictureMiddleware
from images.models import Image
from images.services import add_image
from tests.images.pictures import normal_jpeg

pytestmark = pytest.mark.django_db

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
URL = f"/api/image/{HASH}.jpg"
SHORT = f"{PictureMiddleware.__module__}.{PictureMiddleware.__qualname__}"


@pytest.mark.parametrize(
    "headers", [{}, {"If-None-Match": f'"{HASH}"'}, {"Range": "bytes=5-9"}, {"Range": "bytes=1-2", "If-Range": '"x"'}]
)
def test_both_ways_give_one_answer(anyone: Client, settings: LazySettings, headers: dict[str, str]) -> None:
    add_image(data=DATA)
    short = anyone.get(URL, headers=headers)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != SHORT]
    long = Client().get(URL, headers=headers)

    assert (short.status_code, short.content) == (long.status_code, long.content)
    for name in ("ETag", "Cache-Control", "Content-Type", "Content-Range", "Accept-Ranges", "Vary"):
        assert short.headers.get(name) == long.headers.get(name), name
    if short.content:  # the long way says 0 for a 304, which says nothing of the picture
        assert short.headers["Content-Length"] == long.headers["Content-Length"]
    assert short.headers["X-Content-Type-Options"] == long.headers["X-Content-Type-Options"] == "nosniff"


def test_the_short_way_asks_the_database_once_and_needs_no_session(
    anyone: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    add_image(data=DATA)

    with django_assert_num_queries(1):
        answer = anyone.get(URL)

    assert answer.content == DATA
    assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    "changes", [{"status": "sweeping"}, {"status": "storing"}, {"damaged_at": "2026-01-01T00:00Z"}]
)
def test_the_short_way_serves_only_what_is_usable(anyone: Client, changes: dict[str, str]) -> None:
    add_image(data=DATA)
    Image.objects.update(**changes)

    assert not Image.objects.usable().exists()
    assert anyone.get(URL).status_code == 404
