"""What rows learned while the clock was ahead counts as now, in each room that keeps such times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp as code_of
from django_otp.plugins.otp_totp.models import TOTPDevice

from catalog import edits
from catalog.models import Edit
from clocks.rows import bring_back
from devices import contacts, throttle, trail
from devices.events import Event
from devices.models import CODE_LIFETIME, Device, EnrolmentCode, FailedTry, SecurityEvent
from devices.services import enroll, make_code
from images.models import Image, Pass
from images.services import add_image
from images.store import SWEEP_LEASE, abandoned
from images.upkeep.scrub import scrub
from images.upkeep.sweep import sweep
from tests.images.pictures import normal_jpeg
from tests.uploads.conftest import picture, processing, state
from uploads import reconciliation
from uploads.models import Photo

pytestmark = pytest.mark.django_db(transaction=True)

AHEAD = timedelta(days=400)
MINUTE = timedelta(minutes=1)


def tomorrow() -> datetime:
    return timezone.now() + AHEAD


# --- The one function ------------------------------------------------------------------------------------------------
def test_a_time_that_is_further_ahead_than_it_can_be_becomes_what_it_would_be_now() -> None:
    now = timezone.now()
    FailedTry.objects.create(key="ahead", at=now + AHEAD)
    FailedTry.objects.create(key="skewed", at=now + MINUTE)
    FailedTry.objects.create(key="before", at=now - AHEAD)

    assert bring_back(FailedTry.objects.all(), now=now, at=timedelta(seconds=30)) == 1
    found = dict(FailedTry.objects.values_list("key", "at"))
    assert found == {"ahead": now + timedelta(seconds=30), "skewed": now + MINUTE, "before": now - AHEAD}


def test_a_clock_that_was_not_set_yet_changes_no_row() -> None:
    at = timezone.now()
    FailedTry.objects.create(key="right", at=at)

    assert bring_back(FailedTry.objects.all(), now=datetime(1970, 1, 1, tzinfo=UTC), at=timedelta()) == 0
    assert FailedTry.objects.get().at == at


# --- Tries and codes -------------------------------------------------------------------------------------------------
def test_wrong_tries_of_tomorrow_lock_nobody() -> None:
    limit = throttle.Limit(wrong=3, seconds=300)
    for _try in range(5):
        FailedTry.objects.create(key="till", at=tomorrow())

    throttle.check(key="till", limit=limit)
    assert throttle.attempt(lambda: None, key="till", limit=limit) is None
    assert FailedTry.objects.filter(at__gt=timezone.now() + MINUTE).count() == 0, "and they are forgotten"
    for _try in range(2):
        throttle.attempt(lambda: None, key="till", limit=limit)
    with pytest.raises(throttle.Throttled):
        throttle.check(key="till", limit=limit)


def test_wrong_codes_of_tomorrow_lock_no_terminal_out() -> None:
    code = make_code(row=EnrolmentCode())
    for _try in range(50):
        FailedTry.objects.create(key="enroll:127.0.0.1", at=tomorrow())

    answer = Client().post("/api/devices/enroll", {"code": code, "name": "Till"}, content_type="application/json")
    assert answer.status_code in (200, 201), answer.content


def test_a_code_of_tomorrow_is_not_good_for_a_year() -> None:
    make_code(row=EnrolmentCode(), now=tomorrow())

    assert not EnrolmentCode.objects.redeemable(now=timezone.now()).exists()
    assert EnrolmentCode.objects.redeemable(now=tomorrow() + CODE_LIFETIME / 2).exists()


def test_a_device_that_was_heard_of_tomorrow_is_heard_of_now() -> None:
    device = enroll(name="Till").device
    Device.objects.filter(pk=device.pk).update(last_seen=tomorrow())
    now = timezone.now()

    contacts._write({device.pk: now})

    device.refresh_from_db()
    assert device.last_seen == now


def test_a_code_of_an_app_that_was_used_or_guessed_tomorrow_locks_nobody_out() -> None:
    boss = User.objects.create_superuser("boss", password="secret")
    for learned in (
        {"throttling_failure_count": 3, "throttling_failure_timestamp": tomorrow()},
        {"last_t": int(tomorrow().timestamp()) // 30},
    ):
        app = TOTPDevice.objects.create(user=boss, name="app", tolerance=3, **learned)
        coming = f"{code_of(app.bin_key, drift=2):06d}"  # that of now counts as used

        answer = Client().post("/admin/login/", {"username": "boss", "password": "secret", "code": coming})

        assert answer.status_code == 302, learned
        app.refresh_from_db()
        assert app.last_t <= timezone.now().timestamp() // 30 + 3
        app.delete()


def test_a_session_of_tomorrow_ends_twelve_hours_after_it_is_used() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    Session.objects.update(expire_date=tomorrow())

    assert client.get("/admin/").status_code == 200

    assert Session.objects.get().expire_date < timezone.now() + timedelta(hours=12, minutes=1)


def test_what_was_told_tomorrow_counts_as_told_now() -> None:
    SecurityEvent.objects.create(at=tomorrow(), event=Event.LOGIN_FAILED)
    Edit.objects.create(at=tomorrow(), kind="tag", record=uuid4(), way=edits.Way.API)

    trail.tell(Event.LOGIN, who="", name="boss")
    edits.prune(now=timezone.now())

    assert not SecurityEvent.objects.filter(at__gt=timezone.now() + MINUTE).exists()
    assert not Edit.objects.filter(at__gt=timezone.now() + MINUTE).exists()
    assert (SecurityEvent.objects.count(), Edit.objects.count()) == (2, 1)


# --- Photos ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ahead", [{"created_at"}, {"checked_at"}, {"queued_until"}, {"created_at", "checked_at"}])
def test_a_photo_of_tomorrow_is_queued_by_the_next_scans(
    make_photo: Callable[..., Photo], sent: list[str], ahead: set[str]
) -> None:
    photo = make_photo(picture(), **dict.fromkeys(ahead, tomorrow()))

    reconciliation.scan(now=timezone.now())
    reconciliation.scan(now=timezone.now() + timedelta(minutes=10))

    assert str(photo.pk) in sent


def test_a_lease_of_tomorrow_ends(make_photo: Callable[..., Photo], sent: list[str]) -> None:
    photo = make_photo(picture(), **processing(lease_expires_at=tomorrow()))

    reconciliation.scan(now=timezone.now())
    assert state(photo) == "processing", "as if it had been taken now"
    reconciliation.scan(now=timezone.now() + timedelta(minutes=2))

    assert state(photo) == "pending"


def test_a_window_of_tomorrow_closes(make_photo: Callable[..., Photo], sent: list[str]) -> None:
    photo = make_photo(upload_expires_at=tomorrow())

    reconciliation.scan(now=timezone.now())
    assert state(photo) == "pending"
    reconciliation.scan(now=timezone.now() + timedelta(minutes=25))

    assert not Photo.objects.filter(pk=photo.pk).exists()


# --- Images ----------------------------------------------------------------------------------------------------------
def image_of_tomorrow(**columns: Any) -> Image:
    image = add_image(data=normal_jpeg(1)).image
    Image.objects.filter(pk=image.pk).update(**columns)
    return image


@pytest.mark.parametrize("column", ["wanted_at", "unreferenced_since"])
def test_an_image_that_nobody_needs_since_tomorrow_is_swept_after_its_grace(column: str) -> None:
    image = image_of_tomorrow(**{column: tomorrow()})

    sweep()

    found = Image.objects.get(pk=image.pk)
    assert timezone.now() - MINUTE < getattr(found, column) <= timezone.now()
    assert sweep(grace=timedelta(), stale=timedelta()).counts["swept"] == 1


def test_an_image_that_was_checked_tomorrow_counts_as_checked_now() -> None:
    image = image_of_tomorrow(checked_at=tomorrow())

    scrub()
    image.refresh_from_db()
    assert image.checked_at is not None
    assert image.checked_at <= timezone.now()
    assert scrub().counts["checked"] == 1


def test_a_sweeper_of_tomorrow_is_dead() -> None:
    image = image_of_tomorrow(status=Image.Status.SWEEPING, wanted_at=tomorrow())
    image.refresh_from_db()

    assert abandoned(image, timezone.now(), overdue=False)
    assert not abandoned(image, image.wanted_at - SWEEP_LEASE / 2, overdue=False)


def test_a_pass_of_tomorrow_is_not_the_last_for_ever() -> None:
    Pass.objects.create(kind=Pass.Kind.SCRUB, started_at=tomorrow(), ended_at=tomorrow())

    row = scrub()

    assert Pass.objects.filter(kind=Pass.Kind.SCRUB).order_by("-started_at", "-pk").first() == row
