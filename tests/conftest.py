"""What every room's tests share; tests/parts.py starts the real parts."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, connections, transaction
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker

from syncing.capture.migration import after as capture_after_migration
from tests.front import Front, front_of
from tests.parts import Bucket
from tests.seaweed import seaweedfs as seaweedfs


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Puts SQLite's test database into a file, which other processes can open; tests need no durability.

    PostgreSQL needs nothing: each run, and each worker of ``-n``, has a server of its own.
    """
    for database in connections.databases.values():
        if database["ENGINE"].endswith("sqlite3"):
            database["TEST"]["NAME"] = str(Path(os.environ["DATA_DIR"]) / "test.sqlite3")
            options = database["OPTIONS"]
            options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """At the end nobody else is connected: PostgreSQL drops no database that a dying process still has."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")
    connection.close()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords and PINs are hashed in no time; the real way is in tests/devices/test_secrets_are_stored_hashed.py."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_flushes() -> Iterator[None]:
    """After a test that commits, `delete_everything` stands in for Django's flush, which takes ten times as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: delete_everything())
        yield


@pytest.fixture(autouse=True)
def language_of_nobody() -> Iterator[None]:
    """A request leaves its language in its thread, and the next test's texts would come in it."""
    yield
    translation.deactivate()


def delete_everything() -> None:
    """Deletes all rows but those that every migrated database has, and begins a new epoch.

    Flush makes content types and permissions anew, too; no test changes them.
    """
    quoted = list(map(connection.ops.quote_name, tables_of_tests()))
    for is_last in (False, False, True):  # a worker of another process may still write, in another order of tables
        try:
            delete_rows(quoted)
            break
        except OperationalError as error:
            if is_last or "deadlock" not in str(error):
                raise
    capture_after_migration()  # as after a flush: counters, an epoch, and triggers that a test took away


def delete_rows(quoted: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # neither triggers nor checks of keys
            cursor.execute(f"LOCK TABLE {', '.join(quoted)} IN EXCLUSIVE MODE")  # when whoever still writes is done
        for table in quoted:
            cursor.execute(f"DELETE FROM {table}")


@cache
def tables_of_tests() -> list[str]:
    """Those of sync come last: where triggers can't be switched off they need the counters."""
    kept = {ContentType._meta.db_table, Permission._meta.db_table}
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - kept
    return sorted(tables, key=lambda name: (name.startswith("syncing_"), name))


@pytest.fixture(autouse=True)
def nothing_is_left_to_write() -> Iterator[None]:
    """Ends the threads that would write last contacts half a minute later, in the middle of some other test."""
    from devices import writebehind
    from images.blobs import reasons
    from images.trial import asking

    yield
    writebehind.forget()
    asking.forget()
    reasons.forget()


@pytest.fixture(autouse=True)
def storage_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that the test's database doesn't know yet is its own: many tests lose files before they look."""
    monkeypatch.setattr("images.identity.holds_our_pictures", lambda *, new: True)


@pytest.fixture(autouse=True)
def storage_is_nobodys() -> None:
    """Each test has a database of its own, to which the run's folder of files doesn't belong yet."""
    from images.identity import MARKER

    (Path(os.environ["DATA_DIR"]) / "uploads" / MARKER).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def front_of_this_run(s3: Bucket) -> Iterator[Front]:
    with front_of(s3) as front:
        yield front


@pytest.fixture
def front(front_of_this_run: Front, new_bucket: Bucket) -> Front:
    """A front that checks what moto doesn't, before an empty bucket."""
    return front_of_this_run.begin(new_bucket)
