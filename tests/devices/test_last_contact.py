from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from devices import contacts
from devices.contacts import last_contacts
from devices.models import Device
from devices.services import Enrolled, enroll

from .conftest import bearer

ME = "/api/devices/me"


@pytest.mark.django_db
def test_a_request_writes_nothing(client: Client, till: Enrolled) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _request in range(3):
            client.get(ME, headers=bearer(till.token))

    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert Device.objects.get().last_seen is None


@pytest.mark.django_db
def test_a_device_reads_its_contact_before_it_is_written(client: Client, till: Enrolled) -> None:
    before = datetime.now(UTC)

    last_seen = client.get(ME, headers=bearer(till.token)).json()["last_seen"]

    assert before <= datetime.fromisoformat(last_seen) <= datetime.now(UTC)


@pytest.mark.django_db
def test_all_contacts_are_written_by_one_statement(django_assert_num_queries) -> None:
    devices = [enroll(name=f"Till {number}").device for number in range(20)]
    for device in devices:
        contacts.note(device.id)

    with django_assert_num_queries(1):
        assert last_contacts.flush() == 20

    assert not Device.objects.filter(last_seen=None).exists()
    with django_assert_num_queries(0):
        assert last_contacts.flush() == 0


@pytest.mark.django_db
def test_each_device_gets_its_own_time(till: Enrolled) -> None:
    other = enroll(name="Till 2")
    contacts.note(till.device.id)
    contacts.note(other.device.id)
    noted = {pk: last_contacts.get(pk) for pk in (till.device.id, other.device.id)}

    last_contacts.flush()

    assert dict(Device.objects.values_list("pk", "last_seen")) == noted
    assert last_contacts.get(till.device.id) is None


@pytest.mark.django_db
def test_a_contact_never_moves_back(till: Enrolled) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    Device.objects.update(last_seen=later)  # as another process heard it
    contacts.note(till.device.id)

    last_contacts.flush()

    assert Device.objects.get().last_seen == later


@pytest.mark.django_db
def test_a_wrong_token_is_no_contact(client: Client, till: Enrolled) -> None:
    client.get(ME, headers=bearer("wrong"))

    assert last_contacts.flush() == 0


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_written_waits_for_the_next_time() -> None:
    contacts.note(enroll(name="Till 1").device.id)

    def refuse(*_arguments: object) -> None:
        raise DatabaseError("the disk is full")

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        last_contacts.flush()

    assert last_contacts.flush() == 1
