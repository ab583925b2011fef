"""One mover, and a database that refuses what can't be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from normalform import MAX_BYTES
from uploads.models import Photo, Status, move

from .conftest import processing

NOW = timezone.now()
LEASE = uuid4()


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "lost"},
        {"status": "ready", "ready_at": NOW},
        {"status": "failed", "failed_at": NOW},
        {"status": "failed", "error": "broken_image"},
        {"status": "processing", "processing_at": NOW},
        {"status": "processing", "processing_at": NOW, "lease": LEASE},
        {"status": "processing", "processing_at": NOW, "lease_expires_at": NOW},
        {"status": "processing", "lease": LEASE, "lease_expires_at": NOW},
        {"lease": LEASE},
        {"lease_expires_at": NOW},
        {**processing(), "queued_until": NOW},
        {"status": "failed", "error": "broken_image", "failed_at": NOW, "queued_until": NOW},
        {"ready_at": NOW},
        {"status": "failed", "error": "broken_image", "failed_at": NOW},
        processing(attempts=0),
        {"error_detail": "The file is damaged."},
        {"filename": ""},
        {"size": 0},
        {"size": MAX_BYTES + 1},
        {"content_type": "image/svg+xml"},
    ],
    ids=lambda columns: "-".join(columns),
)
def test_the_database_refuses_an_illegal_photo(make_photo: Callable[..., Photo], columns: dict[str, Any]) -> None:
    photo = make_photo()

    with pytest.raises(IntegrityError, match="photo_"), transaction.atomic():
        Photo.objects.filter(pk=photo.pk).update(**columns)


def test_a_pending_photo_has_no_image(make_photo: Callable[..., Photo], stored_image: str) -> None:
    photo = make_photo()

    with pytest.raises(IntegrityError, match="photo_has_an_image"), transaction.atomic():
        Photo.objects.filter(pk=photo.pk).update(image_id=stored_image)


def test_a_ready_photo_has_no_error(make_photo: Callable[..., Photo], stored_image: str) -> None:
    photo = make_photo()

    with pytest.raises(IntegrityError, match="photo_says_why"), transaction.atomic():
        Photo.objects.filter(pk=photo.pk).update(
            status="ready", ready_at=NOW, image_id=stored_image, error="broken_image"
        )


@pytest.mark.parametrize(
    ("from_", "to"),
    [("pending", "ready"), ("pending", "failed"), ("ready", "pending"), ("failed", "ready"), ("ready", "ready")],
)
def test_moves_that_the_machine_does_not_have_are_refused(from_: str, to: str) -> None:
    with pytest.raises(ValueError, match="never goes"):
        move(uuid4(), Status(from_), Status(to), now=NOW)


def test_who_works_has_a_lease() -> None:
    with pytest.raises(ValueError, match="lease"):
        move(uuid4(), Status.PENDING, Status.PROCESSING, now=NOW)


def test_only_the_first_of_two_claims_wins(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo()
    claims = [move(photo.pk, Status.PENDING, Status.PROCESSING, now=NOW, lease=uuid4()) for _ in range(2)]

    assert claims == [True, False]


def test_only_who_holds_the_lease_moves_a_photo_on(make_photo: Callable[..., Photo]) -> None:
    mine = uuid4()
    photo = make_photo(**processing(lease=mine))

    assert not move(photo.pk, Status.PROCESSING, Status.PENDING, now=NOW, lease=uuid4())
    assert move(photo.pk, Status.PROCESSING, Status.PENDING, now=NOW, lease=mine)


def test_moving_back_takes_the_lease_away_and_knows_when(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(**processing())
    now = NOW + timedelta(hours=1)

    move(photo.pk, Status.PROCESSING, Status.FAILED, now=now, lease=photo.lease, error="broken_image")

    photo.refresh_from_db()
    assert (photo.lease, photo.lease_expires_at, photo.queued_until, photo.failed_at) == (None, None, None, now)
