"""What is secret is stored so that whoever reads the database can't use it."""

import hashlib

import pytest
from django.conf import LazySettings, global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User

import config.settings
from catalog.models import Employee
from devices.models import Device, EnrolmentCode
from devices.services import Enrolled

pytestmark = pytest.mark.django_db


def test_of_a_token_only_its_sha256_is_stored(till: Enrolled) -> None:
    row = Device.objects.values().get()

    assert row["token_hash"] == hashlib.sha256(till.token.encode()).hexdigest()
    assert till.token not in str(row)
    assert len(till.token) == 43  # 32 bytes


def test_a_code_is_stored_neither_plain_nor_by_a_hash_that_can_be_searched(code: str) -> None:
    row = EnrolmentCode.objects.values().get()
    typed = code.replace("-", "")

    assert typed not in str(row)
    assert row["code_hash"] not in {hashlib.sha256(each.encode()).hexdigest() for each in (code, typed)}


def test_passwords_and_pins_are_hashed_slowly(settings: LazySettings) -> None:
    """As servers do it: what tests use elsewhere is in no setting of theirs."""
    settings.PASSWORD_HASHERS = getattr(config.settings, "PASSWORD_HASHERS", global_settings.PASSWORD_HASHERS)
    user, employee = User(), Employee()
    user.set_password("secret")
    employee.set_pin("1234")

    for stored in (user.password, employee.pin_hash):
        algorithm, iterations, salt, _digest = stored.split("$")
        assert (algorithm, int(iterations)) == ("pbkdf2_sha256", PBKDF2PasswordHasher.iterations)
        assert int(iterations) >= 1_000_000
        assert len(salt) >= 22
    assert employee.has_pin("1234")
