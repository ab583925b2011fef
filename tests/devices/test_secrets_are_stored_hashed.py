import hashlib

import pytest

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
