"""How our PostgreSQL backend reads times."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from django.db import connection, models

from config.postgresql.base import UtcLoader
from devices.models import EnrolmentCode

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="it is PostgreSQL's backend"),
]

TIMESTAMPTZ = psycopg.postgres.types["timestamptz"].oid


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-24 18:29:07.285025+00", datetime(2026, 11, 24, 18, 29, 7, 285025, UTC)),
        ("2026-11-24 18:29:07.28+00", datetime(2026, 11, 24, 18, 29, 7, 280000, UTC)),
        ("2026-11-24 18:29:07+00", datetime(2026, 11, 24, 18, 29, 7, 0, UTC)),
        ("0001-01-01 00:00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("2026-11-24 18:29:07+05:30", datetime(2026, 11, 24, 18, 29, 7, 0, timezone(timedelta(hours=5, minutes=30)))),
    ],
)
def test_times_are_read_as_they_were_written(text: str, value: datetime) -> None:
    with connection.cursor() as cursor:
        (read,) = cursor.execute("SELECT %s::timestamptz", [text]).fetchone()
        assert cursor.connection.adapters.get_loader(TIMESTAMPTZ, psycopg.pq.Format.TEXT) is UtcLoader
    assert read == value
    assert read.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_a_time_that_python_has_not_is_a_clear_error(text: str) -> None:
    with connection.cursor() as cursor, pytest.raises(psycopg.DataError, match="timestamp"):
        cursor.execute("SELECT %s::timestamptz", [text]).fetchone()


def test_the_orm_reads_times_by_the_same_loader() -> None:
    at = datetime(2026, 11, 24, 18, 29, 7, 5, UTC)
    row = EnrolmentCode.objects.create(code_hash="x", expires_at=at)
    assert EnrolmentCode.objects.get(pk=row.pk).expires_at == at
    assert EnrolmentCode.objects.aggregate(last=models.Max("expires_at"))["last"].tzinfo is UTC
