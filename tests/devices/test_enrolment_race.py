from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from devices.models import Device, EnrolmentCode, FailedTry
from devices.services import make_code

pytestmark = pytest.mark.django_db(transaction=True)


def redeem_at_once(codes: list[str], *, addresses: list[str]) -> list[int]:
    """The statuses, sorted, that terminals get who ask at the same moment."""
    together = Barrier(len(codes))

    def redeem(code: str, address: str) -> int:
        together.wait(10)
        try:
            response = Client(REMOTE_ADDR=address).post(
                "/api/devices/enroll", {"code": code, "name": "Till"}, content_type="application/json"
            )
            return response.status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(codes)) as threads:
        return sorted(threads.map(redeem, codes, addresses))


def test_of_terminals_that_redeem_one_code_at_once_one_wins() -> None:
    code = make_code(row=EnrolmentCode())

    # Different addresses: this is about the code, not about the throttle.
    answers = redeem_at_once([code] * 4, addresses=[f"10.0.0.{number}" for number in range(4)])

    assert answers == [201, 400, 400, 400]
    assert Device.objects.count() == 1


def test_a_shop_that_enrols_all_its_terminals_at_once_locks_itself_out_of_nothing() -> None:
    codes = [make_code(row=EnrolmentCode()) for _terminal in range(8)]

    assert redeem_at_once(codes, addresses=["10.0.0.1"] * 8) == [201] * 8
    assert not FailedTry.objects.exists()


def test_of_wrong_codes_at_once_five_are_called_wrong() -> None:
    assert redeem_at_once(["AAAA-AAAA"] * 8, addresses=["10.0.0.1"] * 8) == [400] * 5 + [429] * 3
    assert FailedTry.objects.count() == 5
