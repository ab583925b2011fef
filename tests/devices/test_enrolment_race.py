from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from devices.models import Device, EnrolmentCode
from devices.services import make_code

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_terminals_that_redeem_one_code_at_once_one_wins() -> None:
    code = make_code(row=EnrolmentCode())
    together = Barrier(4)

    def redeem(number: int) -> int:
        together.wait(10)
        try:
            # Different addresses: this is about the code, not about the throttle.
            response = Client(REMOTE_ADDR=f"10.0.0.{number}").post(
                "/api/devices/enroll",
                {"code": code, "name": f"Till {number}"},
                content_type="application/json",
            )
            return response.status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(redeem, range(4)))

    assert answers == [201, 400, 400, 400]
    assert Device.objects.count() == 1
