"""One statement on one row: done, or not done and nothing changed."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from images.models import Image
from images.rows import compare_and_set, insert_if_absent
from uploads.models import Album, Photo

pytestmark = pytest.mark.django_db


def image(**values: object) -> Image:
    return Image(**{"hash": "a" * 64, "width": 3, "height": 2, "size": 1, "wanted_at": timezone.now(), **values})


def test_a_new_row_is_inserted_as_the_orm_would() -> None:
    ours = image()

    assert insert_if_absent(ours)

    assert not ours._state.adding
    found = Image.objects.get()
    assert {field.name: getattr(ours, field.name) for field in Image._meta.fields} == {
        field.name: getattr(found, field.name) for field in Image._meta.fields
    }
    assert found.created_at is not None


def test_a_row_that_is_there_stays_as_it_is() -> None:
    insert_if_absent(image(width=3))

    assert not insert_if_absent(image(width=4))

    assert Image.objects.get().width == 3


def test_a_broken_constraint_is_no_row_that_is_there() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_if_absent(image(width=0))

    assert not Image.objects.exists()


def test_the_changed_row_is_what_the_orm_reads() -> None:
    now = timezone.now()
    album = Album.objects.create(name="Menu")
    photo = Photo.objects.create(
        album=album, filename="dish.jpg", content_type="image/jpeg", size=1, upload_expires_at=now + timedelta(hours=1)
    )
    changes = {
        "status": "processing",
        "lease": uuid4(),
        "lease_expires_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),  # no microseconds: SQLite keeps fewer letters
        "processing_at": now,
    }

    changed = compare_and_set(Photo, {"id": photo.pk, "status": "pending"}, changes, count="attempts")

    found = Photo.objects.get()
    assert changed is not None
    assert changed.attempts == 1
    for field in Photo._meta.concrete_fields:
        ours, theirs = getattr(changed, field.attname), getattr(found, field.attname)
        assert (type(ours), ours) == (type(theirs), theirs), field.attname
    assert not changed._state.adding


def test_a_row_that_is_not_as_known_is_left_alone() -> None:
    insert_if_absent(image(status="stored"))

    assert compare_and_set(Image, {"hash": "a" * 64, "status": "storing"}, {"size": 2}) is None
    assert compare_and_set(Image, {"hash": "b" * 64}, {"size": 2}) is None

    assert Image.objects.get().size == 1
