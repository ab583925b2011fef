"""A till checks a PIN online, with few tries."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from catalog import models, services
from devices.models import FailedTry
from devices.services import enroll

from .conftest import Api


@pytest.fixture
def employee(db):
    employee = models.Employee(name="Ada", code="1", role=models.Role.objects.create(name="Waiter"))
    employee.set_pin("0123")
    employee.save()
    return employee


def verify(api, employee_id, pin):
    return api.post(f"/api/employees/{employee_id}/verify_pin", {"pin": pin})


def test_the_right_pin_is_answered_by_nothing(till, employee):
    answer = verify(till, employee.pk, "0123")
    assert (answer.status_code, answer.content) == (204, b"")


def test_an_employee_that_is_not_there_is_404_whatever_the_body_says(till):
    for employee_id in ("xyz", uuid4()):
        for pin in ("0123", None, 7):
            answer = verify(till, employee_id, pin)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (employee_id, pin)


def test_a_wrong_pin_no_pin_and_an_inactive_employee_look_the_same(till, employee):
    assert verify(till, employee.pk, "9999").json()["code"] == "wrong_pin"
    models.Employee.objects.filter(pk=employee.pk).update(is_active=False)
    inactive = verify(till, employee.pk, "0123")
    assert (inactive.status_code, inactive.json()["code"]) == (403, "wrong_pin")
    models.Employee.objects.filter(pk=employee.pk).update(is_active=True, pin_hash="")
    without = verify(till, employee.pk, "0123")
    assert without.json() | {"request_id": ""} == inactive.json() | {"request_id": ""}
    assert len(without.content) == len(inactive.content)


def test_the_sixth_try_has_to_wait_even_when_it_is_right(till, employee):
    for _ in range(5):
        assert verify(till, employee.pk, "9999").status_code == 403
    answer = verify(till, employee.pk, "0123")
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= 300
    assert answer["Content-Type"] == "application/problem+json"


def test_tries_are_counted_for_each_device_and_employee(till, employee):
    other = models.Employee(name="Bob", code="2", role=employee.role)
    other.set_pin("4567")
    other.save()
    for _ in range(6):
        verify(till, employee.pk, "9999")
    assert verify(till, other.pk, "4567").status_code == 204
    assert verify(Api(enroll(name="second till").token), employee.pk, "0123").status_code == 204
    assert verify(till, employee.pk, "0123").status_code == 429


def test_the_right_pin_forgives_and_time_does(till, employee):
    for _ in range(4):
        verify(till, employee.pk, "9999")
    assert verify(till, employee.pk, "0123").status_code == 204
    for _ in range(5):
        assert verify(till, employee.pk, "9999").status_code == 403
    for row in FailedTry.objects.all():
        row.at -= timedelta(minutes=6)
        row.save()
    assert verify(till, employee.pk, "0123").status_code == 204


@pytest.mark.parametrize(
    "wrong", [None, 123, 1234, "", "12", "123456789", "abcd", "12 34", "１２３４", "1234\n", [], {}]
)
def test_what_can_be_no_pin_is_refused_and_not_counted(till, employee, wrong):
    answer = verify(till, employee.pk, wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["field"] == "pin"
    assert not FailedTry.objects.exists()


def test_an_unknown_employee_is_not_found(till, employee):
    for nobody in (uuid4(), "x"):
        answer = verify(till, nobody, "0123")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not FailedTry.objects.exists()


@pytest.mark.parametrize("wrong", ["12", "123456789", "abcd", 1234, "", "1234 ", "１２３４"])
def test_a_pin_to_keep_has_four_to_eight_digits(api, employee, wrong):
    answer = api.patch(f"/api/employees/{employee.pk}", {"pin": wrong})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "pin")


@pytest.mark.django_db(transaction=True)  # a snapshot begins no transaction inside another
def test_no_trace_of_a_pin_leaves_the_server(api, employee):
    for path in (
        f"/api/employees/{employee.pk}",
        "/api/employees",
        "/api/employees?search=Ada",
        "/api/sync/employee",
    ):
        text = api.get(path).content.decode()
        assert "Ada" in text
        assert "pin" not in text
        assert employee.pin_hash not in text


def test_a_caller_has_so_many_wrong_tries_for_all_employees_together(till, employee):
    others = [models.Employee.objects.create(name=str(n), code=f"c{n}", role=employee.role) for n in range(20)]
    for other in others:
        assert verify(till, other.pk, "9999").status_code == 403

    answer = verify(till, employee.pk, "0123")

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert verify(Api(enroll(name="second till").token), employee.pk, "0123").status_code == 204


def test_an_employee_has_so_many_wrong_tries_by_all_callers_and_then_growing_pauses(till, employee):
    tills = [Api(enroll(name=f"till {number}").token) for number in range(5)]
    for number in range(10):
        assert verify(tills[number % 5], employee.pk, "9999").status_code == 403

    waits = []
    for _ in range(7):
        answer = verify(Api(enroll(name="another").token), employee.pk, "0123")
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
        waits.append(int(answer["Retry-After"]))
        ahead = timedelta(seconds=waits[-1])
        for row in FailedTry.objects.all():
            row.at -= ahead
            row.save()
        assert verify(Api(enroll(name="another").token), employee.pk, "9999").status_code == 403

    assert [round(wait / 30) for wait in waits] == [1, 2, 4, 8, 16, 30, 30]
    FailedTry.objects.update(at=timezone.now() - timedelta(days=1, seconds=1))
    assert verify(till, employee.pk, "0123").status_code == 204


def test_who_waits_costs_no_hash(till, employee, monkeypatch):
    for _ in range(5):
        verify(till, employee.pk, "9999")
    monkeypatch.setattr(services, "pin_is_right", lambda **_: pytest.fail("hashed"))

    assert verify(till, employee.pk, "0123").status_code == 429
